"""Every structural problem is named, on its node and field, with the remedy in words."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.errors import Problem
from easymodel_nb.store.first import first_workflow
from easymodel_nb.workflow import check as module
from easymodel_nb.workflow.check import check, stopped, training_order
from easymodel_nb.workflow.document import Edge, Node, Workflow


def edited(**data: Any) -> Workflow:
    """The first project with fields of its finetune node changed."""
    workflow = first_workflow()
    workflow.of_type("finetune")[0].data.update(data)
    return workflow


def only(problems: list[Problem]) -> Problem:
    assert len(problems) == 1, problems
    return problems[0]


def test_the_first_project_has_no_problem():
    assert check(first_workflow()) == []


@pytest.mark.parametrize(
    ("data", "code", "field", "fixed"),
    [
        ({"epochs": 0}, "field.range", "epochs", 3),
        ({"epochs": "three"}, "field.type", "epochs", 3),
        ({"epochs": 2.5}, "field.type", "epochs", 3),
        ({"batch_size": -1}, "field.range", "batch_size", 8),
        ({"task": "juggling"}, "task.unknown", "task", "generation"),
        ({"method": "magic"}, "field.choice", "method", "full"),
        ({"scheduler": "square"}, "field.choice", "scheduler", "linear"),
        ({"subset_size": 1}, "field.range", "subset_size", 1000),
        ({"prompt_field": "q"}, "roles.target_missing", "target_field", None),
        ({"text_field": "a", "target_field": "b"}, "roles.conflict", "text_field", None),
    ],
)
def test_a_wrong_field_is_one_problem_there(data: dict, code: str, field: str, fixed: object):
    problem = only(check(edited(**data)))
    assert (problem.code, problem.node, problem.field) == (code, "f1", field)
    assert problem.message.endswith(".")
    if fixed is not None:
        assert problem.fix is not None
        assert [(c.field, c.value) for c in problem.fix.set or []] == [(field, fixed)]
        assert check(edited(**{field: fixed})) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"seed": 2**40}, "Seed must be at most 4,294,967,295, not 1099511627776."),
        ({"learning_rate": math.nan}, "Learning rate must be a number, not nan."),
        ({"lora_dropout": 1.0}, "LoRA dropout must be less than 1, not 1.0."),
        ({"batch_size": 5000}, "Batch size must be at most 4,096, not 5000."),
        (
            {"warmup_ratio": 1.0},
            (
                "The warm-up takes 100 % of the run: the learning rate is reached late or never. "
                "Usual are 3 to 10 %."
            ),
        ),
    ],
)
def test_numbers_are_written_as_people_read_them(data: dict, message: str):
    assert only(check(edited(**data))).message == message


def test_a_fix_names_lora_as_the_interface_does():
    fix = only(check(edited(method="lora", lora_rank=0))).fix
    assert fix is not None
    assert fix.label == "Set LoRA rank to 16"


def test_only_a_finetuning_node_can_be_named():
    problem = only(check(first_workflow(), "m1"))
    assert (problem.code, problem.severity, problem.node) == ("node.kind", "error", "m1")
    assert problem.message == ("The node 'm1' (Model) cannot be trained: name a Finetuning node.")


def test_a_task_of_a_later_version_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "AVAILABLE_TASKS", ("generation",))
    problem = only(check(edited(task="seq2seq")))
    assert (problem.code, problem.field) == ("task.unavailable", "task")
    assert problem.fix is not None
    assert [c.value for c in problem.fix.set or []] == ["generation"]


def test_a_missing_and_a_doubled_input():
    workflow = first_workflow()
    dataset_edge = workflow.edges.pop()
    problem = only(check(workflow))
    assert (problem.code, problem.node, problem.field) == ("input.missing", "f1", "dataset")
    twice = [dataset_edge, dataset_edge.model_copy(update={"id": "e3"})]
    workflow.edges.extend(twice)
    assert only(check(workflow)).code == "input.many"


def test_edges_that_lead_nowhere_or_carry_the_wrong_thing():
    workflow = first_workflow()
    workflow.edges += [
        Edge(id="x", source="gone", sourceHandle="model", target="f1", targetHandle="other"),
        Edge(id="y", source="m1", sourceHandle="model", target="d1", targetHandle="model"),
    ]
    assert {p.code for p in check(workflow)} == {"edge.dangling", "edge.type"}


def test_sources_ids_and_an_empty_canvas():
    workflow = first_workflow()
    workflow.nodes[0].data["source"] = "  "
    assert (only(check(workflow)).code, only(check(workflow)).field) == ("source.empty", "source")
    workflow = first_workflow()
    workflow.nodes.append(workflow.nodes[1])
    assert "node.duplicate" in {p.code for p in check(workflow)}
    assert only(check(Workflow())).code == "workflow.no_finetune"


def test_a_node_of_unknown_type_is_left_alone():
    workflow = first_workflow()
    workflow.nodes.append(Node(id="z", type="from-a-later-version", data={"epochs": "?"}))
    assert check(workflow) == []


def test_about_one_node_only_what_stops_it():
    workflow = edited(epochs=0)
    workflow.nodes.append(Node(id="f2", type="finetune", data={"task": "juggling"}))
    assert {p.node for p in check(workflow, "f1")} == {"f1"}
    assert "f1" not in {p.node for p in check(workflow, "f2")}
    assert check(workflow, "f9")[-1].code == "node.missing"


KINDS = st.sampled_from(["model", "dataset", "finetune", "note"])
ENDS = st.tuples(st.integers(0, 6), st.integers(0, 6), st.sampled_from(["model", "dataset"]))


@given(st.lists(KINDS, max_size=6), st.lists(ENDS, max_size=10))
def test_all_that_are_stopped_at_once_are_those_stopped_one_by_one(kinds: Any, ends: Any):
    sources = {"model": "builtin:tiny-gpt2", "dataset": "builtin:requests"}
    nodes = [
        Node(id=str(i), type=kind, data={"source": sources[kind]} if kind in sources else {})
        for i, kind in enumerate(kinds)
    ]
    edges = [
        Edge(id=f"e{i}", source=str(a), sourceHandle=handle, target=str(b), targetHandle=handle)
        for i, (a, b, handle) in enumerate(ends)
    ]
    workflow = Workflow(nodes=nodes, edges=edges)
    each = {
        node.id
        for node in workflow.of_type("finetune")
        if any(problem.severity == "error" for problem in check(workflow, node.id))
    }
    assert stopped(workflow) == each


def test_a_circle_is_named_on_every_node_of_it():
    workflow = chain([(0, 1), (1, 0)], 2)
    found = [p for p in check(workflow) if p.code == "workflow.cycle"]
    assert {p.node for p in found} == {"f0", "f1"}


def chain(links: list[tuple[int, int]], count: int) -> Workflow:
    nodes = [Node(id=f"f{i}", type="finetune") for i in range(count)]
    edges = [
        Edge(
            id=f"e{n}",
            source=f"f{a}",
            sourceHandle="model",
            target=f"f{b}",
            targetHandle="model",
        )
        for n, (a, b) in enumerate(links)
    ]
    return Workflow(nodes=nodes, edges=edges)


@given(
    st.integers(1, 7).flatmap(
        lambda n: st.tuples(
            st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)))
        )
    ),
    st.randoms(),
)
def test_training_order_puts_every_source_before_what_starts_from_it(drawn: Any, random: Any):
    count, pairs = drawn
    names = list(range(count))
    random.shuffle(names)
    links = [(names[min(pair)], names[max(pair)]) for pair in pairs if pair[0] != pair[1]]
    order = training_order(chain(links, count))
    assert sorted(order) == sorted(f"f{i}" for i in range(count))
    assert all(order.index(f"f{a}") < order.index(f"f{b}") for a, b in links)


@pytest.fixture
def all_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = ("generation", "classification", "seq2seq", "token_classification")
    monkeypatch.setattr(module, "AVAILABLE_TASKS", tasks)


@pytest.mark.usefixtures("all_tasks")
@pytest.mark.parametrize(
    ("data", "code", "field", "says"),
    [
        ({"task": "classification", "target_field": "a"}, "roles.unused", "target_field", "'a'"),
        ({"task": "seq2seq", "text_field": "a"}, "roles.unused", "text_field", "no effect"),
        ({"source_prefix": "x: "}, "roles.unused", "source_prefix", "generation"),
        ({"class_weights": True}, "roles.unused", "class_weights", "Class weights has no effect"),
        (
            {"task": "token_classification", "text_pair_field": "b"},
            "roles.unused",
            "text_pair_field",
            "token classification does not use it",
        ),
        (
            {"task": "classification", "text_field": "a", "label_field": "a"},
            "roles.same",
            "label_field",
            "Text field and label field",
        ),
        (
            {"task": "token_classification", "text_field": "a", "label_field": "a"},
            "roles.same",
            "label_field",
            "Words field and tags field",
        ),
        (
            {"task": "seq2seq", "prompt_field": "a", "target_field": "a"},
            "roles.same",
            "target_field",
            "Source field and target field",
        ),
        (
            {"messages_field": "m", "template": "{a}", "target_field": "t"},
            "roles.conflict",
            "messages_field",
            "target field and template",
        ),
        ({"template": "{a}", "prompt_field": "p"}, "roles.conflict", "template", "prompt field"),
        (
            {"task": "seq2seq", "template": "{a}", "prompt_field": "p"},
            "roles.conflict",
            "template",
            "source field",
        ),
        ({"template": "Question:"}, "template.slots", "template", "names no column"),
        ({"template": "{a} {"}, "template.slots", "template", "no partner"),
        ({"template": "{a} {}"}, "template.slots", "template", "empty braces"),
    ],
)
def test_roles_that_do_not_go_together(data: dict, code: str, field: str, says: str):
    problem = only(check(edited(**data)))
    assert (problem.code, problem.node, problem.field) == (code, "f1", field)
    assert says in problem.message
    assert problem.severity == ("note" if code == "roles.unused" else "error")
    if code != "template.slots":
        assert problem.fix is not None
        changes = {change.field: change.value for change in problem.fix.set or []}
        assert check(edited(**{**data, **changes})) == []


@pytest.mark.usefixtures("all_tasks")
@pytest.mark.parametrize(
    "data",
    [
        {"template": "Q: {question}\nA:", "target_field": "answer"},
        {"messages_field": "messages"},
        {"task": "seq2seq", "prompt_field": "translation.en"},
        {"task": "seq2seq", "template": "question: {question} context: {context?}"},
        {"task": "classification", "text_pair_field": "b", "class_weights": True},
    ],
)
def test_roles_that_go_together(data: dict):
    assert check(edited(**data)) == []


def test_a_wrong_format_is_told_at_its_part():
    workflow = first_workflow()
    workflow.of_type("dataset")[0].data["format"] = {"header": "perhaps"}
    assert only(check(workflow)).field == "format.header"
