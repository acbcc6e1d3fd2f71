"""Real disks that refuse: full, read-only, not ours. Nothing is lost, and the sentence is told."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import store_life

from easymodel_nb.store.projects import ProjectStore

HERE = Path(__file__).parent
NOBODY = 65534


class Process:
    """A worker on a home."""

    def __init__(self, home: Path, *more: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "disk_worker.py"), str(home), *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.answer() == "ready"

    def answer(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def do(self, command: str, argument: str = "") -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command} {argument}\n")
        self.process.stdin.flush()
        return self.answer()

    def end(self) -> None:
        self.process.communicate(timeout=60)


def mounted(place: Path, options: str) -> None:
    place.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of a few pages."""
    place = tmp_path / "Übung 1 (家)"
    mounted(place, "size=128k,mode=777")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def worked_on(worker: Process, says: str) -> dict[str, Any]:
    """Changes while the disk refuses; answers what the user sees."""
    assert worker.do("edit", "while it refuses") == 3
    worker.do("create", "Made meanwhile")
    worker.do("delete", "Old")
    assert says in worker.do("problem")
    assert worker.do("keep") is False
    seen: dict[str, Any] = worker.do("seen")
    assert sorted(name for name, _ in seen["live"].values()) == ["First model", "Made meanwhile"]
    assert list(seen["trash"].values()) == ["Old"]
    assert "while it refuses" in [text for _, text in seen["live"].values()]
    return seen


def saved_after_all(worker: Process, home: Path, seen: dict[str, Any]) -> None:
    assert worker.do("keep") is True
    assert worker.do("problem") is None
    worker.end()
    assert store_life.state(home) == seen


def test_a_disk_that_is_really_full(small_disk: Path):
    home = small_disk / "home"
    worker = Process(home)
    worker.do("create", "Old")
    assert worker.do("edit", "before") == 2
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 512):
            pass
    assert os.statvfs(small_disk).f_bfree == 0
    seen = worked_on(worker, "is full")
    assert "is full" in worker.do("run")
    filler.unlink()
    saved_after_all(worker, home, seen)


def test_a_disk_that_becomes_read_only(small_disk: Path):
    home = small_disk / "home"
    worker = Process(home)
    worker.do("create", "Old")
    worker.do("edit", "before")
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    subprocess.run(remount, check=True)
    before = {p.name: p.read_bytes() for p in home.rglob("*.json")}
    seen = worked_on(worker, "can only be read")
    assert "can only be read" in worker.do("run")
    other = Process(home)  # a new kernel opens what is there, and may go on in memory too
    assert other.do("seen")["live"][ProjectStore(home).list_projects()[0].id]
    assert other.do("edit", "of another kernel") == 3
    other.end()
    assert {p.name: p.read_bytes() for p in home.rglob("*.json")} == before
    subprocess.run([*remount[:2], "remount,rw", str(small_disk)], check=True)
    saved_after_all(worker, home, seen)


def test_files_that_may_not_grow(tmp_path: Path):
    """The same without a file system of one's own: every write of a byte is refused."""
    home = tmp_path / "home"
    worker = Process(home)
    worker.do("create", "Old")
    worker.do("edit", "before")
    worker.do("limit", "100")  # of each slot, 100 bytes are written before the refusal
    seen = worked_on(worker, "is full")
    worker.do("limit", "0")
    saved_after_all(worker, home, seen)


def test_a_home_of_somebody_else(tmp_path: Path):
    """As another user where this is root, who may do anything."""
    home = tmp_path / "home"
    root = os.geteuid() == 0
    first = Process(home)
    first.do("create", "Old")
    first.do("edit", "before")
    first.end()
    folders = [home, home / "projects", home / "trash"]
    files = [path for path in home.rglob("*") if path.is_file()]
    (home / "trash").mkdir(exist_ok=True)
    if root:
        for parent in [*tmp_path.parents, tmp_path]:
            if parent.stat().st_uid == 0 and str(parent).startswith("/tmp/"):
                parent.chmod(0o755)
    else:
        for path in folders:
            path.chmod(0o555)
        for path in files:
            path.chmod(0o444)
    before = {path: path.read_bytes() for path in files}
    worker = Process(home, *([str(NOBODY)] if root else []))
    seen = worked_on(worker, "no permission")
    assert "no permission" in worker.do("run")
    assert {path: path.read_bytes() for path in files} == before
    for path in folders:
        path.chmod(0o777)
    for path in files:
        path.chmod(0o666)
    saved_after_all(worker, home, seen)
