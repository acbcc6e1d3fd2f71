"""The trash: projects that were deleted, until they are restored or thrown away for good."""

import contextlib
from dataclasses import dataclass

from easymodel_nb.errors import StudioError, problem_error
from easymodel_nb.runlog.events import now
from easymodel_nb.store.locks import PathLock
from easymodel_nb.store.records import Records, move
from easymodel_nb.store.two_slot import slot_paths


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

    def items(self) -> list[Deleted]:
        """What is in it, the last deleted first."""
        found = []
        for project_id, stamp in self._trash.stamps().items():
            with contextlib.suppress(StudioError):
                raw = self._trash.raw(project_id, stamp)
                found.append(Deleted(project_id, raw["name"], raw.get("deleted")))
        return sorted(found, key=lambda item: (item.deleted or "", item.id), reverse=True)

    def put(self, project_id: str) -> None:
        """Move a project to the trash."""
        with self._lock.held():
            raw = self._projects.read(project_id)
            self._projects.write(project_id, {**raw, "deleted": now()})
            move(project_id, self._projects, self._trash)

    def take(self, project_id: str) -> None:
        """Move a project back to where it was."""
        with self._lock.held():
            if project_id not in self._trash.stamps():
                raise problem_error("project.missing", f"No project {project_id!r} in the trash.")
            raw = dict(self._trash.read(project_id))
            raw.pop("deleted", None)
            move(project_id, self._trash, self._projects)
            self._projects.write(project_id, raw)

    def empty(self, ids: list[str] | None = None) -> list[str]:
        """Throw projects away for good, all of them when none are named; answers which."""
        with self._lock.held():
            there = self._trash.stamps()
            gone = [project_id for project_id in there if ids is None or project_id in ids]
            for project_id in gone:
                for path in slot_paths(self._trash.folder / project_id):
                    path.unlink(missing_ok=True)
        return gone
