"""The panel of perplexity by epoch: its lines, its table, and what stands there before them."""

import math
from collections.abc import Sequence

from easymodel_nb.measured import Measured
from easymodel_nb.runlog.view import RunView
from easymodel_nb.widgets import dashboard_numbers as write
from easymodel_nb.widgets.charts_line import Line, LineStyle
from easymodel_nb.widgets.charts_scale import evenly, ratio_axis, step_axis
from easymodel_nb.widgets.dashboard_html import Row, empty, number, table
from easymodel_nb.widgets.dashboard_panel import PanelContent
from easymodel_nb.widgets.dashboard_points import Point, base, kept_epoch, known, points, shape

STYLES = {
    "base": LineStyle("base", dash="dashed"),
    "kept": LineStyle("text3", dash="dotted", note=True, width=1.25),
    "train": LineStyle("train", marker="circle", band=True),
    "validation": LineStyle("validation", marker="square", band=True),
}
_MOST_ROWS = 60
_HOW = (
    "The exponential of the summed negative log-likelihood of all scored tokens divided by "
    "their number: one division for the whole set, never a mean of batches. The model is in "
    "evaluation mode, the texts and the way they are cut are the same at every point, prompt "
    "tokens are not scored. The base model is measured before the first step. The band is a "
    "95 % bootstrap interval over the texts."
)


def perplexity_content(view: RunView) -> PanelContent:
    """What the panel shows of a run."""
    found = points(view)
    values = [p for p in found if known(p.validation) or known(p.train)]
    if not values:
        return PanelContent(
            title="Perplexity by epoch",
            caption="Token-weighted, lower is better",
            how=_HOW,
            empty=_nothing(view, found),
        )
    start = base(found)
    last = max(view.epochs, values[-1].epoch)
    lines = {
        name: _line(name, [(p.epoch, getattr(p, name)) for p in found])
        for name in ("train", "validation")
    }
    if start is not None and start.value is not None:
        lines["base"] = Line(
            x=(0.0, last), y=(start.value,) * 2, label=f"base {write.perplexity(start.value)}"
        )
    axis = ratio_axis(
        [v for line in lines.values() for v in (*line.y, *line.low, *line.high) if math.isfinite(v)]
    )
    lines |= _kept(view, found, 10**axis.low if axis.log else axis.low)
    return PanelContent(
        title=shape(found),
        caption=_caption(found),
        how=_HOW,
        y_name=f"perplexity{', log' if axis.log else ''}, lower is better",
        x_name="epoch",
        lines=lines,
        x=step_axis(last),
        y=axis,
        table=_table(found, kept_epoch(view)),
    )


def _line(name: str, measured: Sequence[tuple[float, Measured | None]]) -> Line:
    """The points at which the split was due; one without a value leaves a gap."""
    due = [(epoch, m) for epoch, m in measured if m is not None]
    last = next((m.value for _, m in reversed(due) if m.value is not None), None)
    return Line(
        x=[epoch for epoch, _ in due],
        y=[_or_gap(m.value) for _, m in due],
        low=[_or_gap(m.low) for _, m in due],
        high=[_or_gap(m.high) for _, m in due],
        label=f"{name} {write.perplexity(last)}" if last is not None else "",
        tips=[_tip(name, epoch, m) for epoch, m in due],
    )


def _or_gap(value: float | None) -> float:
    return math.nan if value is None else value


def _tip(name: str, epoch: float, m: Measured) -> str:
    if m.value is None:
        return ""
    parts = [f"{name}, epoch {write.epoch(epoch)}: {write.perplexity(m.value)}"]
    if interval := write.level(m):
        parts.append(f"95 %: {interval}")
    if m.n is not None:
        parts.append(write.plural(m.n, "text"))
    return ", ".join(parts)


def _kept(view: RunView, found: Sequence[Point], bottom: float) -> dict[str, Line]:
    """A dotted line down from the point whose model was kept."""
    kept = kept_epoch(view)
    at = next((p.validation for p in found if p.epoch == kept and known(p.validation)), None)
    if kept is None or at is None or at.value is None:
        return {}
    return {
        "kept": Line(x=(kept, kept), y=(at.value, bottom), label=f"kept: epoch {write.epoch(kept)}")
    }


def _caption(found: Sequence[Point]) -> str:
    parts = ["Token-weighted perplexity"]
    for split in ("validation", "train"):
        n = next((m.n for p in found if (m := getattr(p, split)) is not None and m.n), None)
        if n:
            parts.append(f"{write.count(n)} {split} texts")
    if any(m.low is not None for p in found for m in (p.validation, p.train) if m is not None):
        parts.append("band 95 %")
    reasons = _reasons(found)
    return ", ".join(parts) + (f". n/a: {reasons[0]}" if reasons else "")


def _reasons(found: Sequence[Point]) -> list[str]:
    """Why a value is missing, each reason once, the latest first."""
    latest = [
        m.reason
        for p in reversed(found)
        for m in (p.validation, p.train)
        if m is not None and m.reason
    ]
    return list(dict.fromkeys(latest))


def _table(found: Sequence[Point], kept: float | None) -> str:
    whole = [p for p in found if p.whole or p.epoch == kept]
    rows = found if len(found) <= 12 else whole  # noqa: PLR2004
    chosen = [rows[i] for i in evenly(len(rows), _MOST_ROWS)]
    return table(
        "Perplexity at each measured point, lower is better; epoch 0 is the base model",
        ["epoch", "train", "validation", "95 %"],
        [_row(p, marked=p.epoch == kept) for p in chosen],
        strong=2,
    )


def _row(p: Point, *, marked: bool) -> Row:
    name = "base" if p.epoch == 0 else write.epoch(p.epoch)
    interval = write.level(p.validation) if p.validation is not None else ""
    return Row(
        [
            name,
            _cell(p.train),
            _cell(p.validation),
            interval.replace(" to ", "&nbsp;to ") or "&ndash;",
        ],
        marked=marked,
        quiet=not p.whole,
    )


def _cell(m: Measured | None) -> str:
    shown = write.perplexity(m.value) if m is not None and m.value is not None else ""
    return number(m, shown, "only measured at the end of an epoch")


def _nothing(view: RunView, found: Sequence[Point]) -> str:
    """The dashed box: why there is no perplexity, or when it comes."""
    if reasons := _reasons(found):
        return empty("Perplexity is not computed", reasons[0])
    if view.active:
        return empty(
            "Perplexity comes here", f"Of the base model before training, then {_when(view)}"
        )
    ends = {
        "failed": "The run failed before the base model was measured.",
        "stopped": "The run was stopped before the base model was measured.",
        "interrupted": "The run was interrupted before the base model was measured.",
    }
    return empty("Perplexity is not computed", ends.get(view.status, "Nothing was measured."))


def _when(view: RunView) -> str:
    """When the first point after the base model comes: "after epoch 1, in about 40 s."."""
    steps_left = view.max_steps - view.step
    if view.seconds_left is None or steps_left <= 0 or view.epochs <= 0:
        return "after epoch 1."
    first = view.max_steps / view.epochs
    seconds = (first - view.step) * view.seconds_left / steps_left
    return f"after epoch 1, in about {write.about(seconds)}." if seconds > 0 else "after epoch 1."
