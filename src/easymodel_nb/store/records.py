"""The records of one folder, each in its two slots; parsed again only when a file changed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from easymodel_nb import refusals
from easymodel_nb.errors import problem_error
from easymodel_nb.store import record
from easymodel_nb.store.locks import PathLock
from easymodel_nb.store.shelf import shelf_at
from easymodel_nb.store.two_slot import Damaged

TABLE = "project"


class Records:
    """The projects in one folder of a home, by id."""

    def __init__(self, folder: Path, lock: PathLock) -> None:
        self.folder = folder
        self._shelf, self._lock = shelf_at(folder.parent), lock
        self._seen: dict[str, tuple[record.Stamp, dict[str, Any]]] = {}

    def stamps(self) -> dict[str, record.Stamp]:
        """Each record's id and what changes when it is written."""
        return self._shelf.stamps(self.folder)

    def raw(
        self, record_id: str, stamp: record.Stamp | None = None, *, wait: bool = True
    ) -> dict[str, Any]:
        """One record, for reading only; `stamp` is that of a look just now.

        While somebody writes, and the disk is slow, it is what it was before: nothing more is
        acknowledged by then. One that is not known yet is waited for, or taken from the disk as
        it lies there.

        Raises
        ------
        StudioError
            When it is not there, or is damaged: then its files are set aside.

        """
        known = self._seen.get(record_id)
        if known and known[0] == (stamp or self._shelf.stamp(self.folder / record_id)):
            return known[1]
        with self._lock.held_soon() as held:
            if held:
                return self._read_anew(record_id)
        if known:
            return known[1]
        if not wait and (found := self._shelf.peek(self.folder / record_id, TABLE)) is not None:
            return found
        with self._lock.held():
            return self._read_anew(record_id)

    def _read_anew(self, record_id: str) -> dict[str, Any]:
        raw, now = self.read(record_id), self._shelf.stamp(self.folder / record_id)
        self._seen[record_id] = (now, raw)
        return raw

    def read(self, record_id: str) -> dict[str, Any]:
        """One record from the disk, whatever is known; the caller holds the lock."""
        try:
            known = _is_name(record_id) and self.there(record_id)
            raw = self._shelf.read(self.folder / record_id, TABLE) if known else None
        except Damaged as damage:
            names = " and ".join(path.name for path in damage.paths)
            raise problem_error(
                "store.damaged",
                f"This project cannot be read: no whole revision in {names}. Set aside in "
                f"{self.folder} with the ending .damaged.",
            ) from None
        except OSError as error:
            raise problem_error(
                "store.unreadable", f"This project cannot be read: {refusals.in_words(error)}"
            ) from None
        if raw is None:
            raise problem_error("project.missing", f"There is no project {record_id!r}.")
        return raw

    def there(self, record_id: str) -> bool:
        """Whether there is a record of that id, readable or not."""
        return self._shelf.there(self.folder / record_id)

    def write(
        self, record_id: str, raw: dict[str, Any], *, first: Callable[[], None] = lambda: None
    ) -> None:
        """Put the record in place of the one that was there; the caller holds the lock."""
        self._shelf.write(self.folder / record_id, TABLE, raw, first=first)
        self._seen[record_id] = (self._shelf.stamp(self.folder / record_id), raw)

    def remove(self, record_id: str) -> None:
        """Take the record away; the caller holds the lock."""
        self._shelf.remove(self.folder / record_id, TABLE)
        self._seen.pop(record_id, None)


def _is_name(text: str) -> bool:
    """Whether it can only mean a file of the folder itself."""
    return bool(text) and not set(text) & set("./\\:")
