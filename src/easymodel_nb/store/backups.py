"""What a project was before a newer EasyModel wrote it in its own version."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from easymodel_nb.store.two_slot import make


def path_of(stem: Path, version: object) -> Path:
    """Where the backup of a version lies: beside the project."""
    return stem.with_name(f"{stem.name}.version-{version}.backup.json")


def before_migrating(
    stem: Path, before: dict[str, Any], after: dict[str, Any]
) -> Callable[[], None]:
    """What is written before the record: the one that was, where its version changes."""
    old, new = (raw["workflow"].get("version") for raw in (before, after))
    path = path_of(stem, old)

    def keep() -> None:
        if old != new and not path.exists():
            make(path, json.dumps(before, indent=1).encode("ascii"))

    return keep
