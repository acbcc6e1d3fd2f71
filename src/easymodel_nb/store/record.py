"""One record in a two-slot TinyDB file: open, read, watch, set aside.

Whoever reads or writes holds the lock of the store.
"""

import contextlib
import os
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tinydb import TinyDB
from tinydb.table import Document, Table

from easymodel_nb.store.two_slot import UNFINISHED, TwoSlotStorage, newest, slot_paths

_ONLY = 1  # each database holds one record
_DAMAGED = ".damaged"
_SLOTS = (".a.json", ".b.json")
_OLD_SECONDS = 60.0

Stamp = tuple[tuple[int, int, int], ...]


@contextmanager
def _open(stem: Path, table: str) -> Iterator[Table]:
    # Fresh for each transaction: a TinyDB that lives on caches ids and loses updates.
    with TinyDB(stem, storage=TwoSlotStorage) as database:
        yield database.table(table, cache_size=0)


def read(stem: Path, table: str) -> dict[str, Any] | None:
    """The record, or None when there is none; raises Damaged like the storage."""
    with _open(stem, table) as opened:
        record = opened.get(doc_id=_ONLY)
    return dict(record) if isinstance(record, dict) else None


def write(stem: Path, table: str, record: dict[str, Any]) -> None:
    """Put the record in place of the one that was there."""

    def replace(known: MutableMapping[Any, Any]) -> None:
        known.clear()
        known.update(record)

    with _open(stem, table) as opened:
        # One write, because each is a revision; and not upsert, which merges, so that a
        # key that was taken out would come back.
        if opened.contains(doc_id=_ONLY):
            opened.update(replace, doc_ids=[_ONLY])
        else:
            opened.insert(Document(record, doc_id=_ONLY))


def stamp(stem: Path) -> Stamp:
    """What changes when a slot is written: inode, time and size of each file."""
    found = []
    for path in slot_paths(stem):
        with contextlib.suppress(OSError):
            stat = path.stat()
            found.append((stat.st_ino, stat.st_mtime_ns, stat.st_size))
    return tuple(found)


def stamps(folder: Path) -> dict[str, Stamp]:
    """Each record's id and its stamp: one pass over the folder."""
    found: dict[str, list[tuple[str, tuple[int, int, int]]]] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(_SLOTS):
                    stat = entry.stat()
                    key = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
                    found.setdefault(entry.name.split(".")[0], []).append((entry.name, key))
    except OSError:  # no folder yet, or a slot that is being moved: the next look sees it
        pass
    return {name: tuple(key for _, key in sorted(slots)) for name, slots in found.items()}


def remove(stem: Path) -> None:
    """Take the record away, its older slot first: cut off in between, the newer one counts."""
    with contextlib.suppress(Exception):
        best = newest(stem)
        for path in slot_paths(stem):
            if best is not None and path != best.path:
                path.unlink(missing_ok=True)
    for path in slot_paths(stem):
        path.unlink(missing_ok=True)


def set_aside(paths: list[Path]) -> None:
    """Rename files that cannot be trusted, so that nothing overwrites them."""
    for path in paths:
        aside = path.with_name(f"{path.name}{_DAMAGED}")
        number = 2
        while aside.exists():
            aside = path.with_name(f"{path.name}.{number}{_DAMAGED}")
            number += 1
        with contextlib.suppress(OSError):  # where nothing can be renamed, nothing is overwritten
            path.replace(aside)


def set_aside_in(folder: Path) -> list[Path]:
    """The files of a folder that were set aside."""
    try:
        return sorted(path for path in folder.iterdir() if path.name.endswith(_DAMAGED))
    except OSError:
        return []


def sweep(folder: Path) -> None:
    """Remove new slots that never became whole, and that nobody is writing any more."""
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            old = path.name.endswith(UNFINISHED)
            if old and abs(time.time() - path.stat().st_mtime) > _OLD_SECONDS:
                path.unlink(missing_ok=True)
