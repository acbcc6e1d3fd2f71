"""Which class is taken for which: a table in the colours of the theme, or the commonest mistakes.

A table of HTML, not a figure: it is its own accessible table, and every cell says its number.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from easymodel_nb.report import numbers as write
from easymodel_nb.report.content import DataTable, PanelContent
from easymodel_nb.report.html import Row, table, tag, text
from easymodel_nb.report.points import tables
from easymodel_nb.runlog.headline import details, kind_of
from easymodel_nb.runlog.view import RunView

MOST_CLASSES = 12  # of a matrix that can be read
_MOST_PAIRS = 15
_SHADES = 8
_HOW = (
    "A row is a class of the validation data, a column a class that was predicted, a cell how "
    "many of the one were taken for the other. The diagonal is right. The darker a cell, the "
    "larger its share of its row."
)


_HOW_PAIRS = (
    "With this many classes a matrix cannot be read, so the mistakes are listed: how many "
    "of one class were predicted as another, and their share of that class."
)

Cells = Mapping[tuple[int, int], int]  # texts by (true, predicted) class


@dataclass(frozen=True)
class Pair:
    """Rows of one class that were taken for another."""

    reference: str
    predicted: str
    count: int
    of: int  # all rows of the class


def confusion_content(view: RunView) -> PanelContent | None:
    """What the panel shows, or None where the run has no confusion matrix (yet)."""
    point = tables(view)
    found = details(point.analytics) if point is not None else {}
    labels = [str(label) for label in found.get("labels") or []]
    cells = _cells(found, len(labels))
    if point is None or not cells:
        return None
    pairs = confused(labels, cells)
    small = len(labels) <= MOST_CLASSES
    unit = "word" if kind_of(view) == "word_tags" else "text"
    wrong = sum(pair.count for pair in pairs)
    caption = [
        f"{write.count(wrong)} of {write.plural(sum(cells.values()), unit)} wrong",
        f"epoch {write.epoch(point.epoch)}",
    ]
    if not small:
        caption.insert(1, f"{len(labels)} classes")
        caption.append("the commonest mistakes")
    return PanelContent(
        title=_title(pairs),
        caption=", ".join(caption),
        how=_HOW if small else _HOW_PAIRS,
        table=_matrix(labels, cells) if small else _pairs(pairs) if pairs else "",
        data=DataTable(
            "confusion",
            ["right label", "predicted", "count"],
            [(labels[true], labels[k], count) for (true, k), count in sorted(cells.items())],
        ),
    )


def confused(labels: Sequence[str], cells: Cells) -> list[Pair]:
    """Every kind of mistake that was made, the commonest first."""
    of = Counter[int]()
    for (true, _), count in cells.items():
        of[true] += count
    pairs = [
        Pair(labels[true], labels[predicted], count, of[true])
        for (true, predicted), count in cells.items()
        if true != predicted and count
    ]
    return sorted(pairs, key=lambda pair: (-pair.count, -pair.count / pair.of))


def _cells(found: Mapping[str, Any], classes: int) -> Cells:
    """Texts by (true, predicted) class, from the matrix or from the list of its cells."""
    matrix, listed = found.get("confusion"), found.get("confusion_cells")
    if listed:
        return {(true, predicted): count for true, predicted, count in listed}
    if not matrix or len(matrix) != classes:
        return {}
    return {(i, k): count for i, row in enumerate(matrix) for k, count in enumerate(row)}


def _title(pairs: Sequence[Pair]) -> str:
    if not pairs:
        return "No mistake was made"
    worst = pairs[0]
    names = write.brief(worst.reference), write.brief(worst.predicted)
    return f"{names[0]} taken for {names[1]}, {worst.count} of {worst.of}"


def _matrix(labels: Sequence[str], cells: Cells) -> str:
    """The matrix; its columns are numbered, and the numbers stand with the names of the rows."""
    head = tag("th", "right label", scope="col") + "".join(
        tag(
            "th",
            text("span", str(k), aria_hidden="true") + text("span", label, "emnb-sr"),
            scope="col",
            title=label,
        )
        for k, label in enumerate(labels, start=1)
    )
    rows = "".join(_matrix_row(index, labels, cells) for index in range(len(labels)))
    caption = text(
        "caption", "Counts by right label and, in columns, by predicted label", "emnb-sr"
    )
    inner = caption + tag("thead", tag("tr", head)) + tag("tbody", rows)
    key = text("p", "Columns: the predicted label, by its number.", "emnb-caption")
    return tag("div", tag("table", inner, "emnb-table emnb-matrix"), "emnb-table-scroll") + key


def _matrix_row(index: int, labels: Sequence[str], cells: Cells) -> str:
    row = [cells.get((index, k), 0) for k in range(len(labels))]
    total = sum(row)
    name = text("span", f"{index + 1}", "emnb-index", aria_hidden="true") + text(
        "span", labels[index], "emnb-name", title=labels[index]
    )
    shown = "".join(
        text(
            "td",
            f"{count:,}",
            _shade(count, total, diagonal=index == k),
            title=_said(labels, index, k, count, total),
        )
        for k, count in enumerate(row)
    )
    return tag("tr", tag("th", name, scope="row") + shown)


def _shade(count: int, total: int, *, diagonal: bool) -> str:
    step = round(_SHADES * count / total) if total else 0
    names = [f"emnb-shade-{max(step, 1)}"] if count else ["emnb-zero"]
    return " ".join([*names, "emnb-diagonal"] if diagonal else names)


def _said(labels: Sequence[str], i: int, k: int, count: int, total: int) -> str:
    what = "rightly labelled" if i == k else f"taken for {labels[k]}"
    return f"{labels[i]}: {count} of {total} {what}"


def _pairs(pairs: Sequence[Pair]) -> str:
    def name(label: str) -> str:
        return text("span", label, "emnb-name", title=label)

    rows = [
        Row(
            [
                name(pair.reference),
                name(pair.predicted),
                f"{pair.count:,}",
                f"{round(100 * pair.count / pair.of)} %",
            ]
        )
        for pair in pairs[:_MOST_PAIRS]
    ]
    return table(
        "The classes taken most often for another",
        ["right label", "predicted", "times", "of the class"],
        rows,
        strong=2,
    )
