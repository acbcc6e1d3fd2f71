"""The records of one folder, each in its two slots; parsed again only when a file changed."""

import os
from pathlib import Path
from typing import Any

from easymodel_nb.errors import problem_error
from easymodel_nb.store import record
from easymodel_nb.store.locks import PathLock
from easymodel_nb.store.two_slot import Damaged, slot_paths

TABLE = "project"
_SLOTS = (".a.json", ".b.json")


class Records:
    """The projects in one folder of a home, by id."""

    def __init__(self, folder: Path, lock: PathLock) -> None:
        self.folder = folder
        self._lock = lock
        self._seen: dict[str, tuple[record.Stamp, dict[str, Any]]] = {}

    def stamps(self) -> dict[str, record.Stamp]:
        """Each record's id and what changes when it is written: one pass over the folder."""
        found: dict[str, list[tuple[str, tuple[int, int, int]]]] = {}
        try:
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    if entry.name.endswith(_SLOTS):
                        stat = entry.stat()
                        key = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
                        found.setdefault(entry.name.split(".")[0], []).append((entry.name, key))
        except OSError:  # no folder yet, or a slot that is being moved: the next look sees it
            pass
        return {name: tuple(key for _, key in sorted(slots)) for name, slots in found.items()}

    def raw(self, record_id: str, stamp: record.Stamp | None = None) -> dict[str, Any]:
        """One record, for reading only; `stamp` is that of a look just now.

        Raises
        ------
        StudioError
            When it is not there, or is damaged: then its files are set aside.

        """
        known = self._seen.get(record_id)
        if known and known[0] == (stamp or record.stamp(self.folder / record_id)):
            return known[1]
        with self._lock.held():
            raw, now = self.read(record_id), record.stamp(self.folder / record_id)
        self._seen[record_id] = (now, raw)
        return raw

    def read(self, record_id: str) -> dict[str, Any]:
        """One record from the disk, whatever is known; the caller holds the lock."""
        try:
            known = _is_name(record_id) and self.there(record_id)
            raw = record.read(self.folder / record_id, TABLE) if known else None
        except Damaged as damage:
            record.set_aside(damage.paths)
            names = " and ".join(path.name for path in damage.paths)
            raise problem_error(
                "store.damaged",
                f"This project cannot be read: no whole revision in {names}. Set aside in "
                f"{self.folder} with the ending .damaged.",
            ) from None
        if raw is None:
            raise problem_error("project.missing", f"There is no project {record_id!r}.")
        return raw

    def there(self, record_id: str) -> bool:
        """Whether there is a record of that id, readable or not."""
        return any(path.exists() for path in slot_paths(self.folder / record_id))

    def write(self, record_id: str, raw: dict[str, Any]) -> None:
        """Put the record in place of the one that was there; the caller holds the lock."""
        record.write(self.folder / record_id, TABLE, raw)
        self._seen.pop(record_id, None)


def move(record_id: str, source: Records, target: Records) -> None:
    """Move a record's files to another folder; the caller holds the lock."""
    target.folder.mkdir(parents=True, exist_ok=True)
    for path in slot_paths(source.folder / record_id):
        if path.exists():
            path.replace(target.folder / path.name)


def _is_name(text: str) -> bool:
    """Whether it can only mean a file of the folder itself."""
    return bool(text) and not set(text) & set("./\\:")
