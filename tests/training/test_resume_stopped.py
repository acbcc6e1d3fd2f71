"""Stopped, damaged, out of room, with other data: what a run goes on from, and what it says."""

import json
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cutting import STEPS, cut_within, prepared, told, workflow
from small_runs import Ear

from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.run import Run
from easymodel_nb.train import checkpoints, control
from easymodel_nb.train.callbacks import checkpoints as when
from easymodel_nb.train.manager import RunManager
from easymodel_nb.train.trainer import LeanTrainer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("tasks"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, folder: Path, one_thread: None) -> Run:  # noqa: ARG001
    """A run that nobody disturbed."""
    manager = RunManager(tmp_path_factory.mktemp("home"))
    (run,) = manager.submit(workflow(folder))
    assert manager.wait(run.id).status == "finished", run.view.detail
    return run


def resumed(manager: RunManager, run: Run, ear: Ear | None = None) -> Run:
    manager.resume(run.id, on_event=ear)
    assert manager.wait(run.id).status == "finished", run.view.detail
    return run


def cut(manager: RunManager, folder: Path, step: int, **fields: Any) -> Run:
    with pytest.MonkeyPatch.context() as patched:
        cut_within(patched, step)
        (run,) = manager.submit(workflow(folder, **fields))
        assert manager.wait(run.id).status == "failed"
    return run


# ------------------------------------------------------------ stopped


def test_a_stop_in_the_middle_of_a_step_goes_back_to_the_last_whole_one(
    manager: RunManager, monkeypatch: pytest.MonkeyPatch, folder: Path, whole: Run
):
    with monkeypatch.context() as patched:
        patched.setattr(control, "_GRACE_SECONDS", -1.0)  # as if the step took minutes
        inner, seen = LeanTrainer.training_step, list[int]()

        def training_step(self: LeanTrainer, *args: Any, **kwargs: Any) -> Any:
            if self.state.global_step == 7:
                seen.append(7)
                if len(seen) == 2:
                    manager.stop()
            return inner(self, *args, **kwargs)

        patched.setattr(LeanTrainer, "training_step", training_step)
        (run,) = manager.submit(workflow(folder))
        assert manager.wait(run.id).status == "stopped"
    assert len(seen) == 2
    assert run.view.summary["steps"] == 7
    assert run.view.resumable == 7
    stopped = (run.folder / "model" / "model.safetensors").read_bytes()
    written = run.folder / "checkpoints" / "checkpoint-7" / "model.safetensors"
    assert {p.name for p in written.parent.iterdir()} >= {"optimizer.pt", "rng_state.pth"}
    assert run.model_path is not None

    ear = Ear()
    kept: list[bytes] = []

    def look() -> None:  # the model that the stop kept lies there until a new one replaces it
        assert run.model_path is not None
        kept.append((run.model_path / "model.safetensors").read_bytes())

    ear.when(lambda event: event.type == "progress" and event.step == 10, look)
    assert told(resumed(manager, run, ear)) == told(whole)
    assert kept == [stopped]
    assert run.view.resumed_from == 7
    assert [event.step for event in ear.of("progress")] == list(range(8, STEPS + 1))


@pytest.mark.parametrize(
    ("moment", "step"),
    [
        (lambda e: e.type == "progress" and e.step == 4, 4),  # measured there, after the line
        (lambda e: e.type == "stage" and e.message.startswith("Measuring after epoch 2"), 12),
        (lambda e: e.type == "stage" and "trained model" in e.message, 12),
    ],
)
def test_what_a_stop_left_unmeasured_is_measured_later(
    manager: RunManager, folder: Path, whole: Run, moment: Any, step: int
):
    ear = Ear()
    ear.when(moment, manager.stop)
    (run,) = manager.submit(workflow(folder), on_event=ear)
    assert manager.wait(run.id).status == "stopped"
    assert run.view.resumable == step
    assert told(resumed(manager, run)) == told(whole)


def test_a_stop_while_a_resumed_run_measures_costs_nothing(
    manager: RunManager, folder: Path, whole: Run
):
    ear, again = Ear(), Ear()
    ear.when(lambda e: e.type == "progress" and e.step == 4, manager.stop)
    again.when(lambda e: e.type == "stage" and e.stage == "evaluating", manager.stop)
    (run,) = manager.submit(workflow(folder), on_event=ear)
    assert manager.wait(run.id).status == "stopped"
    manager.resume(run.id, on_event=again)
    assert manager.wait(run.id).status == "stopped"
    assert run.view.resumable == 4
    assert told(resumed(manager, run)) == told(whole)


# ------------------------------------------------------------ what cannot be used


def test_a_damaged_checkpoint_is_told_and_the_older_one_is_used(
    manager: RunManager, monkeypatch: pytest.MonkeyPatch, folder: Path, whole: Run
):
    with monkeypatch.context() as patched:
        patched.setattr(when, "SECONDS", -1.0)
        run = cut(manager, folder, 8)
    newest = run.folder / "checkpoints" / "checkpoint-8" / "optimizer.pt"
    newest.write_bytes(newest.read_bytes()[:-1])
    again = told(resumed(manager, run))
    (warning,) = again.pop("warnings")
    assert warning == (
        "checkpoint.unusable",
        "The checkpoint of step 8 is not used: its file optimizer.pt is damaged.",
    )
    assert run.view.resumed_from == 7
    assert again == {key: value for key, value in told(whole).items() if key != "warnings"}


def test_without_a_usable_one_it_begins_again_and_says_so(
    manager: RunManager, folder: Path, whole: Run
):
    run = cut(manager, folder, 8)
    (checkpoint,) = (run.folder / "checkpoints").iterdir()
    raw = json.loads((checkpoint / "manifest.json").read_text())
    raw["identity"] |= {"architecture": "T5ForConditionalGeneration", "parameters": 5}
    (checkpoint / "manifest.json").write_text(json.dumps(raw))
    again = told(resumed(manager, run))
    codes = [code for code, _ in again.pop("warnings")]
    assert codes == ["checkpoint.unusable", "resume.beginning"]
    assert (run.view.resumed_from, len(run.view.resumed)) == (0, 1)
    assert again == {key: value for key, value in told(whole).items() if key != "warnings"}


def test_other_rows_are_refused_until_the_old_ones_are_back(
    manager: RunManager, tmp_path: Path, folder: Path
):
    data = tmp_path / "data"
    shutil.copytree(folder / "generation-data", data)
    flow = workflow(folder)
    flow.nodes[1].data["source"] = str(data)
    with pytest.MonkeyPatch.context() as patched:
        cut_within(patched, 8)
        (run,) = manager.submit(flow)
        manager.wait(run.id)
    rows = (data / "validation.jsonl").read_text()
    (data / "validation.jsonl").write_text(rows.replace("red", "rad"))
    manager.resume(run.id)
    assert manager.wait(run.id).status == "failed"
    problem = run.view.problem
    assert problem is not None
    assert (problem.code, problem.node, problem.field) == ("resume.data_changed", "d1", "source")
    assert "measured rows are not those" in problem.message
    (data / "validation.jsonl").write_text(rows)
    assert resumed(manager, run).view.resumed_from == 6


def test_what_is_under_way_or_finished_is_not_resumed(manager: RunManager, whole: Run):
    owner = RunManager(whole.folder.parent.parent)
    with pytest.raises(StudioError, match="has finished"):
        owner.resume(whole.id)
    with pytest.raises(StudioError, match="There is no run"):
        manager.resume("20261122T000000000-none")


# ------------------------------------------------------------ the disk


@pytest.fixture
def small_files() -> Iterator[Any]:
    """No file may become larger than a limit: the kernel refuses, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda limit: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_refuses_costs_the_checkpoints_alone(
    manager: RunManager, folder: Path, whole: Run, small_files: Any
):
    checkpoint = whole.folder / "checkpoints" / "checkpoint-12"
    model, optimizer = (
        (checkpoint / name).stat().st_size for name in ("model.safetensors", "optimizer.pt")
    )
    assert model < optimizer
    ear = Ear()
    small_files((model + optimizer) // 2)
    (run,) = manager.submit(workflow(folder), on_event=ear)
    assert manager.wait(run.id).status == "finished", run.view.detail
    small_files(resource.RLIM_INFINITY)
    ((code, message),) = told(run)["warnings"]
    assert code == "checkpoint.not_written"
    assert message.startswith("The checkpoint of step 6 could not be written: ")
    assert ear.of("checkpoint") == []
    assert list((run.folder / "checkpoints").iterdir()) == []
    assert told(run)["weights"] == told(whole)["weights"]


def test_without_room_the_older_checkpoint_stays(
    manager: RunManager, monkeypatch: pytest.MonkeyPatch, folder: Path
):
    rooms = iter([10**12, 10**12, 1000, 1000])
    monkeypatch.setattr(checkpoints, "room", lambda _: next(rooms, 10**12))
    (run,) = manager.submit(workflow(folder, epochs=3))
    assert manager.wait(run.id).status == "finished", run.view.detail
    (problem,) = run.view.warnings
    assert problem.code == "checkpoint.not_written"
    assert "0.0 MB are free. The training goes on; that of step 6 stays." in problem.message
    assert [found["step"] for found in run.view.checkpoints] == [6]
    assert [path.name for path in (run.folder / "checkpoints").iterdir()] == ["checkpoint-6"]


def test_no_room_for_the_model_is_said_before_anything_is_trained(
    manager: RunManager, monkeypatch: pytest.MonkeyPatch, folder: Path
):
    monkeypatch.setattr(checkpoints, "room", lambda _: 1000)
    (run,) = manager.submit(workflow(folder))
    assert manager.wait(run.id).status == "failed"
    assert run.view.problem is not None
    assert run.view.problem.code == "disk.model"
    assert run.view.points == []
