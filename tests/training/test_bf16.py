"""Bf16 on a CPU: taken where it was tried and is faster, in the steps alone, with the same loss."""

from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import small

from easymodel_nb.runlog.run import Run
from easymodel_nb.train import api, precision, precision_tried
from easymodel_nb.train.plan import RunPlan
from easymodel_nb.train.trainer import LeanTrainer


def train(home: Path, **finetune: Any) -> Run:
    (run,) = api.train(small(**finetune), home=home, on_ask=lambda _: None)
    assert run.view.status == "finished", run.view.problem
    return run


def plan_of(run: Run) -> RunPlan:
    plan = RunPlan.read(run.folder)
    assert plan is not None
    return plan


def reasons(run: Run) -> list[str]:
    return [choice.reason for choice in plan_of(run).choices if choice.field == "precision"]


def losses(run: Run) -> list[float]:
    return [point.loss for point in run.view.curve]


@pytest.fixture
def good_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CPU with instructions for it, whatever this one has."""
    monkeypatch.setattr(precision, "bf16_slowdown", lambda: 0.2)


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch) -> dict[bool, set[torch.dtype]]:
    """What the first matrix product of a forward comes out as: in training, and in measuring."""
    seen: dict[bool, set[torch.dtype]] = {True: set(), False: set()}
    step = LeanTrainer.training_step

    def listening(trainer: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        if not getattr(model, "heard", False):
            model.heard = True

            def hear(module: Any, _: Any, out: Any) -> None:
                found = out[0] if isinstance(out, tuple) else out
                seen[module.training].add(found.dtype)

            model.transformer.h[0].mlp.c_fc.register_forward_hook(hear)
        return step(trainer, model, *args, **kwargs)

    monkeypatch.setattr(LeanTrainer, "training_step", listening)
    return seen


@pytest.mark.usefixtures("good_at_it")
def test_steps_are_computed_in_it_and_measured_in_32_bits(tmp_path: Path, kinds: Any):
    whole = train(tmp_path, precision="fp32")
    assert kinds[True] == {torch.float32}
    half = train(tmp_path, precision="bf16")
    assert kinds[True] == {torch.float32, torch.bfloat16}
    assert kinds[False] == {torch.float32}
    assert plan_of(half).finetune.precision == "bf16"
    assert losses(half) != losses(whole)
    assert losses(half) == pytest.approx(losses(whole), rel=0.01)
    ends = [run.view.points[-1].analytics.perplexity["validation"].value for run in (half, whole)]
    assert ends[0] == pytest.approx(ends[1], rel=0.01)


@pytest.mark.usefixtures("good_at_it")
@pytest.mark.parametrize(("share", "taken"), [(0.5, "bf16"), (0.95, "fp32"), (1.7, "fp32")])
def test_it_is_taken_where_the_model_is_faster_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float, taken: str
):
    monkeypatch.setattr(precision_tried, "_share", lambda *_: share)
    run = train(tmp_path, epochs=1)
    assert plan_of(run).finetune.precision == taken
    (why,) = reasons(run)
    assert f"{1 / share:.2g} times as fast" in why


@pytest.mark.usefixtures("good_at_it")
def test_a_model_is_tried_on_its_own_rows_and_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    tried, share = [], precision_tried._share

    def listening(ready: Any, model: Any, control: Any) -> float:
        before = {name: value.clone() for name, value in model.state_dict().items()}
        chances = torch.get_rng_state()
        tried.append(share(ready, model, control))
        assert torch.equal(chances, torch.get_rng_state())
        assert all(weight.grad is None for weight in model.parameters())
        after = model.state_dict()
        assert all(torch.equal(value, after[name]) for name, value in before.items())
        return 9.0

    monkeypatch.setattr(precision_tried, "_share", listening)
    first, again = train(tmp_path, epochs=1), train(tmp_path, epochs=1)
    assert len(tried) == 1  # what is known of a model is not tried again
    (kept,) = tmp_path.glob("cache/precision/*.json")
    kept.write_text("torn")
    train(tmp_path, epochs=1)
    assert len(tried) == 2
    assert tried[0] > 0
    assert reasons(first) == reasons(again)


def test_a_cpu_without_it_tries_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def never(*_: Any) -> float:
        raise AssertionError

    monkeypatch.setattr(precision, "bf16_slowdown", lambda: 60.0)
    monkeypatch.setattr(precision_tried, "_share", never)
    run = train(tmp_path, epochs=1)
    assert plan_of(run).finetune.precision == "fp32"
    assert reasons(run) == ["the CPU computes in 32 bits"]
