"""Two wrote the same record and knew nothing of each other: both are kept."""

from pathlib import Path
from typing import Any, NamedTuple

from easymodel_nb import ids


class Beside(NamedTuple):
    """Where the second one goes, and how it is told; settings are joined and need no word."""

    stem: Path
    raw: dict[str, Any]
    message: str = ""


def of(
    stem: Path,
    table: str,
    mine: dict[str, Any],
    origin: dict[str, Any],
    theirs: dict[str, Any] | None,
) -> Beside:
    """What to write where, so that neither side loses anything."""
    if table != "project":
        changed = {key: value for key, value in mine.items() if value != origin.get(key)}
        return Beside(stem, {**(theirs or {}), **changed})
    if theirs is None:
        return Beside(stem, mine)  # it was deleted there, and edited here
    copy_id = ids.next_id([path.name.split(".")[0] for path in stem.parent.iterdir()])
    name = f"{mine['name'][:90]} (from this notebook)"
    raw = {
        **mine,
        "id": copy_id,
        "name": name,
        "workflow": {**mine["workflow"], "name": name},
        "revision": 1,
    }
    return Beside(
        stem.with_name(copy_id),
        raw,
        f"While {mine['name']!r} could not be saved here, another program changed it. That version "
        f"is the project now; yours is beside it as {name!r}.",
    )
