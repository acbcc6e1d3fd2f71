"""FSDP on two processes gives the run of one, and goes on with any number of them."""

from functools import partial
from pathlib import Path

import pytest
from cutting import workflow
from on_several import alike, finished, on_two_and_on_one, still, torchrun
from small_runs import PATIENCE, Ear

from easymodel_nb.runlog.events import Event
from easymodel_nb.train.manager import RunManager

# As `accelerate launch --use_fsdp --fsdp_version 2` sets them.
FSDP = {
    "ACCELERATE_USE_FSDP": "true",
    "FSDP_VERSION": "2",
    "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP",
    "FSDP_RESHARD_AFTER_FORWARD": "true",
    "FSDP_STATE_DICT_TYPE": "FULL_STATE_DICT",
    "FSDP_CPU_RAM_EFFICIENT_LOADING": "true",
}


# 55 steps of two rows, in epochs of 11: three attempts.
LONG = {"epochs": 5, "batch_size": 2, "gradient_accumulation": 1, "subset_size": 21}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return still(tmp_path_factory.mktemp("tasks"))


def shard(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in FSDP.items():
        monkeypatch.setenv(name, value)


def measuring(epoch: int, event: Event) -> bool:
    """Whether the run begins to measure an epoch, which the leader does alone."""
    return event.type == "stage" and event.message == f"Measuring after epoch {epoch}"


def test_sharded_runs_are_those_of_one_process(
    tmp_path: Path, folder: Path, manager: RunManager, monkeypatch: pytest.MonkeyPatch
):
    shard(monkeypatch)
    for run, one in on_two_and_on_one(folder, tmp_path / "two", manager):
        assert run.plan is not None
        assert "sharding" in {choice["field"] for choice in run.plan["choices"]}
        alike(run, one)


def test_a_run_goes_on_sharded_and_whole(
    folder: Path, manager: RunManager, monkeypatch: pytest.MonkeyPatch
):
    shard(monkeypatch)
    document = workflow(folder, "classification", **LONG)
    ear = Ear()
    (run,) = manager.submit(document, on_event=ear)
    ear.when(partial(measuring, 1), lambda: manager.stop(run.id))
    assert manager.wait(run.id, PATIENCE).status == "stopped", run.view.detail
    first = run.view.step
    assert run.view.resumable == first

    # On two, each with a part, stopped while the leader measures and the other waits for it.
    worker = str(Path(__file__).with_name("stopping_worker.py"))
    home = str(run.folder.parent.parent)
    finished(torchrun("--resume", run.id, "--home", home, program=(worker,)), code=1)
    assert run.status == "stopped", run.view.detail
    second = run.view.step
    assert first < second < run.view.max_steps
    assert run.view.resumable == second  # what all held was brought together once more
    assert run.plan is not None
    assert "sharding" in {choice["field"] for choice in run.plan["choices"]}

    assert manager.resume(run.id, processes=1)
    (whole,) = manager.submit(document)
    assert manager.wait(run.id, PATIENCE).status == "finished", run.view.detail
    assert manager.wait(whole.id, PATIENCE).status == "finished", whole.view.detail
    assert "sharding" not in {choice["field"] for choice in run.plan["choices"]}
    alike(run, whole)
