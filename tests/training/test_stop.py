"""Stop works within two seconds in every stage, and keeps what was trained."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_runs import STOP_LIMIT, Ear, ended, several, small, stage, until
from transformers import AutoModelForCausalLM
from web import serving

from easymodel_nb.builtin import path as builtin_path
from easymodel_nb.runlog.run import Run
from easymodel_nb.runlog.view import RunView
from easymodel_nb.train.manager import RunManager
from easymodel_nb.workflow.document import Workflow

Managers = Callable[[str], RunManager]


@pytest.fixture(autouse=True)
def imported(one_thread: None) -> None:  # noqa: ARG001
    """A first import of the libraries is no part of what is timed here."""
    import datasets
    import transformers

    assert datasets.Dataset
    assert transformers.Trainer


def stop_at(manager: RunManager, workflow: Workflow, when: Callable[[Any], bool]) -> RunView:
    """Stop the run at the first event that matches; check how long it took to end."""
    ear, asked = Ear(), []

    def stop() -> None:
        asked.append(time.monotonic())
        manager.stop()

    ear.when(when, stop)
    (run,) = manager.submit(workflow, on_event=ear)
    last = ear.wait(ended)
    seconds = time.monotonic() - asked[0]
    assert last.type == "run_stopped", last
    assert seconds < STOP_LIMIT
    until(lambda: not manager.active())
    view = manager.view(run.id)
    assert (view.status, view.reason) == ("stopped", "user")
    assert view.ended
    return view


def long_baseline(**finetune: Any) -> Workflow:
    return small("builtin:shakespeare", eval_size=1000, max_length=256, **finetune)


def test_while_queued(manager: RunManager):
    ear = Ear()
    first, second = manager.submit(several(2, epochs=500), on_event=ear)
    ear.wait(stage("loading"))
    manager.stop(second.id)
    assert (second.status, second.view.reason) == ("stopped", "cancelled")
    assert first.view.active


@pytest.mark.parametrize("runner", ["thread", "process"])
def test_while_a_download_stalls(managers: Managers, runner: str):
    manager = managers(runner)
    with serving() as server:
        server.files["/data.csv"] = b"text\n" + b"some words\n" * 10_000
        server.chunk = 1000
        server.hold()
        ear = Ear()
        (run,) = manager.submit(small(f"{server.url}/data.csv"), on_event=ear)
        assert server.stalled.wait(60)
        until(lambda: (manager.view(run.id).stage.done or 0) > 10_000)  # what came so far is shown
        began = time.monotonic()
        manager.stop()
        last = ear.wait(ended)
        assert time.monotonic() - began < STOP_LIMIT
        assert (last.type, last.reason, last.model_path) == ("run_stopped", "user", None)
        if runner == "process":
            manager._current[1].join(STOP_LIMIT) if manager._current else None
            until(lambda: not manager.active())
            assert time.monotonic() - began < 2 * STOP_LIMIT  # the process has gone as well


def test_while_preparing(manager: RunManager):
    view = stop_at(manager, small(), stage("preparing"))
    assert view.plan is None
    assert view.model_path is None


def test_while_measuring_the_base(manager: RunManager):
    view = stop_at(manager, long_baseline(), stage("baseline"))
    assert view.points == []
    assert view.plan is not None


def test_while_the_base_writes_its_answers(manager: RunManager):
    said = "Writing answers with the base model"
    workflow = small(max_new_tokens=200, max_length=400)
    view = stop_at(manager, workflow, lambda e: getattr(e, "message", "") == said)
    assert view.points == []  # a point is written as a whole
    assert view.samples == []


@pytest.mark.parametrize("runner", ["thread", "process"])
def test_while_training_keeps_the_model(managers: Managers, runner: str):
    manager = managers(runner)
    view = stop_at(manager, small(epochs=500), lambda e: e.type == "progress" and e.step >= 3)
    steps = view.summary["steps"]
    assert steps >= 3
    assert view.summary["of_steps"] == 2500
    run = manager.run(view.id)
    assert run.model_path is not None
    model, base = (
        AutoModelForCausalLM.from_pretrained(p) for p in (run.model_path, builtin_path("tiny-gpt2"))
    )
    assert (model.transformer.wte.weight != base.transformer.wte.weight).any()
    assert all(checkpoint["step"] <= steps for checkpoint in view.checkpoints)
    assert run.metrics()["epoch"].tolist()[0] == 0


def test_in_the_middle_of_a_step(manager: RunManager):
    """A step that would take minutes is left, and the weights are those of the last whole one."""
    slow = small(
        "builtin:shakespeare", max_length=256, batch_size=64, subset_size=1000, eval_size=1,
        epochs=50, gradient_accumulation=8,
    )  # fmt: skip
    ear = Ear()
    (run,) = manager.submit(slow, on_event=ear)
    ear.wait(stage("training"))
    began = time.monotonic()
    manager.stop()
    ear.wait(ended)
    assert time.monotonic() - began < STOP_LIMIT
    assert run.view.summary["steps"] == 0
    assert run.model_path is None


def test_while_measuring_within_the_training(manager: RunManager):
    workflow = small("builtin:requests", eval_size=400, max_length=128)
    view = stop_at(manager, workflow, stage("evaluating"))
    assert [point.epoch for point in view.points] == [0]
    assert view.summary["steps"] >= 1
    assert view.model_path == "model"


def test_while_the_answers_are_written(manager: RunManager):
    said = "Writing answers with the trained model"
    view = stop_at(manager, small(), lambda e: getattr(e, "message", "") == said)
    assert view.summary["steps"] == 10
    assert view.model_path == "model"


def test_while_saving_the_model_is_kept(manager: RunManager):
    view = stop_at(manager, small(), stage("saving"))
    assert manager.run(view.id).load()[0].config.model_type == "gpt2"


def test_stopping_all_cancels_what_waits(manager: RunManager):
    ear = Ear()
    runs = manager.submit(several(3, epochs=500), on_event=ear)
    ear.wait(lambda e: e.type == "progress")
    assert manager.queue() == [runs[1].id, runs[2].id]
    manager.stop()
    ended_all = [manager.wait(run.id, timeout=10) for run in runs]
    assert [(run.status, run.view.reason) for run in ended_all] == [
        ("stopped", "user"),
        ("stopped", "cancelled"),
        ("stopped", "cancelled"),
    ]
    assert [run.id for run in ended_all] == sorted(run.id for run in ended_all)
    assert manager.queue() == []


def test_a_run_that_has_ended_is_not_stopped_again(manager: RunManager):
    view = stop_at(manager, small(), stage("preparing"))
    manager.stop(view.id)
    manager.stop()
    assert manager.view(view.id) == view


# ------------------------------------------------------------ from another process


ASK = """
import pathlib, sys
from easymodel_nb.train.control import ask_to_stop
ask_to_stop(pathlib.Path(sys.argv[1]), sys.argv[2])
"""


def test_another_process_stops_a_run_through_its_folder(manager: RunManager):
    ear = Ear()
    first, second = manager.submit(several(2, epochs=500), on_event=ear)
    ear.wait(lambda e: e.type == "progress")
    subprocess.run([sys.executable, "-c", ASK, second.folder, "user"], check=True)
    assert manager.wait(second.id, timeout=10).view.reason == "cancelled"
    subprocess.run([sys.executable, "-c", ASK, first.folder, "sentinel"], check=True)
    began = time.monotonic()
    assert manager.wait(first.id, timeout=60).view.reason == "sentinel"
    assert time.monotonic() - began < STOP_LIMIT


def test_another_manager_of_the_home_stops_it_too(managers: Managers):
    ear = Ear()
    owner, other = managers("thread"), managers("thread")
    (run,) = owner.submit(small(epochs=500), on_event=ear)
    ear.wait(lambda e: e.type == "progress")
    other.stop(run.id)
    assert owner.wait(run.id, timeout=60).status == "stopped"


# ------------------------------------------------------------ killed


@pytest.mark.parametrize("when", ["at once", "while training"])
def test_a_killed_process_leaves_an_interrupted_run(managers: Managers, when: str):
    manager, ear = managers("process"), Ear()
    (run,) = manager.submit(small(epochs=500), on_event=ear)
    if when == "while training":
        ear.wait(lambda e: e.type == "progress")
    (_, runner) = until(lambda: manager._current)
    until(lambda: manager.view(run.id).stage.stage != "queued")
    runner.kill()
    assert manager.wait(run.id, timeout=30).status == "interrupted"
    until(lambda: not manager.active())
    assert manager.view(run.id).status == "interrupted"
    assert "run_failed" not in (run.folder / "events.jsonl").read_text()  # derived, not written


def test_the_queue_goes_on_after_a_killed_process(managers: Managers):
    manager = managers("process")
    killed, follower = manager.submit(several(2))
    until(lambda: manager._current)[1].kill()
    assert manager.wait(follower.id, timeout=120).status == "finished"
    assert killed.status == "interrupted"


def test_a_killed_owner_leaves_an_interrupted_run(tmp_path: Path):
    document = tmp_path / "workflow.json"
    document.write_text(json.dumps(small(epochs=500).dump()))
    command = [sys.executable, "-m", "easymodel_nb", "train", document, "--json"]
    command += ["--home", tmp_path / "home"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        for line in owner.stdout:
            event = json.loads(line)
            if event["type"] == "progress":
                break
        run = Run(tmp_path / "home" / "runs" / event["run_id"])
        assert run.status == "running"
        os.kill(owner.pid, signal.SIGKILL)
        owner.wait()
    view = run.view
    assert view.status == "interrupted"
    assert view.step >= 1
    assert view.seconds_left is None
