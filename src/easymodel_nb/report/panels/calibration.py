"""The panel of calibration: whether a model that is 80 % sure is right 80 % of the time.

Of a point's details it reads `calibration`: `ece` (Measured, 0 to 1) and `bins`, rows of
`confidence` and `accuracy` (numbers, or Measured), and `n`, the predictions in it.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from easymodel_nb.measured import Measured
from easymodel_nb.report import numbers as write
from easymodel_nb.report.answers import at_point, sentence, typed
from easymodel_nb.report.content import DataTable, PanelContent
from easymodel_nb.report.figures import Dots, Empty, Key, ScatterFigure
from easymodel_nb.report.html import Row, table
from easymodel_nb.report.paired import direction
from easymodel_nb.report.points import kept_epoch
from easymodel_nb.report.scale import linear_axis
from easymodel_nb.runlog.headline import task_of
from easymodel_nb.runlog.view import EpochPoint, RunView

_HOW = (
    "The predictions are sorted by the probability the model gave to its answer and cut into bins; "
    "a point is the mean probability of a bin and the share of it that is right. On the dotted "
    "line a model is as often right as it is sure; below it, it is too sure. ECE, the expected "
    "calibration error, is the mean distance from the line, each bin weighted by its predictions: "
    "sum_b n_b / n |accuracy_b - confidence_b|. A bin of a few predictions says little; ECE is "
    "a little above 0 by chance even for a perfect model."
)


class Bin(NamedTuple):
    """Predictions of about the same confidence."""

    confidence: float
    accuracy: float
    low: float
    high: float
    n: int


def calibration_content(view: RunView) -> PanelContent | None:
    """What the panel shows of a run, or None where its log has nothing of it."""
    at = _point(view)
    raw = at_point(at, "calibration")
    ece, bins = typed(raw.get("ece")), bins_of(raw.get("bins"))
    if at is None or (ece is None and not bins):
        return None
    if not bins:
        why = ece.reason if ece is not None and ece.reason else "No prediction has a probability"
        figure: ScatterFigure | Empty = Empty("Calibration is not computed", sentence(why))
    else:
        figure = _figure(bins, at)
    return PanelContent(
        title=_title(ece, bins, typed(raw.get("overconfidence"))),
        caption=_caption(view, ece, bins, at),
        how=_HOW,
        figures=(figure,),
        details=_table(bins) if bins else "",
        data=_data(bins, at) if bins else None,
        layout="stack",
    )


def _point(view: RunView) -> EpochPoint | None:
    known = [p for p in view.points if p.epoch > 0 and at_point(p, "calibration")]
    kept = kept_epoch(view)
    return next((p for p in known if p.epoch == kept), known[-1] if known else None)


def bins_of(raw: object) -> list[Bin]:
    """The bins that hold a prediction, by confidence."""
    rows = raw if isinstance(raw, Sequence) and not isinstance(raw, str) else ()
    found = []
    for row in rows:
        if not isinstance(row, Mapping):
            continue
        sure, right = _number(row.get("confidence")), typed(row.get("accuracy"))
        share = right.value if right is not None else _number(row.get("accuracy"))
        n = row.get("n")
        if sure is None or share is None or not isinstance(n, int) or n < 1:
            continue
        low, high = (right.low, right.high) if right is not None else (None, None)
        ends = [math.nan if end is None else end for end in (low, high)]
        found.append(Bin(sure, share, ends[0], ends[1], n))
    return sorted(found)


def _number(raw: object) -> float | None:
    m = typed(raw)
    if m is not None:
        return m.value
    return float(raw) if isinstance(raw, int | float) else None


def _figure(bins: Sequence[Bin], at: EpochPoint) -> ScatterFigure:
    axis = linear_axis([0.0, 1.0], parts=5)
    label = "as often right as sure"
    return ScatterFigure(
        series={
            "tuned": Dots(
                [b.confidence for b in bins], [b.accuracy for b in bins], [_tip(b) for b in bins]
            )
        },
        x=axis,
        y=axis,
        x_name="probability of the answer",
        y_name="share that is right",
        diagonal=label,
        legend=(Key("tuned", f"tuned, epoch {write.epoch(at.epoch)}"), Key("human", label)),
    )


def _tip(b: Bin) -> str:
    parts = [f"{write.share(b.confidence)} sure, {write.share(b.accuracy)} right"]
    if math.isfinite(b.low) and math.isfinite(b.high):
        parts.append(f"95 %: {write.cosine(b.low)} to {write.cosine(b.high)}")
    parts.append(write.plural(b.n, "prediction"))
    return ", ".join(parts)


def _title(ece: Measured | None, bins: Sequence[Bin], over_sure: Measured | None) -> str:
    """What the bins say, where all predictions together say so too: of ten, one may by chance."""
    if not bins:
        return "Calibration"
    known = [b for b in bins if math.isfinite(b.low) and math.isfinite(b.high)]
    over = sum(b.high < b.confidence for b in known)
    under = sum(b.low > b.confidence for b in known)
    says = direction(over_sure)
    if known and over and not under and says == "rose":
        return f"Too sure in {over} of {len(bins)} bins"
    if known and under and not over and says == "fell":
        return f"Not sure enough in {under} of {len(bins)} bins"
    if ece is not None and ece.value is not None:
        return f"Expected calibration error {write.cosine(ece.value)}"
    return "Calibration by confidence"


def _caption(view: RunView, ece: Measured | None, bins: Sequence[Bin], at: EpochPoint) -> str:
    parts = []
    if ece is not None and ece.value is not None:
        interval = write.level(ece, write.cosine)
        parts.append(f"ECE {write.cosine(ece.value)}" + (f" ({interval})" if interval else ""))
    n = (ece.n if ece is not None else None) or sum(b.n for b in bins)
    many = "word" if task_of(view) == "token_classification" else "text"
    parts += [write.plural(n, f"validation {many}"), f"epoch {write.epoch(at.epoch)}"]
    return ", ".join(parts)


def _table(bins: Sequence[Bin]) -> str:
    rows = [
        Row(
            [
                write.cosine(b.confidence),
                write.cosine(b.accuracy),
                f"{write.cosine(b.low)} to {write.cosine(b.high)}"
                if math.isfinite(b.low) and math.isfinite(b.high)
                else "&ndash;",
                f"{b.n:,}",
            ]
        )
        for b in bins
    ]
    columns = ["probability", "right", "95 %", "predictions"]
    return table("Mean probability of each bin and the share of it that is right", columns, rows)


def _data(bins: Sequence[Bin], at: EpochPoint) -> DataTable:
    def known(value: float) -> float | None:
        return value if math.isfinite(value) else None

    rows = [(at.epoch, b.confidence, b.accuracy, known(b.low), known(b.high), b.n) for b in bins]
    columns = ["epoch", "confidence", "accuracy", "low", "high", "n"]
    return DataTable("calibration", columns, rows)
