"""The panel of perplexity by epoch: its lines, its table, and what stands there before them."""

from collections.abc import Sequence

from easymodel_nb.measured import Measured
from easymodel_nb.report import numbers as write
from easymodel_nb.report.content import PanelContent
from easymodel_nb.report.figures import Empty, LineFigure, LineStyle
from easymodel_nb.report.html import Row, number, table
from easymodel_nb.report.lines import (
    constant_line,
    finite,
    kept_line,
    measured_line,
    reasons,
)
from easymodel_nb.report.points import Point, base, kept_epoch, known, points, shape
from easymodel_nb.report.scale import evenly, ratio_axis, step_axis
from easymodel_nb.runlog.headline import METRICS, PERPLEXITY, task_of
from easymodel_nb.runlog.view import RunView

STYLES = {
    "base": LineStyle("base", dash="dashed"),
    "kept": LineStyle("text3", dash="dotted", note=True, width=1.25),
    "train": LineStyle("train", marker="circle", band=True),
    "validation": LineStyle("validation", marker="square", band=True),
}
_MOST_ROWS = 60
_UNDEFINED = "The task chooses among labels: there is no text whose tokens could be scored."
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
            figures=(_nothing(view, found),),
        )
    start = base(found)
    last = max(view.epochs, values[-1].epoch)
    lines = {
        name: measured_line(name, [(p.epoch, getattr(p, name)) for p in found])
        for name in ("train", "validation")
    }
    if (level := constant_line("base", start, last)) is not None:
        lines["base"] = level
    axis = ratio_axis(finite(lines.values()))
    bottom = 10**axis.low if axis.log else axis.low
    lines |= kept_line(view, [(p.epoch, p.validation) for p in found], bottom)
    return PanelContent(
        title=shape(found),
        caption=_caption(found),
        how=_HOW,
        figures=(
            LineFigure(
                styles=STYLES,
                y_name=f"perplexity{', log' if axis.log else ''}, lower is better",
                x_name="epoch",
                lines=lines,
                x=step_axis(last),
                y=axis,
            ),
        ),
        table=_table(found, kept_epoch(view)),
    )


def _caption(found: Sequence[Point]) -> str:
    parts = ["Token-weighted perplexity"]
    for split in ("validation", "train"):
        n = next((m.n for p in found if (m := getattr(p, split)) is not None and m.n), None)
        if n:
            parts.append(f"{write.count(n)} {split} texts")
    if any(m.low is not None for p in found for m in (p.validation, p.train) if m is not None):
        parts.append("band 95 %")
    why = _reasons(found)
    return ", ".join(parts) + (f". n/a: {why[0]}" if why else "")


def _reasons(found: Sequence[Point]) -> list[str]:
    """Why a value is missing, each reason once, the latest first."""
    return reasons(m for p in reversed(found) for m in (p.validation, p.train))


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


def _nothing(view: RunView, found: Sequence[Point]) -> Empty:
    """The dashed box: why there is no perplexity, or when it comes."""
    if why := _reasons(found):
        what = "is not computed" if METRICS[task_of(view)][0] is PERPLEXITY else "is not defined"
        return Empty(f"Perplexity {what}", why[0])
    if METRICS[task_of(view)][0] is not PERPLEXITY:
        return Empty("Perplexity is not defined", _UNDEFINED)
    if view.active:
        return Empty(
            "Perplexity comes here", f"Of the base model before training, then {_when(view)}"
        )
    ends = {
        "failed": "The run failed before the base model was measured.",
        "stopped": "The run was stopped before the base model was measured.",
        "interrupted": "The run was interrupted before the base model was measured.",
    }
    return Empty("Perplexity is not computed", ends.get(view.status, "Nothing was measured."))


def _when(view: RunView) -> str:
    """When the first point after the base model comes: "after epoch 1, in about 40 s."."""
    steps_left = view.max_steps - view.step
    if view.seconds_left is None or steps_left <= 0 or view.epochs <= 0:
        return "after epoch 1."
    first = view.max_steps / view.epochs
    seconds = (first - view.step) * view.seconds_left / steps_left
    return f"after epoch 1, in about {write.about(seconds)}." if seconds > 0 else "after epoch 1."
