"""The names that people give to splits."""

import re

SPLIT_NAMES: dict[str, tuple[str, ...]] = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test",),
}


def split_named(name: str) -> str | None:
    """The split a file or folder name speaks of: at its start or end, else anywhere in it."""
    words = [word for word in re.split(r"[^a-z]+", name.lower()) if word]
    if not words:
        return None
    for places in (words[:1], words[-1:], words):
        found = {s for s, names in SPLIT_NAMES.items() if any(word in names for word in places)}
        if len(found) == 1:
            return found.pop()
    return None
