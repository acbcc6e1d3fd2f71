"""Real training on the built-in model, small enough for one busy core."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "hub")]  # small_runs, fake_hub

from easymodel_nb.train.manager import RunManager  # noqa: E402
from easymodel_nb.train.runner import ProcessRunner, ThreadRunner  # noqa: E402

RUNNERS = {"thread": ThreadRunner, "process": ProcessRunner}


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """A second thread on a shared core makes a run many times slower."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"  # for the processes that are started
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    if before is None:
        del os.environ["OMP_NUM_THREADS"]
    else:
        os.environ["OMP_NUM_THREADS"] = before


@pytest.fixture
def managers(tmp_path: Path) -> Iterator[Callable[[str], RunManager]]:
    """Makes managers of an empty home by the name of their runner; none leaves a run behind."""
    made: list[RunManager] = []

    def make(runner: str) -> RunManager:
        made.append(RunManager(tmp_path / "home", RUNNERS[runner]))
        return made[-1]

    yield make
    for manager in made:
        manager.stop()
        for run_id in manager._submitted:
            manager.wait(run_id, timeout=60)


@pytest.fixture
def manager(managers: Callable[[str], RunManager]) -> RunManager:
    """A manager that runs in threads."""
    return managers("thread")
