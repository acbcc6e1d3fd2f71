"""Value paths into rows, and templates: what a row holds under `answers.text[0]`.

A template builds text from value paths in braces. A path that ends in a question
mark is optional: where it is empty, the block between blank lines that holds
nothing else leaves with it (`### Input:` and the line `{input?}` below it).
"""

import re
from typing import Any

_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_SLOT = re.compile(r"\{([^{}]+)\}")
_BLANK = re.compile(r"(\n{2,})")


def path_root(path: str) -> str:
    """The column a value path starts from: `answers` of `answers.text[0]`."""
    found = _PART.match(path)
    return found.group(1) if found and found.group(1) else path


def parts_of(path: str) -> list[str | int]:
    """The steps of a path: `["answers", "text", 0]` of `answers.text[0]`."""
    return [int(index) if index else name for name, index in _PART.findall(path)]


def value_at(row: dict[str, Any], path: str) -> Any:
    """The value a path names, or None where the row has none."""
    if path in row:
        return row[path]
    value: Any = row
    for step in parts_of(path):
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
        if value is None:
            return None
    return value


def as_text(value: Any) -> str | None:
    """A cell as text; None for a null or an empty string. Of a list, its first value."""
    if value is None:
        return None
    if isinstance(value, list):
        value = value[0] if value else None
        return as_text(value)
    text = value if isinstance(value, str) else str(value)
    return text if text.strip() else None


# ---------------------------------------------------------------- templates


def slots(template: str) -> list[str]:
    """The value paths of a template as they stand between its braces."""
    return _SLOT.findall(template)


def slot_path(slot: str) -> tuple[str, bool]:
    """A slot's path, and whether it is optional."""
    return (slot[:-1], True) if slot.endswith("?") else (slot, False)


def fill(template: str, row: dict[str, Any]) -> str | None:
    """The template with the row's values; None where one that is needed is empty."""
    parts = _BLANK.split(template)  # blocks at the even places, what parts them at the odd
    text, begun = "", not parts[0]
    for gap, part in zip(["", *parts[1::2]], parts[::2], strict=True):
        block = _fill_block(part, row)
        if block is None:
            return None
        if block != _GONE:
            text += (gap if begun else "") + block
            begun = True
    return text if text.strip() else None


_GONE = "\0gone"


def _fill_block(block: str, row: dict[str, Any]) -> str | None:
    texts: list[str] = []
    empty = 0
    for slot in slots(block):
        path, optional = (slot, False) if slot in row else slot_path(slot)
        text = as_text(value_at(row, path))
        if text is None and not optional:
            return None
        empty += text is None
        texts.append(text or "")
    if texts and empty == len(texts):
        return _GONE
    values = iter(texts)
    return _SLOT.sub(lambda _: next(values), block)
