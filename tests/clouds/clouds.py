"""A synced folder as bad as Drive, and machines that use it, for tests of the mirror.

Each machine sees its own writes at once and everybody else's late, in any order, at first torn,
sometimes under another name ("x (1).json"). Any operation may fail, or end the process.
"""

import errno
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from easymodel_nb.runlog.log import RunLog, new_run, runs_folder
from easymodel_nb.store.mirror.arriving import Arrivals
from easymodel_nb.store.mirror.contents import Home
from easymodel_nb.store.mirror.copying import Stopped
from easymodel_nb.store.mirror.looking import look
from easymodel_nb.store.mirror.memory import keep, load
from easymodel_nb.store.mirror.runs_back import RunArrivals
from easymodel_nb.store.mirror.saving import Saver
from easymodel_nb.store.projects import ProjectStore
from easymodel_nb.workflow.document import Node, Position, Workflow


class Killed(BaseException):
    """The process ended at this operation."""


class Cloud:
    """What has been uploaded."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}


class FaultyFolder:
    """One machine's view of the cloud."""

    place = "Drive"

    def __init__(self, cloud: Cloud, random: Random, *, faults: float = 0.0) -> None:
        self.cloud, self.random, self.faults = cloud, random, faults
        self.seen: dict[str, bytes] = {}
        self.uploads: list[tuple[str, bytes | None]] = []
        self.kill_after: int | None = None

    # ------------------------------------------------------------ what the cloud does

    def sync(self, share: float = 1.0) -> None:
        """Upload and download some of what there is, in any order; 1 is all of it."""
        self.random.shuffle(self.uploads)
        count = round(len(self.uploads) * share)
        now, self.uploads = self.uploads[:count], self.uploads[count:]
        for path, content in now:
            if content is None:
                self.cloud.files.pop(path, None)
            else:
                self.cloud.files[path] = content
        own = {path for path, _ in self.uploads}
        for path in sorted(set(self.cloud.files) | set(self.seen)):
            if path in own or self.random.random() > share:
                continue
            content = self.cloud.files.get(path)
            if content is None:
                self.seen.pop(path, None)
            elif share < 1 and path not in self.seen and self.random.random() < 0.3:
                self.seen[path] = content[: self.random.randrange(len(content) + 1)]  # torn
            elif share < 1 and path.endswith(".json") and self.random.random() < 0.1:
                self.seen[path.replace(".json", " (1).json")] = content
            else:
                self.seen[path] = content

    def _trouble(self) -> None:
        if self.kill_after is not None:
            self.kill_after -= 1
            if self.kill_after <= 0:
                raise Killed
        if self.random.random() < self.faults:
            code = self.random.choice([errno.EIO, errno.ENOSPC, errno.ENOTCONN, errno.EACCES])
            raise OSError(code, "the cloud has a bad moment")

    # ------------------------------------------------------------ Synced

    def names(self, path: str) -> list[str]:
        """What is in a folder."""
        self._trouble()
        start = f"{path}/" if path else ""
        return sorted(
            {name[len(start) :].split("/")[0] for name in self.seen if name.startswith(start)}
        )

    def size(self, path: str) -> int | None:
        """A file's bytes."""
        self._trouble()
        return len(self.seen[path]) if path in self.seen else None

    def read(self, path: str) -> Iterator[bytes]:
        """A file's content."""
        self._trouble()
        if path not in self.seen:
            raise FileNotFoundError(errno.ENOENT, "not there", path)
        content = self.seen[path]
        if self.random.random() < self.faults:
            content = content[: len(content) // 2]  # a stale read
        yield content

    def create(self, path: str, parts: Iterable[bytes]) -> None:
        """Write a file."""
        content = b""
        for part in parts:
            content += part
            try:
                self._trouble()
            except BaseException:
                self._put(path, content[: self.random.randrange(len(content) + 1)])
                raise
        if self.random.random() < self.faults:
            content = content[: self.random.randrange(len(content) + 1)]  # cut off without a word
        self._put(path, content)

    def _put(self, path: str, content: bytes | None) -> None:
        if content is None:
            self.seen.pop(path, None)
        else:
            self.seen[path] = content
        self.uploads.append((path, content))

    def rename(self, old: str, new: str) -> None:
        """Give a file its name."""
        self._trouble()
        content = self.seen.get(old)
        if content is None:
            raise FileNotFoundError(errno.ENOENT, "not there", old)
        self._put(old, None)
        self._put(new, content)

    def remove(self, path: str) -> None:
        """Delete a file."""
        self._trouble()
        if path in self.seen:
            self._put(path, None)

    def free(self) -> int | None:
        """Nobody knows."""
        return None


class Machine:
    """A home with a mirror, driven by hand; `begin` is what `studio()` does first."""

    def __init__(self, home: Path, folder: FaultyFolder) -> None:
        self.home, self.folder = home, folder
        self.store = ProjectStore(home)
        self.begin()

    def begin(self) -> None:
        """A new process on this home."""
        self.contents, self.memory = Home(self.home), load(self.home)
        self.saver = Saver(self.home, self.contents, self.folder, self.memory)

    def look(self) -> int:
        """Bring what others have; answers how much was brought."""
        others = look(self.folder)
        projects = Arrivals(self.contents, self.folder, self.memory)
        projects.settings(others)
        projects.all(others)
        self.runs = RunArrivals(self.contents, self.folder, self.memory)
        self.runs.all(others, lambda: False)
        mine = self.memory.machine
        self.saver.elsewhere([one[0] for name, one in others.items() if name != mine])
        keep(self.home, self.memory)
        return projects.brought + self.runs.brought

    def save(self, *, check: bool = False) -> None:
        """One pass."""
        self.saver.save(lambda: False, check=check)
        keep(self.home, self.memory)

    def attempt(self, work: Any) -> bool:
        """Whether it came to its end; what the folder does wrong is what is tested."""
        try:
            work()
        except (OSError, Stopped):
            return False
        return True

    # ------------------------------------------------------------ what a user does

    def write(self, project: str, token: str) -> None:
        """Add a note to a project."""
        stored = self.store.load(project)
        document = stored.workflow
        position = Position(x=0, y=0)
        note = Node(id=f"n{token}", type="note", position=position, data={"text": token})
        changed = document.model_copy(update={"nodes": [*document.nodes, note]})
        self.store.save(project, changed, stored.revision)

    def erase(self, project: str) -> str | None:
        """Take the last note away; answers what it said."""
        stored = self.store.load(project)
        if not stored.workflow.nodes:
            return None
        *rest, last = stored.workflow.nodes
        changed = stored.workflow.model_copy(update={"nodes": rest})
        self.store.save(project, changed, stored.revision)
        return str(last.data["text"])

    def projects(self) -> list[str]:
        """The ids of the list."""
        return [info.id for info in self.store.list_projects()]

    def tokens(self) -> set[str]:
        """Every note in every project, the trash's among them, and every word of every run."""
        written = {
            str(node["data"]["text"])
            for _, raw, _ in self.contents.records()
            for node in raw["workflow"]["nodes"]
        }
        return written | {word for run in self.runs_here() for word in self.words(run)}

    def train(self, run: str | None, token: str) -> None:
        """Say a word in a run's log: a new run, or the next attempt of one that has ended."""
        folder = new_run(self.home) if run is None else runs_folder(self.home) / run
        log = RunLog(folder)
        if run is None:
            log.append("run_created", project_id="p", node_id="f1", request={"node": {"id": "f1"}})
        log.append("stage", stage="training", message=token)
        log.append("run_stopped", reason="user")

    def runs_here(self) -> list[str]:
        """The ids of the runs."""
        return self.contents.run_ids()

    def words(self, run: str) -> list[str]:
        """What was said in a run's log."""
        lines = (runs_folder(self.home) / run / "events.jsonl").read_text().splitlines()
        events = [json.loads(line) for line in lines]
        assert [event["seq"] for event in events] == list(range(len(events)))
        assert {event["run_id"] for event in events} == {run}
        return [event["message"] for event in events if event["type"] == "stage"]


def notes(*tokens: str) -> Workflow:
    """A document with these notes."""
    position = Position(x=0, y=0)
    return Workflow(
        nodes=[
            Node(id=f"n{token}", type="note", position=position, data={"text": token})
            for token in tokens
        ]
    )
