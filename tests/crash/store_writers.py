"""Threads and processes that edit the projects of one home at the same time.

`store_writers.py HOME NAME EDITS THREADS [nolocks]`: each thread adds notes to projects, each note
once, by what a studio does: read, edit, save from the revision that was read, and again where
that meets somebody else's. Printed: the notes that were acknowledged, and how many conflicts.
"""

import errno
import json
import random
import sys
import threading
from pathlib import Path
from typing import Any

from easymodel_nb.store.locks import lock_at
from easymodel_nb.store.projects import Conflict, ProjectStore
from easymodel_nb.workflow.document import Node


class Refusing:
    """A file lock of a file system that has none."""

    def acquire(self, timeout: float | None = None) -> None:  # noqa: ARG002  filelock's
        raise OSError(errno.ENOLCK, "No locks available")


def edit(home: Path, name: str, edits: int, told: dict[str, Any]) -> None:
    """Add that many notes."""
    store, chance = ProjectStore(home), random.Random(name)
    for number in range(edits):
        project_id = chance.choice([info.id for info in store.list_projects()])
        note = f"{name}-{number}"
        while True:
            found = store.load(project_id)
            node = Node(id=note, type="note", data={"text": note})
            changed = found.workflow.model_copy(update={"nodes": [*found.workflow.nodes, node]})
            try:
                store.save(project_id, changed, found.revision)
            except Conflict as conflict:
                told["conflicts"] += 1
                ids = [node["id"] for node in conflict.document["nodes"]]
                assert note not in ids, "refused, and yet there"
                continue
            told["notes"].setdefault(project_id, []).append(note)
            break
        if chance.random() < 0.2:
            store.settings.remember(**{f"by {name}": number})
        if chance.random() < 0.1:
            store.rename(project_id, f"{name} {number}")


def run(home: Path, name: str, edits: int, threads: int) -> dict[str, Any]:
    """All threads of one process."""
    told = [{"notes": {}, "conflicts": 0, "errors": []} for _ in range(threads)]

    def work(number: int) -> None:
        try:
            edit(home, f"{name}{number}", edits, told[number])
        except Exception as error:  # noqa: BLE001  told to the test
            told[number]["errors"].append(f"{type(error).__name__}: {error}")

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    notes: dict[str, list[str]] = {}
    for one in told:
        for project_id, made in one["notes"].items():
            notes.setdefault(project_id, []).extend(made)
    return {
        "notes": notes,
        "conflicts": sum(one["conflicts"] for one in told),
        "errors": [error for one in told for error in one["errors"]],
    }


def without_locks(home: Path) -> None:
    """As on a file system that has none."""
    lock_at(home / ".store.lock")._processes = Refusing()  # type: ignore[assignment]


if __name__ == "__main__":
    folder, who, count, many, *more = sys.argv[1:]
    if "nolocks" in more:
        without_locks(Path(folder))
    sys.stdout.write(json.dumps(run(Path(folder), who, int(count), int(many))))
