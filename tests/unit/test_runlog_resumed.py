"""The fold of a run of several attempts, and what live.json adds to it."""

from typing import Any

from easymodel_nb.runlog.events import parse
from easymodel_nb.runlog.view import Live, RunView, fold, overlay

STARTED = {"type": "run_started", "plan": {"epochs": 2, "max_steps": 40}, "environment": {}}
QUEUED = {"type": "stage", "stage": "queued", "message": "Waiting"}
TRAINING = {"type": "stage", "stage": "training", "message": "Training"}
LIVE = {"pid": 1, "pid_started": 1.0, "host": "h", "boot_id": "b", "beat": "", "run_id": "r"}


def view_of(*lines: dict[str, Any]) -> RunView:
    base = {"time": "2026-11-22T14:08:00.000Z", "run_id": "r"}
    created = {"type": "run_created", "node_id": "f1", "request": {}}
    parsed = [parse({"seq": n, **base, **raw}) for n, raw in enumerate([created, *lines])]
    return fold(event for event in parsed if event is not None)


def step(number: int) -> dict[str, Any]:
    fields = {"max_steps": 40, "epoch": number / 20, "epochs": 2.0, "loss": 50.0 - number}
    return {"type": "progress", "step": number, **fields}


def checkpoint(number: int) -> dict[str, Any]:
    path = f"checkpoints/checkpoint-{number}"
    return {"type": "checkpoint", "step": number, "path": path, "bytes": 9}


FIRST = (QUEUED, TRAINING, {**STARTED, "attempt": 1}, *map(step, (5, 10, 15)), checkpoint(10))


def test_the_queue_after_another_stage_is_the_next_attempt():
    assert view_of(QUEUED).attempt == 1
    assert view_of(QUEUED, QUEUED).attempt == 1  # it was cut off before it began
    again = view_of(*FIRST, QUEUED)
    assert (again.attempt, again.status) == (2, "queued")
    assert view_of(*FIRST, QUEUED, TRAINING).attempt == 2


def test_what_may_be_resumed_and_from_where():
    cut_off = overlay(view_of(*FIRST), None, lambda _: False)
    assert (cut_off.status, cut_off.resumable, cut_off.resumed_from) == ("interrupted", 10, None)
    assert view_of(*FIRST).resumable is None  # as far as the log knows it runs
    failed = view_of(QUEUED, {"type": "run_failed", "problem": {"code": "x", "message": "No."}})
    assert failed.resumable == 0
    finished = {"type": "run_finished", "summary": {}, "model_path": "model"}
    assert view_of(*FIRST, finished).resumable is None
    resumed = {"type": "run_resumed", "attempt": 2, "step": 10, "loss_before": 40.0}
    lines = (*FIRST, QUEUED, TRAINING, {**STARTED, "attempt": 2}, resumed)
    second = view_of(*lines)
    assert (second.resumed_from, second.step) == (10, 10)
    assert [point.step for point in second.curve] == [5, 10]
    assert view_of(*lines, QUEUED).resumed_from is None  # the third has not come so far


def test_a_model_that_was_kept_stays_until_a_new_one_replaces_it():
    stopped = {"type": "run_stopped", "reason": "user", "model_path": "model"}
    nothing = {"type": "run_stopped", "reason": "user", "model_path": None}
    assert view_of(*FIRST, stopped).model_path == "model"
    assert view_of(*FIRST, stopped, QUEUED).model_path == "model"
    assert view_of(*FIRST, stopped, QUEUED, nothing).model_path == "model"
    assert view_of(*FIRST, nothing).model_path is None


def test_live_of_an_attempt_that_has_not_come_to_its_steps_tells_its_stage_alone():
    view = view_of(*FIRST, QUEUED, {"type": "stage", "stage": "loading", "message": "Starting"})
    stage = {"stage": "loading", "message": "Opening the model", "done": 3.0}
    live = Live(**LIVE, attempt=2, stage=stage)
    shown = overlay(view, live, lambda _: True)
    assert (shown.stage.message, shown.step, shown.max_steps) == ("Opening the model", 15, 40)
    assert shown.loss == 35.0


def test_live_of_an_attempt_before_counts_no_more():
    resumed = {"type": "run_resumed", "attempt": 2, "step": 10}
    view = view_of(*FIRST, QUEUED, {**STARTED, "attempt": 2}, resumed)
    old = Live(**LIVE, attempt=1, step=17, max_steps=40)
    assert overlay(view, old, lambda _: True).step == 10
    new = Live(**LIVE, attempt=2, step=11, max_steps=40)
    assert overlay(view, new, lambda _: True).step == 11
