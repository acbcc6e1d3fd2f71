"""The one way of records to the disk, and back; what the disk refuses is kept in memory.

A disk that is full, a home that is read-only or belongs to somebody else: the record stays here,
is read from here, and is written as soon as that can be done, tried every two seconds and with
each change. Nobody above this wall has to know. What somebody else wrote meanwhile is never
overwritten: then what was held here is kept beside it.

One shelf a home and process, so that a studio that moves to another cell finds everything.
Whoever calls holds the lock of the store.
"""

import atexit
import contextlib
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from easymodel_nb import refusals
from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.store import beside, record
from easymodel_nb.store.locks import PathLock, lock_at
from easymodel_nb.store.two_slot import Damaged, Slots, look, newest, slot_paths

RETRY_SECONDS = 2.0


@dataclass
class _Held:
    """One record that waits for the disk."""

    table: str
    raw: dict[str, Any] | None  # None: it was taken away
    origin: dict[str, Any] | None  # what the disk has, as far as is known
    revision: int  # of the slot that is on the disk; 0: none
    stamp: record.Stamp


class Shelf:
    """Records by stem."""

    def __init__(self, home: Path, lock: PathLock) -> None:
        self.home, self._lock = home, lock
        self.problem: str | None = None
        self._held: dict[Path, _Held] = {}
        self._notices: dict[Path, Problem] = {}
        self._listeners: list[Callable[[], None]] = []
        self._numbers = itertools.count(1)
        self._thread: threading.Thread | None = None

    # ------------------------------------------------------------ reading

    def read(self, stem: Path, table: str) -> dict[str, Any] | None:
        """The record, or None when there is none.

        Raises
        ------
        Damaged
            When there are files and none can be trusted; then they are set aside.
        OSError
            When the disk does not let it be read.

        """
        held = self._held.get(stem)
        if held is not None:
            return None if held.raw is None else dict(held.raw)
        try:
            raw = record.read(stem, table)
        except Damaged as damage:
            record.set_aside(damage.paths)
            raise
        self._tell_of(stem, look(stem), raw or {})
        return raw

    def peek(self, stem: Path, table: str) -> dict[str, Any] | None:
        """The record as far as it is whole, without the lock: nothing is set aside or said."""
        held = self._held.get(stem)
        return _on_disk(stem, table)[0] if held is None else held.raw

    def _tell_of(self, stem: Path, found: Slots, raw: dict[str, Any]) -> None:
        """Say which of the two files was no good; the record is that of the other one."""
        what = repr(raw["name"]) if "name" in raw else "What is remembered across projects"
        if found.altered:
            # Somebody may have typed there, and the next save would write over it.
            record.set_aside(found.altered)
        for path in found.torn:
            self._notices[path] = Problem(
                code="store.torn",
                severity="note",
                message=f"{what} is shown as it was before its last save, which was cut off: "
                f"{path.name} in {path.parent} is not whole. Nothing before that is missing.",
            )
        for error in found.unreadable:
            self._notices[stem] = Problem(
                code="store.unreadable",
                severity="note",
                message=f"{what} is shown as far as it can be read: {refusals.in_words(error)}",
            )

    def notices(self) -> list[Problem]:
        """What was found while reading, for as long as this process lives."""
        return list(self._notices.values())

    def there(self, stem: Path) -> bool:
        """Whether there is a record, readable or not."""
        if stem in self._held:
            return self._held[stem].raw is not None
        return any(_exists(path) for path in slot_paths(stem))

    def stamp(self, stem: Path) -> record.Stamp:
        """What changes when the record is written."""
        held = self._held.get(stem)
        return record.stamp(stem) if held is None else held.stamp

    def stamps(self, folder: Path) -> dict[str, record.Stamp]:
        """Each record of a folder and what changes when it is written."""
        found = record.stamps(folder)
        for stem, held in list(self._held.items()):
            if stem.parent == folder:
                if held.raw is None:
                    found.pop(stem.name, None)
                else:
                    found[stem.name] = held.stamp
        return found

    # ------------------------------------------------------------ changing

    def write(
        self,
        stem: Path,
        table: str,
        raw: dict[str, Any],
        *,
        first: Callable[[], None] = lambda: None,
    ) -> None:
        """Put the record in place of the one that was there; `first` is written before it."""
        try:
            self._permit(stem)
            first()
            record.write(stem, table, raw)
        except (OSError, Damaged) as error:
            self._hold(stem, table, raw, error)
        else:
            self._notices.pop(stem, None)

    def remove(self, stem: Path, table: str) -> None:
        """Take the record away."""
        try:
            self._permit(stem)
            record.remove(stem)
        except OSError as error:
            self._hold(stem, table, None, error)

    def _permit(self, stem: Path) -> None:
        if self._lock.refused is not None:
            raise self._lock.refused
        if stem in self._held and not self.keep():
            raise self._why
        stem.parent.mkdir(parents=True, exist_ok=True)

    # ------------------------------------------------------------ in memory

    @property
    def holding(self) -> bool:
        """Whether something is in memory alone."""
        return bool(self._held)

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Be told when memory has to serve, and when it has not any more; answers how to end it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def _hold(self, stem: Path, table: str, raw: dict[str, Any] | None, error: Exception) -> None:
        known = self._held.get(stem)
        origin, revision = (known.origin, known.revision) if known else _on_disk(stem, table)
        number = next(self._numbers)
        self._held[stem] = _Held(table, raw, origin, revision, ((-1, number, 0),))
        self._refused(error)
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(
                target=self._retry, name="easymodel-keeping", daemon=True
            )
            self._thread.start()
            atexit.register(self._last_try)

    def _refused(self, error: Exception) -> None:
        self._why = error if isinstance(error, OSError) else OSError(str(error))
        self._say(refusals.kept_in_memory(self._why, self.home))

    def _say(self, problem: str | None) -> None:
        if problem != self.problem:
            self.problem = problem
            for listener in list(self._listeners):
                listener()

    def keep(self) -> bool:
        """Write what waits; answers whether all is on the disk now."""
        with self._lock.held():
            if not self._held:
                return True
            if self._lock.refused is not None:
                self._refused(self._lock.refused)
                return False
            # What was moved is written at its new place before it is taken from the old one.
            for stem, held in sorted(self._held.items(), key=lambda item: item[1].raw is None):
                try:
                    self._settle(stem, held)
                except (OSError, Damaged) as error:
                    self._refused(error)
                    return False
                del self._held[stem]
        self._say(None)
        return True

    def _settle(self, stem: Path, held: _Held) -> None:
        stem.parent.mkdir(parents=True, exist_ok=True)
        slot = newest(stem)
        theirs = _record_of(slot.tables, held.table) if slot else None
        if theirs == held.raw:
            return
        if (slot.rev if slot else 0) == held.revision:
            if held.raw is None:
                record.remove(stem)
            else:
                record.write(stem, held.table, held.raw)
        elif held.raw is not None:  # somebody else wrote it meanwhile
            copy = beside.of(stem, held.table, held.raw, held.origin or {}, theirs)
            record.write(copy.stem, held.table, copy.raw)
            if copy.message:
                self._notices[copy.stem] = Problem(
                    code="store.beside", severity="note", message=copy.message
                )

    def _retry(self) -> None:
        waiting = threading.Event()
        while self._held:
            waiting.wait(RETRY_SECONDS)
            with contextlib.suppress(StudioError):  # another program is writing just now
                self.keep()

    def _last_try(self) -> None:
        with contextlib.suppress(StudioError):
            self.keep()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # it may not even be looked for
        return False


def _on_disk(stem: Path, table: str) -> tuple[dict[str, Any] | None, int]:
    best = look(stem).best
    return (_record_of(best.tables, table), best.rev) if best else (None, 0)


def _record_of(tables: dict[str, dict[str, Any]], table: str) -> dict[str, Any] | None:
    found = tables.get(table, {}).get("1")
    return found if isinstance(found, dict) else None


@cache
def shelf_at(home: Path) -> Shelf:
    """The shelf of a home, one for the whole process."""
    return Shelf(home, lock_at(home / ".store.lock"))
