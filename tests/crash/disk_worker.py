"""A process with a store on a disk that the test makes refuse: `disk_worker.py HOME [UID]`.

Each line of its input is a command, answered by a line of JSON. It changes its user after its
imports, because that user may not read this code.
"""

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import store_life

from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.log import RunLog, new_run
from easymodel_nb.store import shelf
from easymodel_nb.store.first import ensure_project
from easymodel_nb.store.projects import ProjectStore


class Worker:
    """The commands."""

    def __init__(self, home: Path) -> None:
        self.store = ProjectStore(home)
        self.project = ensure_project(self.store)

    def edit(self, text: str) -> int:
        """Save a document; answers its revision."""
        saved = self.store.save(self.project.id, store_life.noted(text), self.project.revision)
        self.project = saved
        return saved.revision

    def create(self, name: str) -> str:
        return self.store.create(name).id

    def delete(self, name: str) -> None:
        self.store.delete(next(i.id for i in self.store.list_projects() if i.name == name))

    def problem(self, _: str) -> str | None:
        return self.store.shelf.problem

    def keep(self, _: str) -> bool:
        """Try at once what is tried every two seconds."""
        return self.store.shelf.keep()

    def run(self, _: str) -> str:
        try:
            log = RunLog(new_run(self.store.home))
            log.append("run_created", project_id=None, node_id="f1", request={})
        except StudioError as error:
            return str(error)
        return log.run_id

    def limit(self, size: str) -> None:
        """No file may grow over so many bytes; 0: over none at all."""
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(size) or hard, hard))

    def seen(self, _: str) -> dict[str, Any]:
        """What the user sees."""
        return store_life.state(self.store.home)


def say(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main(home: str, uid: str = "") -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    shelf.RETRY_SECONDS = 3600.0
    if uid:
        os.setgroups([])
        os.setgid(int(uid))
        os.setuid(int(uid))
    worker = Worker(Path(home))
    say("ready")
    for line in sys.stdin:
        command, _, argument = line.rstrip("\n").partition(" ")
        say(getattr(worker, command)(argument))


if __name__ == "__main__":
    main(*sys.argv[1:])
