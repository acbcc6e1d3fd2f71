"""kill -9 at a chosen moment, and on from there."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cutting import STEPS, TASKS, prepared, told, workflow
from small_runs import Ear, until

from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.run import Run
from easymodel_nb.train.manager import RunManager
from easymodel_nb.train.runner import ProcessRunner, ThreadRunner

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    import torch

    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("OMP_NUM_THREADS", "1")  # for the processes that are started
        torch.set_num_threads(1)
        yield prepared(tmp_path_factory.mktemp("tasks"))
    torch.set_num_threads(threads)


def killed(home: Path, folder: Path, when: str, step: int, *node: str) -> Run:
    """A run whose process is killed then."""

    class Dying(ProcessRunner):
        command = (sys.executable, str(HERE / "dying_worker.py"), when, str(step))

    manager = RunManager(home, Dying)
    (run,) = manager.submit(workflow(folder, *node))
    assert manager.wait(run.id, timeout=120).status == "interrupted", run.view.detail
    until(lambda: not manager.active())
    return run


CASES = [(("generation", "full"), "step", 8), (("classification", "lora"), "checkpoint", STEPS)]
if os.environ.get("EASYMODEL_SOAK"):  # `make soak`; each takes two processes
    CASES = [
        ((task, method), when, step)
        for task in TASKS
        for method in ("full", "lora")
        for when, step in (("step", 8), ("checkpoint", STEPS))
    ]


@pytest.mark.parametrize(("node", "when", "step"), CASES)
def test_a_killed_process_goes_on_exactly(
    tmp_path: Path, folder: Path, node: tuple[str, str], when: str, step: int
):
    run = killed(tmp_path, folder, when, step, *node)
    assert run.view.step == step
    assert [w.code for w in run.view.warnings if w.code.startswith("worker.")] == ["worker.killed"]
    assert run.view.resumable == 6  # the end of the first epoch
    parts = [path.name for path in (run.folder / "checkpoints").glob("part-*")]
    assert parts == (["part-12"] if when == "checkpoint" else [])

    manager, ear = RunManager(tmp_path, ProcessRunner), Ear()
    before = len((run.folder / "events.jsonl").read_text().splitlines())
    manager.resume(run.id, on_event=ear)
    assert manager.wait(run.id, timeout=120).status == "finished", run.view.detail
    assert ear.heard[0].seq == before  # new ones alone, and all of them
    assert ear.heard[-1].type == "run_finished"
    kinds = [e.type for e in ear.heard if e.type.startswith("run_")]
    assert kinds == ["run_started", "run_resumed", "run_finished"]
    assert [(r.attempt, r.step) for r in ear.of("run_resumed")] == [(2, 6)]
    assert not list((run.folder / "checkpoints").glob("part-*"))

    threads = RunManager(tmp_path, ThreadRunner)
    (whole,) = threads.submit(workflow(folder, *node))
    assert threads.wait(whole.id).status == "finished", whole.view.detail
    joined = told(run)
    joined["warnings"] = [w for w in joined["warnings"] if w[0] != "worker.killed"]
    assert joined == told(whole)


QUEUE_AND_DIE = """
import json, os, pathlib, sys
from easymodel_nb.train.manager import RunManager
from easymodel_nb.workflow.document import Workflow
manager = RunManager(pathlib.Path(sys.argv[1]))
manager._work = lambda: None  # busy with another run
(run,) = manager.submit(Workflow.read(json.loads(sys.argv[2])))
print(run.id, run.status, flush=True)
os.kill(os.getpid(), 9)
"""


def test_a_run_whose_kernel_died_while_it_was_queued(tmp_path: Path, folder: Path):
    document = json.dumps(workflow(folder, epochs=1).dump())
    died = subprocess.run(
        [sys.executable, "-c", QUEUE_AND_DIE, tmp_path, document],
        capture_output=True,
        text=True,
        check=False,
    )
    run_id, status = died.stdout.split()
    assert status == "queued"
    manager = RunManager(tmp_path)
    assert manager.view(run_id).status == "interrupted"
    assert manager.view(run_id).resumable == 0
    run = manager.resume(run_id)
    with pytest.raises(StudioError, match="nothing to resume"):
        manager.resume(run_id)
    assert manager.wait(run_id).status == "finished", run.view.detail
    assert run.view.points[0].step == 0
    assert run.view.warnings == []
    with pytest.raises(StudioError, match="has finished"):
        manager.resume(run_id)
