"""Files of JSON lines that their writer may not have come to the end of."""

import json
from pathlib import Path
from typing import Any


def json_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of the whole lines, in their order; what was torn is left out.

    It may be torn within a letter, so each line is decoded by itself. Lines end at line feeds
    alone: `splitlines` also cuts at U+2028 and its like inside a text.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    found = []
    for line in data.split(b"\n")[:-1]:
        try:
            raw = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(raw, dict):
            found.append(raw)
    return found
