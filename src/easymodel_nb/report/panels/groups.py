"""The panel of accuracy by group of the data, for the tasks of labels."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from easymodel_nb.measured import Measured
from easymodel_nb.report import numbers as write
from easymodel_nb.report.answers import at_start, grouped, typed
from easymodel_nb.report.content import DataTable, PanelContent
from easymodel_nb.report.figures import Bar, BarFigure, BarRow, Key
from easymodel_nb.report.html import Row, number, table
from easymodel_nb.report.points import kept_epoch
from easymodel_nb.report.scale import linear_axis
from easymodel_nb.runlog.headline import details, task_of
from easymodel_nb.runlog.view import EpochPoint, RunView

_MOST_ROWS = 12
_HOW = (
    "The share of the validation {many} of each group whose {what} is predicted rightly, with a "
    "95 % bootstrap interval over the texts of the group. Groups are the values of the column that "
    "the Finetuning node names, else quarters by length. With many groups the lowest and the "
    "highest are partly chance: their intervals say how much."
)
_NO_BASE = "the base model has no head of its own"


class Group(NamedTuple):
    """One group of the validation texts."""

    name: str
    n: int
    base: Measured | None
    tuned: Measured


def groups_content(view: RunView) -> PanelContent | None:
    """What the panel shows of a run, or None where no column of groups was named."""
    at = _point(view)
    groups = found(view, at)
    if at is None or not groups:
        return None
    words = task_of(view) == "token_classification"
    drawn = groups[:_MOST_ROWS]
    has_base = any(g.base is not None and g.base.value is not None for g in groups)
    series = ("base", "tuned") if has_base else ("tuned",)
    column = details(at.analytics).get("groups") or at_start(view, "groups") or ""
    keys = [Key(name, name) for name in series]
    return PanelContent(
        title=_title(groups, str(column)),
        caption=_caption(groups, str(column), at),
        how=_HOW.format(many="words" if words else "texts", what="tag" if words else "label"),
        figures=(
            BarFigure(
                rows=[_row(group, series) for group in drawn],
                series=series,
                x=linear_axis([0.0, 1.0], parts=5, zero=True),
                x_name="accuracy",
                legend=(*keys, Key("interval", "95 %")),
            ),
        ),
        details=_table(groups, has_base=has_base),
        data=_data(groups, at),
        layout="stack",
    )


def _point(view: RunView) -> EpochPoint | None:
    """The kept epoch's point, else the last that has groups."""
    known = [p for p in view.points if details(p.analytics).get("by_group") and p.epoch > 0]
    kept = kept_epoch(view)
    return next((p for p in known if p.epoch == kept), known[-1] if known else None)


def found(view: RunView, at: EpochPoint | None) -> list[Group]:
    """The groups of a point, the best first."""
    tuned = by_group(details(at.analytics).get("by_group")) if at is not None else {}
    base = by_group(at_start(view, "by_group"))
    groups = [Group(name, m.n or 0, base.get(name), m) for name, m in tuned.items()]
    return sorted(groups, key=lambda g: (-(g.tuned.value or 0.0), g.name))


def by_group(raw: object) -> dict[str, Measured]:
    """Accuracy by the name of the group, from a list of rows or a dictionary."""
    if isinstance(raw, Mapping):
        pairs = [(str(name), typed(m)) for name, m in raw.items()]
    elif isinstance(raw, Sequence) and not isinstance(raw, str):
        rows = [row for row in raw if isinstance(row, Mapping)]
        pairs = [(str(row.get("name", "")), typed(row.get("accuracy"))) for row in rows]
    else:
        pairs = []
    return {name: m for name, m in pairs if m is not None}


def _row(group: Group, series: Sequence[str]) -> BarRow:
    bars = {name: _bar(group, name, getattr(group, name)) for name in series}
    note = write.cosine(group.tuned.value) if group.tuned.value is not None else "n/a"
    return BarRow(group.name, bars, note=note, quiet=group.tuned.value is None)


def _bar(group: Group, name: str, m: Measured | None) -> Bar:
    if m is None or m.value is None:
        return Bar(tip=f"{group.name}, {name}: n/a, {m.reason if m else _NO_BASE}")
    interval = write.level(m, write.cosine)
    parts = [f"{group.name}, {name}: {write.cosine(m.value)}"]
    parts += [f"95 %: {interval}"] if interval else []
    parts.append(write.plural(m.n or group.n, "text"))
    low, high = (math.nan if end is None else end for end in (m.low, m.high))
    return Bar(m.value, low, high, ", ".join(parts))


def _title(groups: Sequence[Group], column: str) -> str:
    known = [g for g in groups if g.tuned.value is not None]
    if len(known) < 2:  # noqa: PLR2004
        return "Accuracy by group"
    best, worst = known[0], known[-1]
    of = "by length" if "quart" in column.lower() else f"by {column or 'group'}"
    low, high = (write.cosine(g.tuned.value or 0.0) for g in (worst, best))
    if low == high:
        return f"Accuracy {of}: {low} in every group"
    return f"Accuracy from {low} ({write.brief(worst.name)}) to {high} ({write.brief(best.name)})"


def _caption(groups: Sequence[Group], column: str, at: EpochPoint) -> str:
    parts = [grouped(column, "Accuracy by group")]
    parts.append(write.plural(sum(g.n for g in groups), "validation text"))
    parts.append(f"epoch {write.epoch(at.epoch)}")
    if len(groups) > _MOST_ROWS:
        parts.append(f"the first {_MOST_ROWS} of {len(groups)} groups are drawn")
    return ", ".join(parts)


def _table(groups: Sequence[Group], *, has_base: bool) -> str:
    rows = []
    for g in groups:
        cells = [escape(g.name), f"{g.n:,}"]
        cells += [_cell(g.base)] if has_base else []
        rows.append(Row([*cells, _cell(g.tuned)]))
    columns = ["group", "texts", *(["base"] if has_base else []), "accuracy, 95 %"]
    return table("Accuracy of each group of the validation texts", columns, rows)


def _cell(m: Measured | None) -> str:
    if m is None or m.value is None:
        return number(m, "", _NO_BASE)
    return number(m, f"{write.cosine(m.value)} {write.bracket(m, write.cosine)}".strip())


def _data(groups: Sequence[Group], at: EpochPoint) -> DataTable:
    rows = [
        (at.epoch if side == "tuned" else 0, g.name, side, m.value, m.low, m.high, m.n, m.reason)
        for g in groups
        for side, m in (("base", g.base), ("tuned", g.tuned))
        if m is not None
    ]
    columns = ["epoch", "group", "model", "accuracy", "low", "high", "n", "reason"]
    return DataTable("groups", columns, rows)
