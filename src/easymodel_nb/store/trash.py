"""The trash: projects that were deleted, until they are restored or thrown away for good.

What a record says of itself decides: one that says when it was deleted is in the trash, wherever
it lies. Deleting writes that, which is one write and so done or not done; only then the record is
moved, and a move that was cut off is finished at the next look.
"""

import contextlib
from dataclasses import dataclass
from typing import Any

from easymodel_nb.errors import StudioError, problem_error
from easymodel_nb.runlog.events import now
from easymodel_nb.store.locks import PathLock
from easymodel_nb.store.records import Records
from easymodel_nb.workflow.document import refuse_newer

_DELETED = "deleted"


@dataclass(frozen=True)
class Deleted:
    """One project in the trash."""

    id: str
    name: str
    deleted: str | None  # ISO time; None where an older version deleted it


class Trash:
    """What was deleted from `projects`, as it was."""

    def __init__(self, projects: Records, trash: Records, lock: PathLock) -> None:
        self._projects, self._trash, self._lock = projects, trash, lock

    def ids(self) -> list[str]:
        """The ids of what is in it."""
        return list(self._trash.stamps())

    def items(self) -> list[Deleted]:
        """What is in it, the last deleted first."""
        found = []
        live = self._projects.stamps()
        for project_id, stamp in self._trash.stamps().items():
            with contextlib.suppress(StudioError):
                raw = self._trash.raw(project_id, stamp, wait=False)
                if project_id in live and not self._settled(project_id):
                    continue
                found.append(Deleted(project_id, raw["name"], raw.get(_DELETED)))
        return sorted(found, key=lambda item: (item.deleted or "", item.id), reverse=True)

    def _settled(self, project_id: str) -> bool:
        """Whether it is in the trash by now; no, while it is being moved."""
        with self._lock.held_soon() as held:
            return held and self.settle(project_id)

    @staticmethod
    def holds(raw: dict[str, Any]) -> bool:
        """Whether this record of `projects` was deleted."""
        return _DELETED in raw

    def settle(self, project_id: str) -> bool:
        """Finish what was cut off between both folders; answers whether it is in the trash."""
        with self._lock.held():
            if not self._projects.there(project_id):
                return self._trash.there(project_id)
            raw = self._projects.read(project_id)
            if not self.holds(raw):
                self._trash.remove(project_id)  # it was restored
                return False
            self._trash.write(project_id, raw)
            self._projects.remove(project_id)
            return True

    def put(self, project_id: str) -> None:
        """Move a project to the trash."""
        with self._lock.held():
            raw = self._projects.read(project_id)
            refuse_newer(raw["workflow"])
            self._projects.write(project_id, {**raw, _DELETED: now()})
            self.settle(project_id)

    def take(self, project_id: str) -> None:
        """Move a project back to where it was."""
        with self._lock.held():
            if project_id not in self._trash.stamps():
                raise problem_error("project.missing", f"No project {project_id!r} in the trash.")
            raw = dict(self._trash.read(project_id))
            refuse_newer(raw["workflow"])
            raw.pop(_DELETED, None)
            self._projects.write(project_id, raw)
            self._trash.remove(project_id)

    def empty(self, ids: list[str] | None = None) -> list[str]:
        """Throw projects away for good, all of them when none are named; answers which."""
        with self._lock.held():
            there = self._trash.stamps()
            gone = [project_id for project_id in there if ids is None or project_id in ids]
            for project_id in gone:
                self._trash.remove(project_id)
        return gone
