"""A TinyDB storage that survives a kill at any byte: two files, written in turn.

`STEM.a.json` and `STEM.b.json` each hold the whole database as any TinyDB would
write it, and a table `_slot` with a revision and a checksum over all the rest.
A write goes to the slot that is not the newest, so a torn one hurts only what was
already replaced; a read takes the highest revision whose checksum holds.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tinydb.storages import Storage

Tables = dict[str, dict[str, Any]]
_SLOT = "_slot"


class Damaged(Exception):  # noqa: N818  named for what was found
    """There are slots, and none of them can be trusted."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths
        super().__init__(", ".join(path.name for path in paths))


class Slot(NamedTuple):
    """The content of one trustworthy slot."""

    rev: int
    path: Path
    tables: Tables


def slot_paths(stem: Path) -> tuple[Path, Path]:
    """The two files of a stem."""
    return stem.with_name(f"{stem.name}.a.json"), stem.with_name(f"{stem.name}.b.json")


def checksum(tables: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical JSON of everything but `_slot`."""
    content = {name: table for name, table in tables.items() if name != _SLOT}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def read_slot(path: Path) -> Slot | None:
    """One slot, or None when it is absent, torn or tampered with."""
    try:
        raw = json.loads(path.read_bytes())
        seal = raw[_SLOT]["1"]
        rev, sha256 = seal["rev"], seal["sha256"]
        if not isinstance(rev, int) or checksum(raw) != sha256:
            return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return Slot(rev, path, {name: table for name, table in raw.items() if name != _SLOT})


def newest(stem: Path) -> Slot | None:
    """The newest trustworthy slot; None when nothing was ever written.

    Raises
    ------
    Damaged
        When there are slots and none can be trusted.

    """
    slots = [slot for path in slot_paths(stem) if (slot := read_slot(path))]
    if slots:
        return max(slots, key=lambda slot: slot.rev)
    if present := [path for path in slot_paths(stem) if path.exists()]:
        raise Damaged(present)
    return None


class TwoSlotStorage(Storage):
    """The storage; whoever writes must hold the lock of the store."""

    def __init__(self, stem: Path) -> None:
        self._stem = stem

    def read(self) -> Tables | None:
        """The tables of the newest slot."""
        slot = newest(self._stem)
        return slot.tables if slot else None

    def write(self, data: Mapping[str, Mapping[str, Any]]) -> None:
        """Write the tables to the slot that is not the newest, down to the disk."""
        current = newest(self._stem)
        first, second = slot_paths(self._stem)
        target = second if current and current.path == first else first
        seal = {"rev": current.rev + 1 if current else 1, "sha256": checksum(data)}
        # One write of ready bytes: what cannot be JSON fails before the file is touched.
        content = json.dumps({**data, _SLOT: {"1": seal}}, allow_nan=False).encode("ascii")
        is_new = not target.exists()
        with target.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    # A new file's name is on disk only when its folder is; Windows cannot open folders.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
