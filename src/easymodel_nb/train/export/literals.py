"""Values as Python source, written the way a formatter would."""

import json
import textwrap
from dataclasses import dataclass
from typing import Any

WIDTH = 99
_ONE_A_LINE = 24  # items; more are filled into lines


@dataclass(frozen=True)
class Expression:
    """Source text that is no literal."""

    text: str


def literal(value: Any, indent: int = 0) -> str:
    """A value as source text: strings in double quotes, long lists and dicts over several lines."""
    if isinstance(value, Expression):
        return value.text
    text = _short(value)
    if len(text) + indent <= WIDTH - 12 or not isinstance(value, (list, dict)) or not value:
        return text
    pad = " " * (indent + 4)
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    items = (
        [f"{_short(key)}: {_short(item)}" for key, item in value.items()]
        if isinstance(value, dict)
        else [_short(item) for item in value]
    )
    if len(items) <= _ONE_A_LINE:
        body = "\n".join(f"{pad}{item}," for item in items)
        return f"{opening}\n{body}\n{' ' * indent}{closing}"
    # A placeholder for spaces keeps an item whole; it is put back afterwards.
    words = " ".join(f"{item},".replace(" ", "\x00") for item in items)
    lines = textwrap.wrap(words, WIDTH - len(pad), break_long_words=False, break_on_hyphens=False)
    body = "\n".join(pad + line.replace("\x00", " ") for line in lines)
    return f"{opening}\n{body}\n{' ' * indent}{closing}  # fmt: skip"


def _short(value: Any) -> str:
    if isinstance(value, Expression):
        return value.text
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\x7f")
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_short(k)}: {_short(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_short, value)) + "]"
    return repr(value)


def comment(text: str, indent: int = 0) -> str:
    """A sentence as comment lines."""
    words = " ".join(text.split())
    prefix = " " * indent + "# "
    return textwrap.fill(words, WIDTH, initial_indent=prefix, subsequent_indent=prefix)


def assignment(name: str, value: Any, why: str | None = None) -> str:
    """A constant with the reason of its value, beside it where there is room, else above."""
    line = f"{name} = {literal(value)}"
    if not why:
        return line
    beside = f"{line}  # {' '.join(why.split())}"
    if len(beside) <= WIDTH and "\n" not in line:
        return beside
    return f"{comment(why)}\n{line}"
