"""Signs that a run goes wrong, judged from its numbers alone."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch

from easymodel_nb.runlog.log import new_run
from easymodel_nb.runlog.view import CurvePoint, RunView
from easymodel_nb.train.callbacks.sentinels import Sentinels
from easymodel_nb.train.control import Control
from easymodel_nb.train.finite import broken_weight
from easymodel_nb.train.plan import RunPlan
from easymodel_nb.train.reporter import Unlogged
from easymodel_nb.train.symptoms import Symptom, Symptoms
from easymodel_nb.workflow.document import FinetuneData

STEPS = 300


def judge(*, task: str = "generation", **finetune: Any) -> Symptoms:
    data = FinetuneData(task=task, **{"learning_rate": 1e-3, "precision": "fp32"} | finetune)
    plan = RunPlan.model_construct(node_id="f1", task=task, finetune=data, max_steps=STEPS)
    return Symptoms(plan)


def told(found: Iterable[Symptom | None]) -> list[tuple[str, bool]]:
    symptoms = [symptom for symptom in found if symptom is not None]
    for symptom in symptoms:
        problem = symptom.problem
        assert problem.message.endswith(".")
        assert problem.node == "f1"
        assert problem.field in FinetuneData.model_fields
        assert problem.severity == ("error" if symptom.fatal else "ask")
    return [(s.problem.code.removeprefix("sentinel."), s.fatal) for s in symptoms]


NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([3.0, 2.5, 2.0, 1.5], []),
        ([3.0, NAN, NAN, NAN], [("nan", True)]),
        ([INF, INF, INF], [("nan", True)]),
        ([3.0, NAN, NAN, 2.9, NAN, NAN], []),  # a scaler may skip a step or two
        ([0.0, 0.0, 0.0], [("zero", True)]),
        ([0.0, 0.0, 2.0], []),
        ([2.0, 1.0, 0.0, 0.0, 0.0, 0.0], [("zero", False)]),  # known by heart
        ([None, None, None], [("masked", True)]),
        ([2.0, None, None, None, None], [("masked", False)]),
    ],
)
def test_losses_from_which_nothing_is_learned(losses: list[float | None], expected: list[Any]):
    symptoms = judge()
    found = [symptoms.loss(s, x, 0 if x is None else 9) for s, x in enumerate(losses, 1)]
    assert told(found) == expected


def test_a_run_that_goes_on_is_judged_as_a_whole(tmp_path: Path):
    """What an attempt before this one read counts, and is told by it alone."""
    reporter = Unlogged(tmp_path, new_run(tmp_path))
    plan = RunPlan.model_construct(
        node_id="f1", task="generation", finetune=FinetuneData(learning_rate=0.1), max_steps=STEPS
    )
    found = Sentinels(plan, torch.nn.Linear(1, 1), Control(reporter.folder), reporter)
    lines = [
        CurvePoint(step=n, epoch=0.0, loss=2.0 if n < 20 else 99.0, grad_norm=1.0)
        for n in range(1, 30)
    ]
    found.recall(RunView(curve=lines), 25)
    assert reporter.warnings == []
    for step in range(26, 40):
        found.loss(step, 0.0, 9)  # it has learned before: no reason to stop
        found.line(step, 99.0)  # told before
        found.gradient(step, 900.0)
    assert [w.code for w in reporter.warnings] == ["sentinel.gradients", "sentinel.zero"]
    assert not found._control.stopping


def test_one_reading_is_enough_at_the_last_step():
    assert told([judge().loss(STEPS, 0.0, 9)]) == [("zero", True)]


def test_the_same_step_read_twice_is_one_reading():
    symptoms = judge()
    assert told(symptoms.loss(1, 0.0, 9) for _ in range(5)) == []


def test_a_lower_learning_rate_is_one_click_away():
    problem = judge(learning_rate=10).not_a_number(3, "wte.weight").problem
    assert problem.fix is not None
    assert [(c.node, c.field, c.value) for c in problem.fix.set or []] == [
        ("f1", "learning_rate", 1.0)
    ]
    assert "step 3 of 300" in problem.message


@pytest.mark.parametrize(
    ("norms", "expected"),
    [
        ([1.0] * 20, []),
        ([1.0] * 20 + [500.0, 800.0], [("gradients", False)]),  # once
        ([1.0] * 5 + [500.0], []),  # not known yet what is usual
        ([0.001] * 20 + [2.0], []),  # far above its median, and still not large
        ([1.0, INF], [("gradients", False)]),
        ([None] * 30, []),
    ],
)
def test_gradients_far_above_their_median(norms: list[float | None], expected: list[Any]):
    symptoms = judge()
    assert told(symptoms.gradient(step, norm) for step, norm in enumerate(norms, 1)) == expected


def test_a_loss_scaler_finds_its_scale_by_infinite_gradients():
    symptoms = judge(precision="fp16")
    assert told(symptoms.gradient(step, INF) for step in range(1, 9)) == []


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([3.0, 8.0, 9.0, 3.0, 8.0, 9.0], []),
        ([3.0, 8.0, 9.0, 9.0, 8.0, 9.0, 9.0], [("diverged", False)]),
        ([0.01, 0.5, 0.6, 0.5, 0.5, 0.6], []),  # twice a loss that is next to nothing
    ],
)
def test_a_loss_that_gets_worse(losses: list[float], expected: list[Any]):
    symptoms = judge()
    assert told(symptoms.line(step, loss) for step, loss in enumerate(losses, 1)) == expected


@pytest.mark.parametrize(
    ("slope", "measured", "expected"),
    [
        (0.0, [5.0, 5.0, 5.0], [("flat", False)]),
        (0.0, [5.0, 4.9, 4.8], []),  # the held-out rows improve
        (0.1, [5.0, 5.0, 5.0], []),  # the training loss falls
        (0.0, [5.0, 5.0], []),  # too early to say
    ],
)
def test_nothing_improves(slope: float, measured: list[float], expected: list[Any]):
    symptoms, found = judge(), []
    for number, loss in enumerate(measured):
        step = number * 75
        found.append(symptoms.point(step, loss))
        found += [
            symptoms.line(line + 1, 5.0 + 0.1 * (-1) ** line - slope * line / 75)
            for line in range(step, step + 75, 5)
        ]
    assert told(found) == expected


def test_what_could_not_be_measured_at_the_end_is_not_finished():
    found = judge().unmeasured(STEPS, "The model gave no finite number.")
    assert told([found]) == [("nan", True)]
    assert "The model gave no finite number." in found.problem.message


def test_broken_weights_are_found_by_name():
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2, bias=False))
    assert broken_weight(model) is None
    with torch.no_grad():
        model[1].weight[0, 1] = NAN
    assert broken_weight(model) == "1.weight"
    model[1].weight.requires_grad_(requires_grad=False)
    assert broken_weight(model, learned_only=True) is None
    with torch.no_grad():
        model[0].bias[0] = -INF
    assert broken_weight(model, learned_only=True) == "0.bias"
    assert broken_weight(torch.nn.Identity()) is None
