"""The table of samples: what the base model and the tuned one write to the same prompt.

Words the tuned model dropped are struck in the base column, words that are new
are underlined in the tuned column. Everything is text from models and data sets:
it is escaped, never taken as HTML.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from functools import partial
from html import escape
from typing import Any

from easymodel_nb.report.html import QUIET_KEYS, missing, tag, text
from easymodel_nb.report.label_samples import LABEL_TASKS, label_table
from easymodel_nb.report.sample_cell import cell, clean

SHOWN, MORE = 3, 17
_MOST_WORDS = 400
_WORD = re.compile(r"([\u3040-\u30ff\u3400-\u9fff]|\w+(?:['\u2019]\w+)*|[^\w\s])(\s*)")
_COLUMNS = ("prompt", "reference", "base", "tuned")


def samples_html(
    rows: Sequence[Mapping[str, Any]], *, waiting: str, task: str = "generation"
) -> str:
    """The section, or an empty text when there are no rows; `waiting` says when a text comes."""
    if not rows:
        return ""
    show = _shower(rows, waiting, task)
    shown, more = rows[:SHOWN], rows[SHOWN : SHOWN + MORE]
    heading = text("span", "Samples", "emnb-title", role="heading", aria_level="3")
    counted = text("span", f"{len(shown)} of {len(rows)}", "emnb-caption")
    parts = [
        tag("div", heading + counted, "emnb-head emnb-samples-head"),
        show(shown, head=True),
    ]
    if more:
        label = f"{len(more)} more"
        parts.append(
            tag(
                "details",
                f'<summary class="emnb-link" {QUIET_KEYS}>{label}</summary>'
                + show(more, head=False),
                "emnb-more-rows",
            )
        )
    return "".join(parts)


def _shower(rows: Sequence[Mapping[str, Any]], waiting: str, task: str) -> Callable[..., str]:
    """What makes the table of a task's samples."""
    if task not in LABEL_TASKS:
        return partial(_table, waiting=waiting)
    return partial(
        label_table,
        waiting=waiting,
        task=task,
        base=any(row.get("base") is not None for row in rows),
    )


def _table(rows: Sequence[Mapping[str, Any]], waiting: str, *, head: bool) -> str:
    names = [
        "Prompt",
        "Reference",
        "Base, " + tag("del", "dropped"),
        "Tuned, " + tag("ins", "new"),
    ]
    columns = tag("tr", "".join(tag("th", name, scope="col") for name in names))
    caption = text("caption", "Samples: the same prompt before and after training", "emnb-sr")
    inner = caption + tag("thead", columns, "" if head else "emnb-sr")
    body = "".join(_row(row, waiting) for row in rows)
    return tag("table", inner + tag("tbody", body), "emnb-samples-table")


def _row(row: Mapping[str, Any], waiting: str) -> str:
    prompt, reference, base, tuned = (clean(row.get(name)) for name in _COLUMNS)
    marked_base, marked_tuned = mark_words(base, tuned)
    cells = (
        (_plain(prompt), prompt, "no prompt: plain text"),
        (_plain(reference), reference, "the data has no reference here"),
        (marked_base, base, "not generated"),
        (marked_tuned, tuned, waiting),
    )
    return tag(
        "tr",
        "".join(
            tag("td", cell(html, raw) if raw is not None else missing(why), f"emnb-c-{name}")
            for name, (html, raw, why) in zip(_COLUMNS, cells, strict=True)
        ),
    )


def _plain(value: str | None) -> str:
    return escape(value) if value is not None else ""


def mark_words(base: str | None, tuned: str | None) -> tuple[str, str]:
    """Both texts as HTML, with the words only the one has in <del> and only the other in <ins>."""
    if base is None or tuned is None or base == tuned:
        return _plain(base), _plain(tuned)
    old, new = _words(base), _words(tuned)
    matcher = SequenceMatcher(
        None, [word for word, _ in old], [word for word, _ in new], autojunk=False
    )
    dropped, added = set[int](), set[int]()
    for what, i, j, k, n in matcher.get_opcodes():
        if what != "equal":
            dropped.update(range(i, j))
            added.update(range(k, n))
    return _marked(old, dropped, "del"), _marked(new, added, "ins")


def _words(value: str) -> list[tuple[str, str]]:
    """Words, signs and CJK characters with the space after each.

    Beyond the limit one last "word" holds the rest.
    """
    found = _WORD.findall(value)
    if len(found) <= _MOST_WORDS:
        return found
    rest = "".join(word + space for word, space in found[_MOST_WORDS:])
    return [*found[:_MOST_WORDS], (rest, "")]


def _marked(words: Sequence[tuple[str, str]], marked: set[int], name: str) -> str:
    """Neighbours that are marked share one tag; the space at its end stays outside."""
    parts: list[str] = []
    index = 0
    while index < len(words):
        end = index
        while end in marked and end + 1 in marked:
            end += 1
        run = words[index : end + 1]
        inner = "".join(word + space for word, space in run[:-1]) + run[-1][0]
        html = escape(inner)
        parts.append((f"<{name}>{html}</{name}>" if index in marked else html) + escape(run[-1][1]))
        index = end + 1
    return "".join(parts)
