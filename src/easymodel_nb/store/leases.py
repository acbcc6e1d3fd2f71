"""Who has a project open: one small file a project, so that a second notebook is noticed.

`HOME/open/<project>.json` names the process that edits the project. It counts while that
process exists, on the same host and boot exactly, seen from elsewhere while its beat goes
on (`runlog/owners.py`): what a dead process left behind never keeps anyone out. Leases guard
against surprise, not against loss; that is the revisions' task, with or without them.
"""

import os
import secrets
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from easymodel_nb import environment
from easymodel_nb.runlog.events import now
from easymodel_nb.runlog.owners import Pulse
from easymodel_nb.store.locks import PathLock


class Owner(BaseModel):
    """One process, told from every other; `title` is what the user knows it by."""

    pid: int
    pid_started: float
    host: str
    boot_id: str
    title: str = ""

    def is_same_process(self, other: "Owner") -> bool:
        """Whether both are the same process."""
        return (self.pid, self.host, self.boot_id) == (other.pid, other.host, other.boot_id) and (
            abs(self.pid_started - other.pid_started) < 2.0  # noqa: PLR2004  a clock's grain
        )


class Lease(Owner):
    """What the file says."""

    project_id: str
    session: str  # one studio of that process
    since: str
    beat: str


def this_process(title: str = "") -> Owner:
    """The owner that this process is."""
    pid = os.getpid()
    return Owner(
        pid=pid,
        pid_started=environment.process_started(pid) or 0.0,
        host=environment.hostname(),
        boot_id=environment.boot_id(),
        title=title,
    )


class Leases:
    """The leases of a home as one studio takes and sees them."""

    def __init__(self, home: Path, lock: PathLock, owner: Owner) -> None:
        self._folder, self._lock, self._owner = home / "open", lock, owner
        self.session = secrets.token_hex(8)
        self._pulses: dict[str, tuple[str, Pulse]] = {}  # by project, of the session seen there

    def other(self, project_id: str) -> Lease | None:
        """The living lease of another process, or None."""
        lease = self._read(project_id)
        if lease is None or lease.is_same_process(self._owner):
            return None
        known = self._pulses.get(project_id)
        if known is None or known[0] != lease.session:
            known = self._pulses[project_id] = (lease.session, Pulse())
        return lease if known[1].alive(lease) else None

    def is_taken(self, project_id: str) -> bool:
        """Whether this process has it, in this studio or in a newer one."""
        lease = self._read(project_id)
        return lease is not None and lease.is_same_process(self._owner)

    def is_mine(self, project_id: str) -> bool:
        """Whether this very studio has it."""
        lease = self._read(project_id)
        return lease is not None and lease.session == self.session

    def take(self, project_id: str, *, over: bool = False) -> Lease | None:
        """Take the project, or answer who has it; `over` takes it from whoever has.

        A newer studio of the same process takes it from the older one without a question.
        """
        with self._lock.held():
            holder = None if over else self.other(project_id)
            if holder is None:
                moment = now()
                self._write(project_id, since=moment, beat=moment)
            return holder

    def beat(self, project_id: str) -> None:
        """Say, for those on other machines, that this process lives."""
        with self._lock.held():
            lease = self._read(project_id)
            if lease is not None and lease.session == self.session:
                self._write(project_id, since=lease.since, beat=now())

    def release(self, project_id: str) -> None:
        """Let go of the project, where it is this studio's."""
        with self._lock.held():
            if self.is_mine(project_id):
                self._path(project_id).unlink(missing_ok=True)

    def _path(self, project_id: str) -> Path:
        return self._folder / f"{project_id}.json"

    def _read(self, project_id: str) -> Lease | None:
        try:
            return Lease.model_validate_json(self._path(project_id).read_bytes())
        except (OSError, ValueError):
            return None

    def _write(self, project_id: str, **moments: Any) -> None:
        lease = Lease(
            **self._owner.model_dump(), project_id=project_id, session=self.session, **moments
        )
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = self._folder / f".{project_id}-{os.getpid()}.tmp"
        temporary.write_text(lease.model_dump_json(), encoding="utf-8")
        temporary.replace(self._path(project_id))
