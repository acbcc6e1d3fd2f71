"""The HTML of the dashboard: every text is escaped here, and nowhere else is a tag written."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from easymodel_nb.measured import Measured
from easymodel_nb.report.figures import Empty

# JupyterLab cuts, pastes and deletes cells on plain letters unless the focused
# element itself carries this attribute.
QUIET_KEYS = 'data-lm-suppress-shortcuts="true"'

_PATHS = {
    "check": '<path d="M5 12.5l4.5 4.5L19 7.5"/>',
    "cross": '<path d="M6 6l12 12M18 6L6 18"/>',
    "triangle": '<path d="M12 4L2.8 20h18.4L12 4zM12 10v4.5M12 17.2v.3"/>',
    "clock": '<circle cx="12" cy="12" r="8.5"/><path d="M12 7.5V12l3 2"/>',
    "play": '<path d="M12 3.5a8.5 8.5 0 1 1-8.5 8.5"/>',
    "stop": '<rect x="5.5" y="5.5" width="13" height="13" rx="2"/>',
    "compare": '<path d="M4 7h16M4 12h10M4 17h13"/>',
    "file": '<path d="M6 3.5h8l4.5 4.5v12.5h-12.5zM14 3.5v4.5h4.5"/>',
    "download": '<path d="M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5 20h14"/>',
    "upload": '<path d="M12 16V5M7.5 9l4.5-4.5 4.5 4.5M5 20h14"/>',
    "info": '<circle cx="12" cy="12" r="8.5"/><path d="M12 11v5M12 7.8v.2"/>',
}


def icon(name: str) -> str:
    """An inline icon in the colour of its text, hidden from screen readers."""
    return (
        '<svg class="emnb-icon" viewBox="0 0 24 24" width="14" height="14" fill="none" '
        'stroke="currentColor" stroke-width="1.75" stroke-linecap="round" '
        f'stroke-linejoin="round" aria-hidden="true">{_PATHS[name]}</svg>'
    )


def tag(name: str, content: str, classes: str = "", **attributes: str) -> str:
    """An element around HTML; attribute values are escaped, content is not."""
    given = {
        "class": classes,
        **{k.rstrip("_").replace("_", "-"): v for k, v in attributes.items()},
    }
    text = "".join(f' {k}="{escape(v)}"' for k, v in given.items() if v)
    return f"<{name}{text}>{content}</{name}>"


def text(name: str, content: str, classes: str = "", **attributes: str) -> str:
    """An element around plain text, which is escaped."""
    return tag(name, escape(content), classes, **attributes)


def missing(reason: str) -> str:
    """What stands for a number that is not there: "n/a", with the reason for eyes and ears."""
    heard = text("span", f": {reason}", "emnb-sr")
    return tag("span", f"n/a{heard}", "emnb-na", title=reason)


def number(measured: Measured | None, shown: str, why: str = "not measured at this point") -> str:
    """A measured number as it is to be shown, or n/a and why."""
    if measured is None:
        return missing(why)
    return missing(measured.reason or why) if measured.value is None else escape(shown)


class Row(NamedTuple):
    """A row of a table: its cells as HTML, the first of them its name."""

    cells: Sequence[str]
    marked: bool = False  # on accentsoft
    quiet: bool = False  # in text2


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Row],
    *,
    strong: int = -1,
    words: bool = False,
) -> str:
    """A table for eyes and screen readers; column `strong` is in weight 500.

    Numbers stand at the right of their columns; `words` puts every column at its left.
    """
    head = "".join(text("th", name, scope="col") for name in columns)
    body = "".join(_row(row, strong) for row in rows)
    inner = text("caption", caption, "emnb-sr") + tag("thead", tag("tr", head)) + tag("tbody", body)
    classes = "emnb-table emnb-words" if words else "emnb-table"
    return tag("div", tag("table", inner, classes), "emnb-table-scroll")


def _row(row: Row, strong: int) -> str:
    first, *rest = row.cells
    cells = tag("th", first, scope="row") + "".join(
        tag("td", cell, "emnb-strong" if index == strong else "")
        for index, cell in enumerate(rest, start=1)
    )
    classes = " ".join(
        name for name, on in (("emnb-marked", row.marked), ("emnb-quiet", row.quiet)) if on
    )
    return tag("tr", cells, classes)


def empty(place: Empty, remedy: str = "") -> str:
    """The dashed box that keeps a figure's place: what is not there, and why or when.

    `remedy` is HTML under it, such as the button of its action where there is a kernel.
    """
    tone = "emnb-empty-what emnb-err" if place.failed else "emnb-empty-what"
    said = text("span", place.what, tone) + text("span", place.why, "emnb-empty-why")
    return tag("div", said + remedy, "emnb-empty", style=f"min-height:{place.height}px")


def panel_head(title: str, caption: str, how: str) -> str:
    """The title of a panel, its caption, and "How is this computed?" behind a question mark."""
    question = tag(
        "details",
        f'<summary aria-label="How is this computed?" title="How is this computed?" {QUIET_KEYS}>'
        "?</summary>" + text("p", how),
        "emnb-how",
    )
    heading = text("div", title, "emnb-title", role="heading", aria_level="3")
    return tag("div", heading + question, "emnb-head") + text("p", caption, "emnb-caption")


def strip(kind: str, word: str, sentence: str) -> str:
    """A coloured strip with an icon, a word and a sentence: `err` or `warn`."""
    mark = icon("cross" if kind == "err" else "triangle")
    inner = mark + tag("span", text("b", word) + " " + escape(sentence))
    return tag("div", inner, f"emnb-strip emnb-strip-{kind}", role="note")
