"""kill -9 at a chosen moment, and on from there."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cutting import STEPS, prepared, workflow
from joined import (
    PER_EPOCH,
    all_runs,
    assert_numbered,
    assert_same,
    interrupted,
    story,
    to_the_end,
)
from kernels import Death, Kernels
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


@pytest.fixture(scope="module")
def kernels() -> Iterator[Kernels]:
    with Kernels() as running:
        yield running


def killed(home: Path, folder: Path, step: int, *node: str) -> Run:
    """A run whose process is killed in the second batch of the step after this one."""

    class Dying(ProcessRunner):
        command = (sys.executable, str(HERE / "dying_worker.py"), str(step))

    manager = RunManager(home, Dying)
    (run,) = manager.submit(workflow(folder, *node))
    assert manager.wait(run.id, timeout=120).status == "interrupted", run.view.detail
    until(lambda: not manager.active())
    return run


def test_a_killed_process_goes_on_exactly(tmp_path: Path, folder: Path):
    node = ("generation", "full")
    run = killed(tmp_path, folder, 8, *node)
    assert run.view.step == 8
    assert [w.code for w in run.view.warnings if w.code.startswith("worker.")] == ["worker.killed"]
    assert run.view.resumable == PER_EPOCH

    manager, ear = RunManager(tmp_path, ProcessRunner), Ear()
    before = len((run.folder / "events.jsonl").read_text().splitlines())
    manager.resume(run.id, on_event=ear)
    assert manager.wait(run.id, timeout=120).status == "finished", run.view.detail
    assert ear.heard[0].seq == before  # new ones alone, and all of them
    assert ear.heard[-1].type == "run_finished"
    kinds = [e.type for e in ear.heard if e.type.startswith("run_")]
    assert kinds == ["run_started", "run_resumed", "run_finished"]
    assert [(r.attempt, r.step) for r in ear.of("run_resumed")] == [(2, PER_EPOCH)]

    threads = RunManager(tmp_path, ThreadRunner)
    (whole,) = threads.submit(workflow(folder, *node))
    assert threads.wait(whole.id).status == "finished", whole.view.detail
    assert_same(run, story(whole))


MOMENTS: list[tuple[str, Death, int]] = [
    # what the kernel was about to do; from where the run goes on
    ("full", {"before": ["open", "plan.json.part"]}, 0),
    ("full", {"before": ["os.rename", f"part-{PER_EPOCH}"]}, 0),  # the first checkpoint, unnamed
    ("full", {"before": ["open", f"part-{STEPS}/manifest.json"]}, PER_EPOCH),
    ("lora", {"before": ["open", "model.part/config.json"]}, STEPS),  # adapters there, merge not
    ("full", {"before": ["os.rename", "model.part"]}, STEPS),  # saved, not yet named
]


def test_a_killed_kernel_s_run_goes_on_exactly(tmp_path: Path, folder: Path, kernels: Kernels):
    whole = {}
    for method in ("full", "lora"):
        document = workflow(folder, "classification", method).dump()
        kernels.live(tmp_path / method, workflows=[document])
        (run,) = all_runs(tmp_path / method)
        whole[method] = story(run)
    for number, (method, death, step) in enumerate(MOMENTS):
        home = tmp_path / str(number)
        document = workflow(folder, "classification", method).dump()
        assert kernels.live(home, workflows=[document], death=death).killed, death
        (view,) = interrupted(home)
        assert view.resumable == step, death
        assert to_the_end(kernels, home) == 0
        (run,) = all_runs(home)
        assert run.view.resumed_from == step
        assert_same(run, whole[method])
        assert_numbered(run)


def test_a_second_run_that_waited_dies_and_goes_on_with_the_first(
    tmp_path: Path, folder: Path, kernels: Kernels
):
    document = workflow(folder).dump()
    death: Death = {"before": ["os.rename", f"part-{STEPS}"]}
    assert kernels.live(tmp_path, workflows=[document, document], death=death).killed
    assert [(view.step, view.resumable) for view in interrupted(tmp_path)] == [
        (STEPS, PER_EPOCH),
        (0, 0),
    ]
    # The first is cut off once more, where it had got to before.
    assert to_the_end(kernels, tmp_path, [death]) == 1
    first, second = all_runs(tmp_path)
    assert [r["step"] for r in first.view.resumed] == [PER_EPOCH, PER_EPOCH]
    assert (second.view.attempt, second.view.resumed) == (1, [])  # its first one had not begun
    assert_same(first, story(second))
    for run in (first, second):
        assert_numbered(run)


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
