"""Projects: list, load, create, save, rename, duplicate, reorder, delete, restore.

Every change is one transaction: take the lock, open a fresh TinyDB, read,
compare, write. A project's name lives in the project; the `name` in its document
follows it.
"""

import contextlib
import copy
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from easymodel_nb import ids
from easymodel_nb.errors import Problem, StudioError, problem_error
from easymodel_nb.runlog.events import finite
from easymodel_nb.store import backups, order, record
from easymodel_nb.store.locks import lock_at
from easymodel_nb.store.records import Records
from easymodel_nb.store.settings import SettingsFile
from easymodel_nb.store.shelf import shelf_at
from easymodel_nb.store.trash import Trash
from easymodel_nb.workflow.document import Workflow, refuse_newer


@dataclass(frozen=True)
class ProjectInfo:
    """One line of the project list."""

    id: str
    name: str


@dataclass(frozen=True)
class Project:
    """A project at a revision."""

    id: str
    name: str
    revision: int
    workflow: Workflow


class Conflict(Exception):  # noqa: N818  a state, not a mishap
    """Someone else saved meanwhile: their revision and their document."""

    def __init__(self, revision: int, document: dict[str, Any]) -> None:
        self.revision = revision
        self.document = document
        super().__init__(
            f"This project was changed elsewhere meanwhile; it is at revision {revision} now."
        )


class ProjectStore:
    """The projects of one home, and its settings."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._folder = home / "projects"
        self.lock = self._lock = lock_at(home / ".store.lock")
        self.shelf = shelf_at(home)
        self._records = Records(self._folder, self._lock)
        self.trash = Trash(self._records, Records(home / "trash", self._lock), self._lock)
        self.settings = SettingsFile(home, self._lock)
        for folder in (self._folder, home / "trash", home):
            record.sweep(folder)

    def transaction(self) -> AbstractContextManager[None]:
        """Several calls as one, with regard to other threads and processes."""
        return self._lock.held()

    # ------------------------------------------------------------ reading

    def list_projects(self) -> list[ProjectInfo]:
        """Every readable project in the user's order; what is damaged is set aside."""
        found = {}
        for project_id, stamp in self._records.stamps().items():
            with contextlib.suppress(StudioError):
                raw = self._records.raw(project_id, stamp, wait=False)
                if self.trash.holds(raw):
                    self.trash.settle(project_id)
                else:
                    found[project_id] = ProjectInfo(project_id, raw["name"])
        return [found[one] for one in order.arranged(found, self.settings.read().order)]

    def load(self, project_id: str) -> Project:
        """One project.

        Raises
        ------
        StudioError
            When it is not there, is damaged, or comes from a newer version.

        """
        raw = self._records.raw(project_id)
        if self.trash.holds(raw):
            raise problem_error("project.missing", f"There is no project {project_id!r}.")
        return _project(raw)

    def stamp(self, project_id: str) -> record.Stamp:
        """What changes when anyone writes the project."""
        return self.shelf.stamp(self._folder / project_id)

    def damaged(self) -> list[Problem]:
        """A note for each file that could not be read, or not be trusted and was set aside."""
        return self.shelf.notices() + [
            Problem(
                code="store.damaged",
                severity="note",
                message="A file was changed or damaged outside EasyModel and was set aside as "
                f"{path}. Repair it, or delete it to be rid of this message.",
            )
            for folder in (self._folder, self.home)
            for path in record.set_aside_in(folder)
        ]

    def free_name(self, wanted: str) -> str:
        """`wanted`, or with the first number that makes it unlike every other name."""
        taken = {info.name for info in self.list_projects()}
        names = (wanted, *(f"{wanted} {number}" for number in range(2, len(taken) + 3)))
        return next(name for name in names if name not in taken)

    # ------------------------------------------------------------ changing

    def create(self, name: str, workflow: Workflow | None = None) -> Project:
        """A new project, on top of the list."""
        name = _clean(name)
        with self._lock.held():
            project_id = ids.next_id([*self._records.stamps(), *self.trash.ids()])
            raw = {
                "id": project_id,
                "name": name,
                "workflow": _named(workflow or Workflow(), name),
                "revision": 1,
            }
            self._records.write(project_id, raw)
        return _project(raw)

    def save(self, project_id: str, workflow: Workflow, base_revision: int) -> Project:
        """Save a document that was made from `base_revision`.

        Saving again what is stored already is no conflict, so that a commit whose
        answer was lost can be sent again.

        Raises
        ------
        Conflict
            When someone else saved meanwhile; nothing is written.
        StudioError
            When there is no such project.

        """
        with self._changed(project_id) as raw:
            stored = _project(raw)
            document = _named(workflow, raw["name"])
            if document == stored.workflow.dump():
                return stored
            if raw["revision"] != base_revision:
                raise Conflict(raw["revision"], stored.workflow.dump())
            raw.update(workflow=document, revision=raw["revision"] + 1)
        return _project(raw)

    def rename(self, project_id: str, name: str) -> Project:
        """Give a project another name; its document's revision stays."""
        with self._changed(project_id) as raw:
            raw["name"] = _clean(name)
            raw["workflow"] = {**raw["workflow"], "name": raw["name"]}
        return _project(raw)

    def duplicate(self, project_id: str) -> Project:
        """A copy under a new id, below its original; it starts without runs."""
        with self._lock.held():
            original = self.load(project_id)
            copied = self.create(self.free_name(f"{original.name} copy"), original.workflow)
            shown = [info.id for info in self.list_projects() if info.id != copied.id]
            below = shown[shown.index(project_id) + 1 :]
            self.move(copied.id, below[0] if below else None)
        return copied

    def move(self, project_id: str, before: str | None) -> None:
        """Put a project before another one in the list, or (None) at its end."""
        with self._lock.held():
            shown = [info.id for info in self.list_projects()]
            for named in {project_id, before} - {None}:
                if named not in shown:
                    raise problem_error("project.missing", f"There is no project {named!r}.")
            if project_id != before:
                known = self.settings.read().order
                self.settings.remember(order=order.moved(shown, known, project_id, before))

    def delete(self, project_id: str) -> None:
        """Move a project to the trash."""
        self.trash.put(project_id)

    def restore(self, project_id: str) -> Project:
        """Take a project out of the trash, back to its place in the list."""
        self.trash.take(project_id)
        return self.load(project_id)

    # ------------------------------------------------------------ inside

    @contextmanager
    def _changed(self, project_id: str) -> Iterator[dict[str, Any]]:
        """Read-compare-write: the record, written back when the block changed it."""
        with self._lock.held():
            before = self._records.read(project_id)
            if self.trash.holds(before):
                raise problem_error("project.missing", f"There is no project {project_id!r}.")
            refuse_newer(before["workflow"])
            raw = dict(before)
            yield raw
            if raw != before:
                keep = backups.before_migrating(self._folder / project_id, before, raw)
                self._records.write(project_id, raw, first=keep)


def _project(raw: dict[str, Any]) -> Project:
    # Copied, because the values inside a node's data would be shared with the cache.
    workflow = Workflow.read(copy.deepcopy(raw["workflow"]))
    return Project(raw["id"], raw["name"], raw["revision"], workflow)


def _named(workflow: Workflow, name: str) -> dict[str, Any]:
    document: dict[str, Any] = finite({**workflow.dump(), "name": name})
    return document


def _clean(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise problem_error("project.name", "A project needs a name.")
    return name[:120]
