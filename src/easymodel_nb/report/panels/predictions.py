"""The panel of drift of a model that labels: how many predictions changed, and by how much.

Of a point's details it reads `predictions`: `changed` (share of the validation texts, or words,
whose predicted label differs from the one before) and `js` (mean Jensen-Shannon divergence of the
label distributions, in bits, 0 to 1), both Measured, and `since`, the point they are compared
with: "base" where the base model has a head of its own, else "previous".
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from easymodel_nb.measured import Measured
from easymodel_nb.report import numbers as write
from easymodel_nb.report.answers import at_point, nothing, sentence, typed
from easymodel_nb.report.content import DataTable, PanelContent
from easymodel_nb.report.figures import Empty, LineFigure, LineStyle
from easymodel_nb.report.html import Row, number, table
from easymodel_nb.report.lines import finite, measured_line
from easymodel_nb.report.scale import evenly, linear_axis, step_axis
from easymodel_nb.report.waiting import when
from easymodel_nb.runlog.headline import task_of
from easymodel_nb.runlog.scores import Scores
from easymodel_nb.runlog.view import RunView

STYLES = {
    "js": LineStyle("tuned", dash="dashed", marker="triangle-up", band=True),
    "changed": LineStyle("tuned", marker="diamond", band=True),
}
_MOST_ROWS = 60
_HOW = (
    "Changed is the share of the validation {many} whose predicted label is another one than at "
    "the point it is compared with: the base model where that has a head for these labels, else "
    "the point before. JS is the mean Jensen-Shannon divergence of the two distributions over the "
    "labels, in bits: 0 where they are equal, 1 where they share no label; it also moves when the "
    "model only grows more sure. Bands are 95 % bootstrap intervals over the texts. A prediction "
    "that changed is not better or worse by that; the scores by epoch say which."
)


class Moved(NamedTuple):
    """What moved at one point since another."""

    epoch: float
    since: str
    changed: Measured | None
    js: Measured | None


def predictions_content(view: RunView, scores: Sequence[Scores] = ()) -> PanelContent | None:
    """What the panel shows of a run; from the predicted labels of `scores` where it was not told.

    None where the log has nothing of it and the run is over.
    """
    points = moved(view) or _from_labels(view, scores)
    many = "words" if task_of(view) == "token_classification" else "texts"
    how = _HOW.format(many=many)
    if not any(m is not None and m.value is not None for p in points for m in (p.changed, p.js)):
        return _absent(view, points, how)
    changed = [(p.epoch, p.changed) for p in points]
    js = [(p.epoch, p.js) for p in points]
    lines = {
        "changed": measured_line("changed", changed, write.cosine),
        "js": measured_line("JS", js, write.cosine),
    }
    lines = {name: line for name, line in lines.items() if line.x}
    return PanelContent(
        title=_title(points),
        caption=_caption(points, many),
        how=how,
        figures=(
            LineFigure(
                styles=STYLES,
                lines=lines,
                x=step_axis(max(view.epochs, points[-1].epoch)),
                y=linear_axis([*finite(lines.values()), 0.0], zero=True),
                x_name="epoch",
                y_name="share, bits",
            ),
        ),
        details=_table(points),
        data=_data(points),
        layout="stack",
    )


def moved(view: RunView) -> list[Moved]:
    """What the log says of the predictions, by epoch."""
    found = [(p.epoch, at_point(p, "predictions")) for p in view.points]
    told = [
        Moved(epoch, str(raw.get("since") or ""), typed(raw.get("changed")), typed(raw.get("js")))
        for epoch, raw in found
        if raw
    ]
    return sorted(told, key=lambda m: m.epoch)


def _from_labels(view: RunView, scores: Sequence[Scores]) -> list[Moved]:
    """The share of changed labels between points that follow each other, from the scores."""
    known = {p.step: p.epoch for p in view.points}
    kept = [s for s in scores if s.set == "validation" and s.step in known and "label" in s.values]
    found = []
    for before, after in itertools.pairwise(kept):
        pairs = list(zip(before.values["label"], after.values["label"], strict=False))
        if before.digest != after.digest or not pairs:
            continue
        from easymodel_nb.metrics.stats import mean_interval  # noqa: PLC0415  numpy

        share = mean_interval([float(a != b) for a, b in pairs])
        since = "base" if known[before.step] == 0 else f"epoch {write.epoch(known[before.step])}"
        found.append(Moved(known[after.step], since, share, None))
    return found


def _absent(view: RunView, points: Sequence[Moved], how: str) -> PanelContent | None:
    why = next((m.reason for p in reversed(points) for m in (p.changed, p.js) if m), None)
    what = "The drift of the predictions"
    if why:
        empty = Empty(f"{what} is not computed", sentence(why))
    elif view.active:
        told = nothing(view, what, "semantics").why if not view.points else when(view, 2.0)
        empty = Empty(f"{what} comes here", told[:1].upper() + told[1:])
    else:
        return None
    return PanelContent(
        title="Drift of the predictions",
        caption="Share of changed predictions, and Jensen-Shannon divergence",
        how=how,
        figures=(empty,),
        layout="stack",
    )


def _title(points: Sequence[Moved]) -> str:
    last = next(p for p in reversed(points) if p.changed is not None or p.js is not None)
    if last.changed is None or last.changed.value is None:
        return "Drift of the predictions"
    since = {"base": "the base model", "previous": "the point before", "": "the point before"}
    said = f"{write.share(last.changed.value)} of the predictions changed"
    return f"{said} from {since.get(last.since, last.since)} to epoch {write.epoch(last.epoch)}"


def _caption(points: Sequence[Moved], many: str) -> str:
    n = next((m.n for p in reversed(points) for m in (p.changed, p.js) if m and m.n), None)
    parts = ["Share of changed predictions"]
    if any(p.js is not None and p.js.value is not None for p in points):
        parts.append("Jensen-Shannon divergence in bits")
    if n:
        parts.append(f"{write.count(n)} validation {many}")
    parts.append("band 95 %")
    return ", ".join(parts)


def _table(points: Sequence[Moved]) -> str:
    rows = [
        Row([write.epoch(p.epoch), p.since or "previous", _cell(p.changed), _cell(p.js)])
        for p in (points[i] for i in evenly(len(points), _MOST_ROWS))
    ]
    columns = ["epoch", "since", "changed, 95 %", "JS, 95 %"]
    return table("Share of changed predictions and divergence of the labels", columns, rows)


def _cell(m: Measured | None) -> str:
    if m is None or m.value is None:
        return number(m, "", "it was not measured")
    return number(m, f"{write.cosine(m.value)} {write.bracket(m, write.cosine)}".strip())


def _data(points: Sequence[Moved]) -> DataTable:
    rows = [
        (p.epoch, p.since, name, m.value, m.low, m.high, m.n, m.reason)
        for p in points
        for name, m in (("changed", p.changed), ("js", p.js))
        if m is not None
    ]
    columns = ["epoch", "since", "number", "value", "low", "high", "n", "reason"]
    return DataTable("predictions", columns, rows)
