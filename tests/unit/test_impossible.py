"""Settings that cannot go together: a problem on its field, with a fix that removes it."""

import math
from typing import Any

import pytest

from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.store.first import first_workflow
from easymodel_nb.train import feasible
from easymodel_nb.train.planning import Chooser
from easymodel_nb.workflow.check import check
from easymodel_nb.workflow.document import FinetuneData, Workflow

Fixed = tuple[str, str, Any] | None  # node, field, value


def edited(data: dict[str, Any], dataset: dict[str, Any] | None = None) -> Workflow:
    workflow = first_workflow()
    workflow.nodes[2].data.update(data)
    workflow.nodes[1].data.update(dataset or {})
    return workflow


def apply(workflow: Workflow, problem: Problem) -> None:
    assert problem.fix is not None
    for change in problem.fix.set or []:
        node = workflow.node(change.node)
        assert node is not None
        node.data[change.field] = change.value


DOCUMENT: list[tuple[dict[str, Any], str, str, str, Fixed]] = [
    ({"learning_rate": -1e-4}, "field.range", "error", "learning_rate", None),
    ({"learning_rate": math.nan}, "field.range", "error", "learning_rate", None),
    ({"learning_rate": math.inf}, "field.range", "error", "learning_rate", None),
    ({"learning_rate": "fast"}, "field.type", "error", "learning_rate", None),
    (
        {"learning_rate": 3.0},
        "learning_rate.unusual",
        "ask",
        "learning_rate",
        ("f1", "learning_rate", None),
    ),
    (
        {"learning_rate": 1e-10},
        "learning_rate.unusual",
        "ask",
        "learning_rate",
        ("f1", "learning_rate", None),
    ),
    (
        {"gradient_accumulation": 2000, "subset_size": 100},
        "accumulation.rows",
        "error",
        "gradient_accumulation",
        ("f1", "gradient_accumulation", 13),
    ),
    ({"early_stopping": 3}, "early_stopping.never", "note", "early_stopping", None),
    ({"early_stopping": 0}, "field.range", "error", "early_stopping", None),
    ({"warmup_ratio": 0.9}, "warmup.long", "ask", "warmup_ratio", ("f1", "warmup_ratio", 0.03)),
    ({"warmup_ratio": 1.5}, "field.range", "error", "warmup_ratio", ("f1", "warmup_ratio", 0.03)),
    (
        {"warmup_ratio": 0.1, "scheduler": "constant"},
        "warmup.unused",
        "note",
        "warmup_ratio",
        ("f1", "scheduler", "constant_with_warmup"),
    ),
    ({"time_budget_minutes": 0}, "field.range", "error", "time_budget_minutes", None),
    (
        {"time_budget_minutes": math.inf},
        "field.range",
        "error",
        "time_budget_minutes",
        ("f1", "time_budget_minutes", None),
    ),
    ({"lora_rank": 4}, "method.unused", "note", "lora_rank", ("f1", "method", "lora")),
    (
        {"target_modules": ["c_attn"]},
        "method.unused",
        "note",
        "target_modules",
        ("f1", "method", "lora"),
    ),
    (
        {"sweep": {"speed": [1], "epochs": [1, 2]}},
        "sweep.field",
        "error",
        "sweep",
        ("f1", "sweep", {"epochs": [1, 2]}),
    ),
    (
        {"sweep": {"learning_rate": [1e-4, -1]}},
        "sweep.value",
        "error",
        "learning_rate",
        ("f1", "sweep", {"learning_rate": [1e-4]}),
    ),
    ({"sweep": {"epochs": []}}, "sweep.value", "error", "epochs", ("f1", "sweep", {})),
    (
        {"sweep": {"scheduler": ["square"]}},
        "sweep.value",
        "error",
        "scheduler",
        ("f1", "sweep", {}),
    ),
]


@pytest.mark.parametrize(("data", "code", "severity", "field", "fixed"), DOCUMENT)
def test_what_the_document_alone_tells(
    data: dict[str, Any], code: str, severity: str, field: str, fixed: Fixed
):
    workflow = edited(data)
    problem = next(p for p in check(workflow) if p.code == code)
    assert (problem.severity, problem.node, problem.field) == (severity, "f1", field)
    assert problem.message.endswith(".")
    if fixed is not None:
        assert problem.fix is not None
        assert [(c.node, c.field, c.value) for c in problem.fix.set or []] == [fixed]
        apply(workflow, problem)
        assert code not in {p.code for p in check(workflow)}


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"early_stopping": 2},
        {"learning_rate": 1e-2},
        {"learning_rate": 2e-4, "method": "lora", "lora_rank": 4, "target_modules": ["c_attn"]},
        {"gradient_accumulation": 8, "subset_size": 100},
        {"gradient_accumulation": 4096, "subset_size": None},  # nobody knows yet
        {"warmup_ratio": 0.1},
        {"warmup_ratio": 0.0, "scheduler": "constant"},
        {"time_budget_minutes": 90},
        {"sweep": {"learning_rate": [1e-4, None], "method": ["full", "lora"]}, "lora_rank": 8},
    ],
)
def test_what_people_do_is_no_problem(data: dict[str, Any]):
    assert check(edited(data)) == []


def test_early_stopping_without_validation():
    workflow = edited({"early_stopping": 2}, {"eval_fraction": 0})
    problem = next(p for p in check(workflow, "f1") if p.code == "early_stopping.validation")
    assert (problem.severity, problem.node, problem.field) == ("error", "f1", "early_stopping")
    apply(workflow, problem)
    assert check(workflow) == []
    with_split = edited({"early_stopping": 2}, {"eval_fraction": 0, "eval_split": "validation"})
    assert "early_stopping.validation" not in {p.code for p in check(with_split)}


ROWS: list[tuple[dict[str, Any], dict[str, Any], list[tuple[str, str, str]], Any]] = [
    ({"max_length": 512}, {}, [], None),  # the default gives way, and the plan says so
    ({"max_length": 128}, {}, [], None),
    ({"max_length": 200}, {}, [("max_length.positions", "ask", "max_length")], 128),
    ({"max_length": 200}, {"positions": None}, [], None),
    (
        {"gradient_accumulation": 50},
        {},
        [("accumulation.rows", "error", "gradient_accumulation")],
        5,
    ),
    (
        {"gradient_accumulation": 6},
        {},
        [("accumulation.batches", "ask", "gradient_accumulation")],
        5,
    ),
    ({"gradient_accumulation": 5}, {}, [], None),
    ({"batch_size": 64}, {}, [("batch_size.rows", "note", "batch_size")], None),
    ({"early_stopping": 1}, {}, [], None),
    ({"early_stopping": 1}, {"eval_rows": 4}, [("early_stopping.few", "note", "early_stopping")],
     None),
    (
        {"early_stopping": 1},
        {"eval_rows": 0},
        [("early_stopping.validation", "error", "early_stopping")],
        None,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("data", "facts", "expected", "fixed"), ROWS)
def test_what_model_and_rows_tell(
    data: dict[str, Any],
    facts: dict[str, Any],
    expected: list[tuple[str, str, str]],
    fixed: Any,
):
    known = {"positions": 128, "examples": 40, "eval_rows": 100} | facts
    found = feasible.problems(FinetuneData(**data), **known)
    assert [(p.code, p.severity, p.field) for p in found] == expected
    assert all(p.message.endswith(".") for p in found)
    if fixed is not None:
        (placed,) = StudioError(found).at("f1").problems
        assert placed.fix is not None
        (change,) = placed.fix.set or []
        assert (change.node, change.value) == ("f1", fixed)
        again = FinetuneData(**data | {change.field: change.value})
        assert feasible.problems(again, **known) == []


@pytest.mark.parametrize(("steps", "ratio"), [(1, 0.0), (2, 0.03), (300, 0.03)])
def test_a_run_of_one_step_learns_something(steps: int, ratio: float):
    chooser = Chooser(FinetuneData())
    feasible.settle(chooser, steps)
    assert chooser.data.warmup_ratio == ratio
    assert len(chooser.choices) == (ratio == 0)
