"""A time budget: the steps that fit, with the reasons, and when a run ends."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.events import Event, parse
from easymodel_nb.train import budget, control, planning
from easymodel_nb.train.callbacks import deadline
from easymodel_nb.train.callbacks.deadline import Deadline
from easymodel_nb.train.control import Control
from easymodel_nb.train.fitting.estimate import batch_seconds, computed_tokens, estimate
from easymodel_nb.train.fitting.measurement import Measurement, Setting
from easymodel_nb.train.plan import BatchPlan
from easymodel_nb.workflow.document import FinetuneData

ROWS = 80


def measured(step: float = 1.0, **changes: Any) -> Measurement:
    """A device on which a batch of 10 rows of 8 tokens takes `step` seconds, and nothing else."""
    known: dict[str, Any] = {
        "setting": Setting(batch_size=10, gradient_accumulation=1, gradient_checkpointing=False),
        "precision": "fp32",
        "batch_seconds": step,
        "batch_tokens": 80,
        "typical_seconds": step,
        "typical_tokens": 80,
        "typical_rows": 10,
        "optimizer_seconds": 0.0,
        "forward_seconds": 0.0,
        "token_seconds": None,
        "load_seconds": 0.0,
        "weight_bytes": 1,
        "memory_bytes": 1,
        "longest": 8,
        "rows": 10,
        "device": "CPU",
        "measured": "",
    }
    return Measurement(**(known | changes))


def ready(**finetune: Any) -> Any:
    """What `schedule` needs of a preparation: 80 rows of 8 tokens, 8 steps an epoch."""
    data = FinetuneData(**({"batch_size": 10, "epochs": 3} | finetune))
    rows = SimpleNamespace(
        train=[[0] * 8] * ROWS, texts=100, written=0, prompts=0, max_new_tokens=None
    )
    return SimpleNamespace(
        chooser=planning.Chooser(data),
        prepared=rows,
        node="f1",
        lengths=[8] * ROWS,
        task=SimpleNamespace(
            writes=False, sizes=lambda _: np.full((ROWS, 1), 8)
        ),  # nothing is set aside to judge answers
    )


def reasons(prepared: Any) -> dict[str, str]:
    """Why each field is as it is."""
    return {choice.field: choice.reason for choice in prepared.chooser.choices}


# ------------------------------------------------------------ what is planned


def test_enough_time_changes_nothing():
    asked = ready(time_budget_minutes=60)
    found = budget.schedule(asked, measured(), used=0)
    assert found == planning.Schedule(24, planning.measured_steps(3, 8))
    assert asked.chooser.data.epochs == 3
    assert "enough for 3 epochs" in reasons(asked)["time_budget_minutes"]


def test_epochs_are_whole_where_one_fits():
    asked = ready(time_budget_minutes=0.35)  # 21 seconds, of which nine tenths are planned
    found = budget.schedule(asked, measured(), used=0)
    assert (found.max_steps, found.eval_steps[-1]) == (16, 16)
    assert asked.chooser.data.epochs == 2
    assert "an epoch of 8 steps takes about 8 seconds" in reasons(asked)["epochs"]


def test_a_part_of_an_epoch_where_none_fits():
    asked = ready(time_budget_minutes=0.1)
    found = budget.schedule(asked, measured(), used=0)
    assert (found.max_steps, asked.chooser.data.epochs) == (5, 1)
    assert (found.eval_steps[0], found.eval_steps[-1]) == (1, 5)
    assert "no whole epoch" in reasons(asked)["epochs"]
    assert "a step takes about 1 seconds" in reasons(asked)["max_steps"]


def test_slow_measuring_is_done_at_the_ends_alone():
    asked = ready(time_budget_minutes=2, epochs=2)
    found = budget.schedule(asked, measured(forward_seconds=1.0), used=0)  # 10 seconds a point
    assert found.eval_steps == [8, 16]
    assert "10 seconds" in reasons(asked)["eval_steps"]


def test_what_is_gone_counts():
    asked = ready(time_budget_minutes=60)
    assert budget.schedule(asked, measured(), used=3580).max_steps < 24


def test_less_than_a_step_is_refused_with_what_would_do():
    asked = ready(time_budget_minutes=0.01)
    with pytest.raises(StudioError) as error:
        budget.schedule(asked, measured(step=7.0), used=1)
    (problem,) = error.value.problems
    assert (problem.code, problem.node, problem.field) == (
        "budget.short", "f1", "time_budget_minutes",
    )  # fmt: skip
    assert "8.8 seconds" in problem.message
    assert problem.fix is not None
    (change,) = problem.fix.set or []
    enough = ready(time_budget_minutes=change.value)
    assert budget.schedule(enough, measured(step=7.0), used=1).max_steps == 8  # an epoch


@given(
    st.floats(0.01, 10), st.floats(0, 1), st.floats(0, 1), st.floats(0.5, 500), st.integers(1, 9)
)
def test_what_is_planned_fits(
    step: float, forward: float, load: float, minutes: float, epochs: int
):
    found = measured(step=step, forward_seconds=forward, load_seconds=load)
    asked = ready(time_budget_minutes=minutes, epochs=epochs)
    try:
        plan = budget.schedule(asked, found, used=0)
    except StudioError:
        return
    parts = estimate(found, asked)
    least = plan.max_steps * parts.step + 2 * parts.point + parts.save
    assert least <= minutes * 60
    assert plan.max_steps <= 8 * epochs
    assert plan.max_steps % 8 == 0 or plan.max_steps < 8
    assert plan.eval_steps[-1] == plan.max_steps


# ------------------------------------------------------------ what batches take


def test_time_grows_with_tokens():
    found = measured(step=1.0, typical_seconds=0.6, typical_tokens=40)
    assert batch_seconds(found, 80) == pytest.approx(1.0)
    assert batch_seconds(found, 40) == pytest.approx(0.6)
    assert batch_seconds(found, 20) == pytest.approx(0.4)  # what each batch costs stays
    found = measured(step=1.0, typical_seconds=0.1, typical_tokens=40)
    assert batch_seconds(found, 20) == pytest.approx(0.25)  # never below nothing: in proportion
    assert batch_seconds(measured(step=1.0), 20) == pytest.approx(0.25)


def test_batches_are_counted_with_their_padding():
    rows = np.array([[5], [1], [5], [1], [3]])
    for plan in (BatchPlan(), BatchPlan(order="budgeted")):
        assert sorted(computed_tokens(plan, rows, 1, seed=0)) == [1, 1, 3, 5, 5]
        assert computed_tokens(plan, rows, 8, seed=0) == [25]
        assert 15 <= sum(computed_tokens(plan, rows, 2, seed=0)) <= 25
    flat = BatchPlan(order="shuffled", layout="flat")
    assert computed_tokens(flat, rows, 8, seed=0) == [15]


# ------------------------------------------------------------ what is gone


def log(*lines: tuple[float, str, dict[str, Any]]) -> list[Event]:
    """Events at seconds of one hour."""
    found = []
    for seq, (second, kind, fields) in enumerate(lines):
        time = f"2026-01-01T10:{int(second) // 60:02}:{second % 60:06.3f}Z"
        event = parse({"seq": seq, "time": time, "run_id": "r", "type": kind, **fields})
        assert event is not None
        found.append(event)
    return found


def stage(name: str, message: str = "") -> tuple[str, dict[str, Any]]:
    """The fields of a stage."""
    return "stage", {"stage": name, "message": message}


def test_waiting_and_pauses_are_not_counted():
    first = stage("loading", budget.FIRST_SENTENCE)
    created = ("run_created", {"node_id": "f1", "request": {}})
    events = log(
        (0, *created),
        (1, *stage("queued")),
        (100, *first),  # the queue took its time
        (110, *stage("preparing")),
        (130, *stage("training")),  # and was killed
        (900, *first),
        (905, *stage("preparing")),
        (920, "run_stopped", {"reason": "user"}),
        (1900, *first),
        (1901, *stage("preparing")),
    )
    assert budget.spent(events) == pytest.approx(30 + 20 + 1)
    assert budget.spent([]) == 0


# ------------------------------------------------------------ the end


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """This moment."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the control and of the deadline."""
    made = Clock()
    monkeypatch.setattr(control, "time", made)
    monkeypatch.setattr(deadline, "time", made)
    return made


def test_the_time_ends_whatever_is_under_way(clock: Clock, tmp_path: Any):
    run = Control(tmp_path)
    run.end_in(10)
    clock.now += 9
    assert (run.stopping, run.seconds_left) == (False, 1)
    clock.now += 1
    assert (run.stopping, run.reason) == (True, "time_budget")
    other = Control(tmp_path)
    other.end_in(10)
    other.end_in(None)
    clock.now += 100
    assert (other.stopping, other.seconds_left) == (False, None)


def test_no_step_is_begun_that_may_end_too_late(clock: Clock, tmp_path: Any):
    run = Control(tmp_path)
    run.end_in(10)
    callback = Deadline(run)
    state = SimpleNamespace(global_step=0, max_steps=100)
    for seconds in (1, 3, 1):  # the slowest counts
        assert not run.stopping
        callback.on_step_begin(None, state, None)
        clock.now += seconds
        state.global_step += 1
        callback.on_step_end(None, state, None)
    assert (run.stopping, clock.now) == (False, 1005)
    callback.on_step_begin(None, state, None)
    clock.now += 2.5
    state.global_step += 1
    callback.on_step_end(None, state, None)  # 2.5 seconds are left
    assert (run.stopping, run.reason) == (True, "time_budget")


def test_the_last_step_is_no_reason_to_stop(clock: Clock, tmp_path: Any):
    run = Control(tmp_path)
    run.end_in(3)
    callback = Deadline(run)
    state = SimpleNamespace(global_step=8, max_steps=8)
    callback.on_step_begin(None, state, None)
    clock.now += 2
    callback.on_step_end(None, state, None)
    assert not run.stopping


def test_time_to_save_is_held_back():
    assert budget.reserve(3600, 2.0) == 9.0
    assert budget.reserve(8, 60.0) == 2.0  # never more than a quarter
