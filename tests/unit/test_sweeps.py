"""One node, many runs: what a sweep makes, and what `check` says of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.errors import Problem
from easymodel_nb.store.first import first_workflow
from easymodel_nb.workflow import sweeps
from easymodel_nb.workflow.check import check
from easymodel_nb.workflow.document import Edge, FinetuneData, Node, Workflow


def swept(sweep: Any, **fields: Any) -> Workflow:
    """The first project with a sweep on its node."""
    workflow = first_workflow()
    workflow.nodes[2].data |= {**fields, "sweep": sweep}
    return workflow


def problem(workflow: Workflow, node: str = "f1") -> Problem:
    (found,) = [p for p in check(workflow) if p.node == node]
    return found


def names(workflow: Workflow) -> list[str]:
    return [run.name for run in sweeps.variants(workflow.nodes[2])]


# ------------------------------------------------------------ what it makes


def test_a_node_without_a_sweep_is_one_run_as_it_is():
    node = first_workflow().nodes[2]
    assert sweeps.variants(node) == [("", {}, node)]


def test_every_combination_once_and_named():
    workflow = swept({"learning_rate": [1e-5, 5e-5], "epochs": [1, 2]}, learning_rate=3)
    assert names(workflow) == [
        "learning_rate 1e-05, epochs 1",
        "learning_rate 1e-05, epochs 2",
        "learning_rate 5e-05, epochs 1",
        "learning_rate 5e-05, epochs 2",
    ]
    last = sweeps.variants(workflow.nodes[2])[-1].node
    assert (last.id, last.label) == ("f1", "Finetuning · learning_rate 5e-05, epochs 2")
    assert (last.data["learning_rate"], last.data["epochs"], last.data["sweep"]) == (5e-5, 2, {})
    assert workflow.nodes[2].data["learning_rate"] == 3


@pytest.mark.parametrize(
    ("field", "values", "told"),
    [
        ("learning_rate", [None], "learning_rate auto"),
        ("class_weights", [True], "class_weights on"),
        ("target_modules", [["c_attn", "c_proj"]], "target_modules c_attn+c_proj"),
        ("template", ["x" * 80], f"template {'x' * 39}…"),
    ],
)
def test_how_values_are_spelled(field: str, values: list[Any], told: str):
    assert names(swept({field: values})) == [told]


NUMBERS = {"epochs": st.integers(1, 9), "seed": st.integers(0, 9), "batch_size": st.integers(1, 9)}


@given(
    st.fixed_dictionaries(
        {},
        optional={f: st.lists(v, min_size=1, max_size=4, unique=True) for f, v in NUMBERS.items()},
    )
)
def test_runs_differ_in_the_swept_fields_alone(sweep: dict[str, list[int]]):
    workflow = swept(sweep)
    runs = sweeps.variants(workflow.nodes[2])
    assert len(runs) == sweeps.count(sweep)
    assert len({str(run.values) for run in runs}) == len(runs)
    for run in runs:
        plain = {k: v for k, v in run.node.data.items() if k not in {*sweep, "sweep"}}
        drawn = {k: v for k, v in workflow.nodes[2].data.items() if k not in {*sweep, "sweep"}}
        assert plain == drawn
        assert FinetuneData.model_validate(run.node.data).sweep == {}
    assert (problem(workflow).code == "sweep.many") if len(runs) > sweeps.MOST else True


# ------------------------------------------------------------ what is wrong with it


@pytest.mark.parametrize(
    ("sweep", "code", "field", "says"),
    [
        ({"speed": [1]}, "sweep.field", "sweep", "no field"),
        ({"source": ["gpt2"]}, "sweep.field", "sweep", "no field"),
        ({"task": ["generation"]}, "sweep.field", "task", "Duplicate the node"),
        ({"output_name": ["a"]}, "sweep.field", "output_name", "cannot be swept"),
        ({"epochs": []}, "sweep.value", "epochs", "no values"),
        ({"epochs": [1, "many"]}, "sweep.value", "epochs", "'many'"),
        ({"epochs": [1, True]}, "sweep.value", "epochs", "True"),
        ({"epochs": [1, 2, 1]}, "sweep.value", "epochs", "twice"),
        ({"learning_rate": [0]}, "sweep.value", "learning_rate", "cannot be 0"),
        ({"seed": list(range(65))}, "sweep.many", "seed", "65 runs; at most 64"),
        ({"seed": list(range(9)), "epochs": list(range(1, 9))}, "sweep.many", "seed", "9 x 8 = 72"),
        ({"epochs": 3}, "field.type", "sweep", "list"),
    ],
)
def test_each_value_is_refused_on_its_field(sweep: Any, code: str, field: str, says: str):
    found = problem(swept(sweep))
    assert (found.code, found.severity, found.field) == (code, "error", field)
    assert says in found.message


def test_a_fix_leaves_out_what_is_wrong():
    workflow = swept({"epochs": [1, "many", 1], "seed": [1, 2]})
    fix = problem(workflow).fix
    assert fix is not None
    ((change,),) = [fix.set]
    workflow.nodes[2].data["sweep"] = change.value
    assert change.value == {"epochs": [1], "seed": [1, 2]}
    assert check(workflow) == []


def test_a_run_that_cannot_be_is_named_and_can_be_left_out():
    workflow = swept({"gradient_accumulation": [1, 500]}, subset_size=100)
    found = problem(workflow)
    assert (found.code, found.field) == ("accumulation.rows", "gradient_accumulation")
    assert found.message.startswith("With gradient_accumulation 500: ")
    assert found.fix is not None
    assert found.fix.set is not None
    assert found.fix.set[0].value == {"gradient_accumulation": [1]}


@pytest.mark.parametrize(
    ("text", "values"),
    [("8,16", [8, 16]), ("8; 16 ,32,", [8, 16, 32]), ("8,many", None), ("a,b", None)],
)
def test_numbers_between_commas_are_offered_as_a_sweep(text: str, values: list[int] | None):
    workflow = swept({"seed": [1, 2]}, batch_size=text)
    found = problem(workflow)
    assert (found.code, found.field) == ("field.type", "batch_size")
    changes = {c.field: c.value for c in (found.fix.set if found.fix else None) or []}
    assert changes.get("sweep") == (values and {"seed": [1, 2], "batch_size": values})
    if values:
        workflow.nodes[2].data |= changes
        assert check(workflow) == []


def test_the_plain_value_of_a_swept_field_trains_nothing_and_is_not_judged():
    assert check(swept({"learning_rate": [1e-4, 2e-4]}, learning_rate=5)) == []


def test_what_holds_for_every_run_is_said_once_and_without_a_name():
    found = problem(swept({"epochs": [1, 2]}, learning_rate=5))
    assert found.code == "learning_rate.unusual"
    assert found.message.startswith("A learning rate of 5 ")
    assert found.fix is not None


def test_a_sweep_cannot_be_continued_because_it_ends_with_several_models():
    workflow = swept({"epochs": [1, 2]})
    node = Node(id="f2", type="finetune", data={})
    workflow.nodes.append(node)
    ends = [("f1", "model"), ("d1", "dataset")]
    workflow.edges += [
        Edge(id=f"x{s}", source=s, sourceHandle=h, target="f2", targetHandle=h) for s, h in ends
    ]
    found = problem(workflow, "f2")
    assert (found.code, found.field) == ("input.sweep", "model")
    assert "2 runs" in found.message
    assert not [p for p in check(workflow, "f1") if p.severity == "error"]
    workflow.nodes[2].data["sweep"] = {"epochs": [1]}
    assert check(workflow, "f2") == []
