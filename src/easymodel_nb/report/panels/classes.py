"""The table of precision, recall, F1 and support by class, or by type of entity."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

from easymodel_nb.report import numbers as write
from easymodel_nb.report.content import DataTable, PanelContent
from easymodel_nb.report.html import Row, missing, table
from easymodel_nb.report.points import tables
from easymodel_nb.runlog.headline import details, kind_of
from easymodel_nb.runlog.view import RunView

_IN_ORDER, _MOST_ROWS = 20, 200
_COLUMNS = ("precision", "recall", "f1", "support")


class _Words(NamedTuple):
    row: str
    rows: str
    one: str  # what support counts
    many: str
    how: str


_HOW = (
    "Of the {many} predicted as a {row}, precision is the share that are of it; of the {many} that "
    "are of it, recall is the share predicted as it; F1 is their harmonic mean. Support is the "
    "number of validation {many} of the {row}: a number of a few {many} says little."
)
_HOW_ENTITIES = (
    "Of the entities predicted with a type, precision is the share that are right in type and "
    "ends; of the true entities of a type, recall is the share found; F1 is their harmonic mean. "
    "Support is the number of true entities of the type in the validation texts."
)
_WORDS = {
    "classification": _Words(
        "class", "classes", "text", "texts", _HOW.format(many="texts", row="class")
    ),
    "word_tags": _Words("tag", "tags", "word", "words", _HOW.format(many="words", row="tag")),
    "token_classification": _Words("type", "types", "entity", "entities", _HOW_ENTITIES),
}


def classes_content(view: RunView) -> PanelContent | None:
    """What the panel shows, or None where the run has no such table (yet)."""
    point = tables(view)
    rows = per_class(details(point.analytics)) if point is not None else []
    if point is None or not rows or kind_of(view) not in _WORDS:
        return None
    words = _WORDS[kind_of(view)]
    weakest_first = len(rows) > _IN_ORDER
    if weakest_first:
        rows = sorted(rows, key=lambda row: _plain(row.get("f1")) or 0.0)
    shown = rows[:_MOST_ROWS]
    parts = [write.plural(len(rows), words.row, words.rows)]
    total = [_plain(row.get("support")) for row in rows]
    if all(s is not None for s in total):
        parts.append(write.plural(sum(s or 0 for s in total), words.one, words.many))
    parts.append(f"epoch {write.epoch(point.epoch)}")
    if weakest_first:
        parts.append("weakest first")
    if len(rows) > len(shown):
        parts.append(f"{len(shown)} of them shown")
    return PanelContent(
        title=_title(rows, words),
        caption=", ".join(parts),
        how=words.how,
        table=table(
            f"Precision, recall, F1 and support by {words.row}",
            [words.row, "precision", "recall", "F1", "support"],
            [_row(row) for row in shown],
            strong=3,
        ),
        data=DataTable(
            "per-class",
            [words.row, *_COLUMNS],
            [(name_of(row), *(_plain(row.get(column)) for column in _COLUMNS)) for row in rows],
        ),
    )


def per_class(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of the table, whatever they are named after."""
    rows = found.get("per_class") or found.get("per_type") or []
    return [row for row in rows if isinstance(row, dict)]


def _title(rows: Sequence[Mapping[str, Any]], words: _Words) -> str:
    scored = [
        (f1, write.brief(name_of(row))) for row in rows if (f1 := _plain(row.get("f1"))) is not None
    ]
    if len(scored) < 2:  # noqa: PLR2004
        return f"By {words.row}"
    (low, worst), (high, best) = min(scored), max(scored)
    never = sum(f1 == 0 for f1, _ in scored)
    if 1 < never < len(scored):
        return f"F1 is 0 for {never} of {len(scored)} {words.rows}"
    if low == high:
        return f"F1 {write.score(low)} for every {words.row}"
    return f"F1 from {write.score(low)} ({worst}) to {write.score(high)} ({best})"


def name_of(row: Mapping[str, Any]) -> str:
    """The label of a row."""
    return str(row.get("label", row.get("type", "")))


def _row(row: Mapping[str, Any]) -> Row:
    label = name_of(row)
    first = f'<span class="emnb-name" title="{escape(label)}">{escape(label)}</span>'
    return Row([first, *(_cell(row.get(column), column) for column in _COLUMNS)])


def _cell(value: Any, column: str) -> str:
    plain = _plain(value)
    if plain is None:
        reason = value.get("reason") if isinstance(value, dict) else None
        return missing(reason or "there was nothing to compute it from")
    return write.count(plain) if column == "support" else write.score(plain)


def _plain(value: Any) -> float | None:
    found = value.get("value") if isinstance(value, dict) else value
    return float(found) if isinstance(found, int | float) else None
