"""The samples of a task that chooses labels: text, right label, predicted one, confidence.

Right and wrong are told by a sign and a word, never by a colour alone. Everything is text from
models and data sets: it is escaped, never taken as HTML.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

from easymodel_nb.report.html import icon, missing, tag, text
from easymodel_nb.report.sample_cell import cell, clean

_NEW_HEAD = "the head is new: before training it knows no label"


class _Column(NamedTuple):
    key: str
    head: str


_RIGHT = {
    "classification": "Right label",
    "token_classification": "Entities",
    "word_tags": "Right tags",
}
LABEL_TASKS = frozenset(_RIGHT)


def _columns(task: str, *, base: bool) -> list[_Column]:
    columns = [_Column("prompt", "Text"), _Column("reference", _RIGHT[task])]
    columns += [_Column("base", "Base model")] * base
    columns += [_Column("tuned", "Predicted")]
    return columns + [_Column("confidence", "Confidence")] * (task == "classification")


def label_table(
    rows: Sequence[Mapping[str, Any]], waiting: str, *, head: bool, task: str, base: bool
) -> str:
    """The rows as a table; `base` says whether the base model had a head that answered."""
    columns = _columns(task, base=base)
    names = tag("tr", "".join(text("th", c.head, scope="col") for c in columns))
    caption = text("caption", "Samples: validation texts and what was predicted", "emnb-sr")
    inner = caption + tag("thead", names, "" if head else "emnb-sr")
    body = "".join(
        tag("tr", "".join(tag("td", _cell(c, row, waiting), f"emnb-c-{c.key}") for c in columns))
        for row in rows
    )
    kind = "emnb-labels" if task == "classification" else "emnb-entities"
    return tag("table", inner + tag("tbody", body), f"emnb-samples-table {kind}")


def _cell(column: _Column, row: Mapping[str, Any], waiting: str) -> str:
    match column.key:
        case "confidence":
            return _confidence(row.get("tuned_more") or {}, waiting)
        case "base" | "tuned":
            return _answer(row, column.key, waiting if column.key == "tuned" else _NEW_HEAD)
    value = clean(row.get(column.key))
    if value is None:
        return missing("the data has none here")
    return _text(value)


def _answer(row: Mapping[str, Any], side: str, waiting: str) -> str:
    """What was predicted, with its sign and word."""
    value = clean(row.get(side))
    if value is None:
        return missing(waiting)
    right = value == clean(row.get("reference"))
    sign = tag(
        "span",
        icon("check" if right else "cross") + ("right" if right else "wrong"),
        f"emnb-verdict emnb-{'good' if right else 'bad'}",
    )
    return _text(value) + sign


def _text(value: str) -> str:
    return cell(escape(value), value) if value else text("span", "none", "emnb-na")


def _confidence(more: Mapping[str, Any], waiting: str) -> str:
    """The probability of the predicted label; of several, that of each."""
    if isinstance(found := more.get("confidence"), int | float):
        return _share(float(found))
    if isinstance(several := more.get("probabilities"), Mapping):
        parts = [f"{escape(str(name))} {_share(float(p))}" for name, p in several.items()]
        return "<br>".join(parts) or missing("no label was above one half")
    return missing("not told" if more else waiting)


def _share(value: float) -> str:
    """A probability as a percentage; none becomes a certainty by rounding."""
    shown = round(100 * value)
    return f"{min(shown, 99) if value < 1 else shown} %"
