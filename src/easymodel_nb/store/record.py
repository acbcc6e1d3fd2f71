"""One record in a two-slot TinyDB file: open, read, watch, set aside.

Whoever reads or writes holds the lock of the store.
"""

import contextlib
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tinydb import TinyDB
from tinydb.table import Document, Table

from easymodel_nb.store.two_slot import TwoSlotStorage, slot_paths

_ONLY = 1  # each database holds one record
_DAMAGED = ".damaged"

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


def set_aside(paths: list[Path]) -> None:
    """Rename files that cannot be trusted, so that nothing overwrites them."""
    for path in paths:
        aside = path.with_name(f"{path.name}{_DAMAGED}")
        number = 2
        while aside.exists():
            aside = path.with_name(f"{path.name}.{number}{_DAMAGED}")
            number += 1
        path.replace(aside)


def set_aside_in(folder: Path) -> list[Path]:
    """The files of a folder that were set aside."""
    return sorted(folder.glob(f"*{_DAMAGED}"))
