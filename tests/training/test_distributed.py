"""Several processes train as one does: the same losses, stopped, resumed and cut off as a whole."""

import json
import os
from functools import partial
from pathlib import Path

import psutil
import pytest
from cutting import workflow
from on_several import TOLERANCE, alike, finished, numbers, on_two_and_on_one, still, torchrun
from small_runs import PATIENCE, Ear, until

from easymodel_nb.runlog.events import Event
from easymodel_nb.runlog.log import read_live
from easymodel_nb.runlog.run import Run
from easymodel_nb.train.distributed.runner import ASKED
from easymodel_nb.train.manager import RunManager
from easymodel_nb.train.rescue import TOGETHER

# 100 steps of two rows: enough for a stop to come between two of them.
TOKEN = "hf_" + "Bq7Rk2" * 6
LONG = {"epochs": 8, "batch_size": 2, "gradient_accumulation": 1, "subset_size": 21}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return still(tmp_path_factory.mktemp("tasks"))


def test_torchrun_gives_the_losses_of_one_process(
    tmp_path: Path, folder: Path, manager: RunManager
):
    for run, one in on_two_and_on_one(folder, tmp_path / "two", manager):
        alike(run, one)
        assert (run.view.environment or {})["world_size"] == 2  # in the first event of the attempt
        assert run.plan is not None
        assert run.plan["processes"] == 2
        assert not list((run.folder).glob("stop*"))


def at(step: int, event: Event) -> bool:
    """Whether an event tells of a step, or of a later one."""
    return event.type == "progress" and event.step >= step


def test_a_run_on_two_processes_is_stopped_resumed_and_cut_off_as_a_whole(
    folder: Path, manager: RunManager
):
    document = workflow(folder, **LONG)
    ear, places = Ear(), list[str]()
    (run,) = manager.submit(document, processes=2, on_event=ear, token=lambda: TOKEN)
    ear.when(partial(at, 5), lambda: places.extend(_where_the_token_is(run.folder)))
    ear.when(partial(at, 10), lambda: manager.stop(run.id))
    assert manager.wait(run.id, PATIENCE).status == "stopped", run.view.detail
    assert places == []
    stopped = run.view
    assert stopped.reason == "user"
    assert 10 <= stopped.step < stopped.max_steps
    assert stopped.resumable == stopped.step  # all of them had the same last step
    assert run.model_path is not None
    (created,) = ear.of("run_created")
    assert created.request[ASKED] == 2

    again = Ear()
    again.when(partial(at, stopped.step + 10), partial(_kill_one, run.folder))
    manager.resume(run.id, on_event=again)  # on two, as it was asked for
    assert manager.wait(run.id, PATIENCE).status == "failed", run.view.detail
    assert run.view.problem is not None
    assert "of the 2 processes" in run.view.problem.message
    assert "Resume" in run.view.problem.message
    until(lambda: not _processes(run.folder))  # nobody is left waiting

    assert manager.resume(run.id, processes=1)
    (whole,) = manager.submit(document)
    assert manager.wait(run.id, PATIENCE).status == "finished", run.view.detail
    assert manager.wait(whole.id, PATIENCE).status == "finished", whole.view.detail
    alike(run, whole)


def test_a_run_that_lacked_memory_goes_on_in_smaller_parts(folder: Path, manager: RunManager):
    document = workflow(folder, **LONG | {"epochs": 1, "batch_size": 4})
    home = folder.parent / "hungry"
    file = folder / "hungry.json"
    file.write_text(json.dumps(document.dump()))
    worker = str(Path(__file__).with_name("hungry_worker.py"))
    finished(torchrun(str(file), "--home", str(home), program=(worker,)), code=1)
    (run,) = (Run(path) for path in (home / "runs").iterdir())
    problem = run.view.problem
    assert problem is not None
    assert problem.code == TOGETHER
    assert "batches of 2 and 2 of them a step" in problem.message
    assert "Resume the run" in problem.message

    finished(torchrun("--resume", run.id, "--home", str(home), program=(worker,)))
    (whole,) = manager.submit(document)
    assert manager.wait(whole.id, PATIENCE).status == "finished", whole.view.detail
    assert run.plan is not None
    assert run.plan["finetune"]["batch_size"] == 2
    assert numbers(run)["loss"] == pytest.approx(numbers(whole)["loss"], rel=TOLERANCE)


def _where_the_token_is(folder: Path) -> list[str]:
    """Every place that others may look at; a line for each process proves that it was asked."""
    launcher = psutil.Process(_processes(folder)[0].ppid())
    found = [] if launcher.pid != os.getpid() else ["no launcher"]
    for process in [launcher, *launcher.children(recursive=True)]:
        seen = {"arguments": process.cmdline(), "environment": process.environ()}
        found += [f"{name} of {process.pid}" for name, text in seen.items() if TOKEN in str(text)]
    for path in folder.parent.parent.rglob("*"):
        if path.is_file() and TOKEN.encode() in path.read_bytes():
            found.append(str(path))
    return found


def _processes(folder: Path) -> list[psutil.Process]:
    """The processes that train the run of a folder, its leader and its launcher included."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if "easymodel_nb.train.distributed.worker" in line and str(folder) in line:
            found.append(process)
    return found


def _kill_one(folder: Path) -> None:
    live = read_live(folder)
    assert live is not None
    (follower,) = [process for process in _processes(folder) if process.pid != live.pid]
    follower.kill()
