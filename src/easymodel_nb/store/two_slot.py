"""A TinyDB storage that survives a kill at any byte: two files, written in turn.

`STEM.a.json` and `STEM.b.json` each hold the whole database as any TinyDB would
write it, and a table `_slot` with a revision and a checksum over all the rest.
A write goes to the slot that is not the newest, so a torn one hurts only what was
already replaced; a read takes the highest revision whose checksum holds. A slot that is
new gets its name only when it is whole, so that what was never finished was never there.
"""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tinydb.storages import Storage

Tables = dict[str, dict[str, Any]]
UNFINISHED = ".unfinished"  # the ending of a new slot before it is whole
_SLOT = "_slot"
_SEALED = re.compile(rb'"sha256":\s*"[^"]*"\s*}\s*}\s*}\s*$')


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


class Slots(NamedTuple):
    """What lies at a stem: the newest trustworthy slot, and those that are none."""

    best: Slot | None
    torn: list[Path]  # a write that was cut off
    altered: list[Path]  # whole, but not as it was written
    unreadable: list[OSError]  # the disk does not say what is in it

    @property
    def bad(self) -> list[Path]:
        """The files that hold nothing to go by."""
        return self.torn + self.altered


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
        return parse(path, path.read_bytes())
    except OSError:
        return None


def parse(path: Path, content: bytes) -> Slot | None:
    """The slot that these bytes are, or None."""
    try:
        raw = json.loads(content)
        seal = raw[_SLOT]["1"]
        rev, sha256 = seal["rev"], seal["sha256"]
        if type(rev) is not int or checksum(raw) != sha256:
            return None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return Slot(rev, path, {name: table for name, table in raw.items() if name != _SLOT})


def look(stem: Path) -> Slots:
    """What lies at a stem."""
    found = Slots(None, [], [], [])
    for path in slot_paths(stem):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            found.unreadable.append(error)
            continue
        slot = parse(path, content)
        if slot is None:
            (found.altered if _has_end(content) else found.torn).append(path)
        elif found.best is None or slot.rev > found.best.rev:
            found = found._replace(best=slot)
    return found


def _has_end(content: bytes) -> bool:
    """Whether nothing was cut off: it is JSON, or ends as a slot does, with its seal."""
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return _SEALED.search(content) is not None
    return True


def newest(stem: Path) -> Slot | None:
    """The newest trustworthy slot; None when nothing was ever written.

    Raises
    ------
    Damaged
        When there are slots and none can be trusted.
    OSError
        When the disk does not let them be read.

    """
    found = look(stem)
    if found.best is None and found.unreadable:
        raise found.unreadable[0]
    if found.best is None and found.bad:
        raise Damaged(found.bad)
    return found.best


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
        found = look(self._stem)
        if found.unreadable:  # it may hold the newest
            raise found.unreadable[0]
        if found.best is None and found.bad:
            raise Damaged(found.bad)
        current = found.best
        first, second = slot_paths(self._stem)
        target = second if current and current.path == first else first
        seal = {"rev": current.rev + 1 if current else 1, "sha256": checksum(data)}
        # One write of ready bytes: what cannot be JSON fails before the file is touched.
        content = json.dumps({**data, _SLOT: {"1": seal}}, allow_nan=False).encode("ascii")
        if target.exists():
            _put(target, content)
        else:
            make(target, content)


def make(path: Path, content: bytes) -> None:
    """A new file that is there whole, or not at all."""
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        _put(unfinished, content)
        unfinished.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise
    _sync_folder(path.parent)


def _put(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    # A new file's name is on disk only when its folder is; Windows cannot open folders.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
