"""Threads and kernels on one home: no acknowledged change is lost, nothing is torn."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import store_writers

from easymodel_nb.store.projects import ProjectStore

HERE = Path(__file__).parent


def processes(home: Path, names: str, edits: int, threads: int) -> list[dict[str, Any]]:
    """What each process says it saved."""
    running = [
        subprocess.Popen(
            [sys.executable, str(HERE / "store_writers.py"), home, name, str(edits), str(threads)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    return [json.loads(process.communicate(timeout=600)[0]) for process in running]


def all_there(home: Path, told: list[dict[str, Any]]) -> None:
    """Each acknowledged note once, and not one more; the settings of everyone."""
    store = ProjectStore(home)
    for one in told:
        assert one["errors"] == []
    for info in store.list_projects():
        found = store.load(info.id)
        ids = [node.id for node in found.workflow.nodes]
        assert sorted(ids) == sorted(note for one in told for note in one["notes"].get(info.id, []))
        assert found.revision == len(ids) + 1
        assert found.name == found.workflow.name
    assert store.damaged() == []
    assert not list(home.rglob("*.unfinished"))


def together(home: Path, *, names: str, edits: int, threads: int) -> int:
    """Processes of threads on two projects; answers how many conflicts there were."""
    store = ProjectStore(home)
    for name in "AB":
        store.create(name)
    told = processes(home, names, edits, threads)
    all_there(home, told)
    assert sum(len(n) for one in told for n in one["notes"].values()) == (
        len(names) * edits * threads
    )
    extra = ProjectStore(home).settings.read().model_extra or {}
    assert {key.removeprefix("by ")[0] for key in extra} == set(names)
    return sum(one["conflicts"] for one in told)


def test_two_kernels_of_three_threads(home: Path):
    assert together(home, names="pq", edits=8, threads=3) > 0, "they met"


def test_threads_where_files_cannot_be_locked(home: Path):
    store_writers.without_locks(home)
    store = ProjectStore(home)
    for name in "AB":
        store.create(name)
    told = store_writers.run(home, "t", 10, 4)
    assert not store.lock.between_processes
    all_there(home, [told])


def test_kernels_in_turn_where_files_cannot_be_locked(home: Path):
    """Without locks two that write in the very same moment may meet; in turn they never do."""
    store_writers.without_locks(home)
    ProjectStore(home).create("A")
    told = []
    for turn in range(3):
        arguments = [home, f"k{turn}", "3", "1", "nolocks"]
        done = subprocess.run(
            [sys.executable, str(HERE / "store_writers.py"), *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
        told += [json.loads(done.stdout), store_writers.run(home, f"t{turn}", 3, 1)]
    all_there(home, told)
