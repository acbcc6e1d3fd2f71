"""A cell of the samples: its text cut to what a cell may hold, and folded when it is long."""

from typing import Any

from easymodel_nb.report.html import QUIET_KEYS, tag, text

_MOST_CHARACTERS = 1_200
_LONG_CHARACTERS, _LONG_LINES = 160, 5
_ELLIPSIS = "\u2026"


def clean(value: Any) -> str | None:
    """The text of a cell, cut to what a cell may hold."""
    if value is None:
        return None
    whole = str(value).strip()
    return whole if len(whole) <= _MOST_CHARACTERS else whole[:_MOST_CHARACTERS] + _ELLIPSIS


def cell(html: str, raw: str) -> str:
    """A cell of at most five lines; a longer one opens on a click."""
    if not raw:
        return text("span", "empty", "emnb-na", title="The model ended at once")
    if len(raw) <= _LONG_CHARACTERS and raw.count("\n") < _LONG_LINES:
        return html
    inner = tag("span", html, "emnb-clamp") + tag("span", "", "emnb-link emnb-more")
    return f'<details class="emnb-cell"><summary {QUIET_KEYS}>{inner}</summary></details>'
