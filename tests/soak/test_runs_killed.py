"""kill -9 of a kernel at random points of runs of every task and method, often more than once.

EASYMODEL_SOAK scales the number of kills, 56 where it is 1. A failure names its seed;
EASYMODEL_SEED tries it again.
"""

import os
import random
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from cutting import TASKS, prepared, workflow
from figures import keep
from joined import (
    all_runs,
    assert_numbered,
    assert_same,
    interrupted,
    repeated,
    story,
    to_the_end,
)
from kernels import Death, Kernels

KILLS = round(56 * float(os.environ.get("EASYMODEL_SOAK") or 1))
SEED = int(os.environ.get("EASYMODEL_SEED") or random.randrange(10**6))
NODES = [(task, method) for task in TASKS for method in ("full", "lora")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("tasks"))


@pytest.fixture(scope="module")
def kernels() -> Iterator[Kernels]:
    with Kernels() as running:
        yield running


@pytest.mark.parametrize(("task", "method"), NODES)
def test_killed_anywhere_it_goes_on_as_if_it_had_not_been(
    tmp_path: Path, folder: Path, kernels: Kernels, task: str, method: str
):
    document = workflow(folder, task, method).dump()
    usual = kernels.live(tmp_path / "whole", workflows=[document])
    (reference,) = all_runs(tmp_path / "whole")
    whole = story(reference)
    dice = random.Random(f"{SEED}-{task}-{method}")

    def death() -> Death:
        """Before any of the things it does to files, or at any time."""
        if dice.random() < 0.6:
            return {"call": dice.randint(1, usual.calls)}
        return {"seconds": dice.uniform(0.0, usual.seconds)}

    wanted = -(-KILLS // len(NODES))
    kills = runs = unborn = again = twice = 0
    for number in count():
        if kills >= wanted:
            break
        home = tmp_path / str(number)
        waits = number % 3 == 2  # behind another run
        order = [document] * (2 if waits else 1)
        kills += kernels.live(home, workflows=order, death=death()).killed
        cut = interrupted(home)
        died = to_the_end(kernels, home, [death()] if number % 2 else [])
        kills, again = kills + died, again + died
        found = all_runs(home)
        unborn += len(order) - len(found)  # killed before it was said to be queued
        for run in found:
            assert run.status == "finished", (SEED, number)
            assert_same(run, whole)
            assert_numbered(run)
            assert not list((run.folder / "checkpoints").glob("part-*"))
            assert not list(run.folder.glob("*.part"))
            twice += repeated(run)
        runs += len(cut)
        shutil.rmtree(home, ignore_errors=True)  # there is none where it died at once
    keep(
        "runs-killed",
        {
            "task": task,
            "method": method,
            "seed": SEED,
            "kills": kills,
            "of_them_in_a_resumed_attempt": again,
            "runs_interrupted_and_resumed": runs,
            "not_yet_queued": unborn,
            "steps_trained_again": twice,
            "lost": 0,
        },
    )
