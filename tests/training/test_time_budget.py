"""Runs with a time budget: planned to fit, ended in time, with a saved model. No test waits."""

import time
from types import SimpleNamespace
from typing import Any

import pytest
from small_runs import PATIENCE, small

from easymodel_nb.runlog.events import Event
from easymodel_nb.runlog.run import Run
from easymodel_nb.train import budget, control, fit
from easymodel_nb.train.callbacks import deadline
from easymodel_nb.train.fitting.measurement import Measurement
from easymodel_nb.train.manager import RunManager
from easymodel_nb.train.trainer import LeanTrainer


class Clock:
    """The real time, and what a test adds to it."""

    def __init__(self) -> None:
        self.added = 0.0

    def monotonic(self) -> float:
        """This moment."""
        return time.monotonic() + self.added


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock by which runs end."""
    made = Clock()
    for module in (control, deadline, budget):
        monkeypatch.setattr(module, "time", made)
    return made


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Every device then seems to take so many seconds for a batch, in what is measured of it."""
    seconds, measure = [10.0], fit.measure

    def measured(*args: Any, **kwargs: Any) -> Any:
        found = measure(*args, **kwargs)
        assert isinstance(found, Measurement)
        tokens = found.batch_tokens
        nothing = {"forward_seconds": 0.0, "load_seconds": 0.0, "token_seconds": None}
        batch = {"batch_seconds": seconds[0], "typical_seconds": seconds[0]}
        return found.model_copy(
            update=nothing | batch | {"typical_tokens": tokens, "optimizer_seconds": 0.0}
        )

    monkeypatch.setattr(fit, "measure", measured)
    return seconds


def trained(manager: RunManager, **finetune: Any) -> Run:
    """A run to its end."""
    on_event = finetune.pop("on_event", None)
    manager.submit(small(**finetune), on_event=on_event)
    return manager.wait(timeout=PATIENCE)


@pytest.mark.usefixtures("slow")
def test_the_plan_holds_what_fits_and_the_schedule_ends_with_it(manager: RunManager):
    run = trained(manager, epochs=3, time_budget_minutes=1, warmup_ratio=0)
    assert run.status == "finished", run.view.detail
    plan = run.plan
    assert plan is not None
    steps = plan["max_steps"]
    assert 0 < steps < plan["steps_per_epoch"] * 3
    assert plan["epochs"] == plan["finetune"]["epochs"] == 1
    reasons = {choice["field"]: choice["reason"] for choice in plan["choices"]}
    assert {"epochs", "checkpoints", "memory"} <= reasons.keys()
    curve = run.view.curve
    assert [line.step for line in curve] == list(range(1, steps + 1))
    rates = [line.learning_rate or 0.0 for line in curve]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == pytest.approx(rates[0] / steps)  # linear, to 0 after the last step
    assert run.view.points[-1].step == steps
    assert {row["tuned"] is not None for row in run.samples().to_dict("records")} == {True}
    assert run.model_path is not None


def test_slower_steps_than_measured_end_the_run_in_time(
    manager: RunManager, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    step = LeanTrainer.training_step

    def held_up(trainer: Any, *args: Any, **kwargs: Any) -> Any:
        if type(trainer) is LeanTrainer and trainer.state.global_step == 2:
            clock.added += 3000  # the third step takes 50 minutes: there is no time for a fourth
        return step(trainer, *args, **kwargs)

    monkeypatch.setattr(LeanTrainer, "training_step", held_up)
    run = trained(manager, time_budget_minutes=60)
    assert (run.status, run.view.reason) == ("stopped", "time_budget"), run.view.detail
    assert run.view.summary["steps"] == 3
    assert run.model_path is not None
    assert (run.model_path / "config.json").exists()


def test_a_measurement_that_takes_too_long_is_left(manager: RunManager, clock: Clock):
    def hold_up(event: Event) -> None:
        if event.type == "stage" and event.stage == "evaluating":
            clock.added += 7200

    run = trained(manager, time_budget_minutes=60, on_event=hold_up)
    assert (run.status, run.view.reason) == ("stopped", "time_budget"), run.view.detail
    assert run.model_path is not None


def test_saving_is_no_reason_to_call_a_whole_run_stopped(manager: RunManager, clock: Clock):
    def hold_up(event: Event) -> None:
        if event.type == "stage" and event.stage == "saving":
            clock.added += 7200

    run = trained(manager, epochs=1, time_budget_minutes=60, on_event=hold_up)
    assert run.status == "finished", run.view.detail


def test_less_than_one_step_is_a_problem_on_its_field(manager: RunManager, slow: list[float]):
    slow[0] = 1000.0
    run = trained(manager, time_budget_minutes=1)
    assert run.status == "failed"
    problem = run.view.problem
    assert problem is not None
    assert (problem.code, problem.field) == ("budget.short", "time_budget_minutes")
    assert problem.fix is not None


def test_an_attempt_that_goes_on_counts_what_was_spent(manager: RunManager):
    def stop(event: Event) -> None:
        if event.type == "progress" and event.step == 2:
            manager.stop()

    run = trained(manager, time_budget_minutes=60, on_event=stop)
    assert (run.status, run.view.reason) == ("stopped", "user"), run.view.detail
    seconds = SimpleNamespace(found=[])
    spent = budget.spent

    def listening(events: Any) -> float:
        seconds.found.append(spent(events) + 7200)  # as if the attempt before had taken two hours
        return float(seconds.found[-1])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budget, "spent", listening)
        manager.resume(run.id)
        run = manager.wait(run.id, timeout=PATIENCE)
    assert seconds.found[0] > 7200
    assert (run.status, run.view.reason) == ("stopped", "time_budget"), run.view.detail
    assert run.view.summary["steps"] >= 2
    assert run.model_path is not None
