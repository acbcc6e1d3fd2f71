"""The panel of perplexity by epoch: its lines, its table, and what stands there before them."""

from collections.abc import Sequence

from easymodel_nb.measured import Measured
from easymodel_nb.report import numbers as write
from easymodel_nb.report.content import DataTable, PanelContent
from easymodel_nb.report.course import course
from easymodel_nb.report.figures import Empty, LineFigure, LineStyle
from easymodel_nb.report.finding import finding
from easymodel_nb.report.gains import gain_html, gain_text
from easymodel_nb.report.html import Row, number, table
from easymodel_nb.report.lines import (
    constant_line,
    finite,
    kept_line,
    measured_line,
    reasons,
)
from easymodel_nb.report.paired import change_at
from easymodel_nb.report.points import (
    Point,
    at_epoch,
    base,
    kept_epoch,
    known,
    points,
    result,
    values,
)
from easymodel_nb.report.scale import evenly, ratio_axis, step_axis
from easymodel_nb.report.waiting import when
from easymodel_nb.runlog.headline import METRICS, PERPLEXITY, task_of
from easymodel_nb.runlog.scores import Scores
from easymodel_nb.runlog.view import RunView

STYLES = {
    "base": LineStyle("base", dash="dashed"),
    "kept": LineStyle("text3", dash="dotted", note=True, width=1.25),
    "train": LineStyle("train", marker="circle", band=True),
    "validation": LineStyle("validation", marker="square", band=True),
}
_MOST_ROWS = 60
_UNDEFINED = "The task chooses among labels: there is no text whose tokens could be scored."
_BITS = "task.bits_per_byte"
_HOW = (
    "The exponential of the summed negative log-likelihood of all scored tokens divided by "
    "their number, exp(sum nll / tokens): one division for the whole set, never a mean of "
    "batches. The model is in evaluation mode, the texts and the way they are cut are the same at "
    "every point, prompt tokens are not scored. The base model is measured before the first step. "
    "The band is a 95 % bootstrap interval over the texts. The change from the base model is "
    "paired, text by text: 100 x (exp(mean nll after - mean nll before) - 1) percent, with a 95 % "
    "interval from 2,000 resamples of the texts; of two epochs only what such an interval carries "
    "is said. Bits per byte are sum nll / (ln 2 x bytes of the text): they compare models with "
    "different tokens."
)


_CONDITIONAL = (
    " It is conditional on the source: only the tokens of the target are scored, each after the "
    "true ones before it."
)


def _how(view: RunView) -> str:
    return _HOW + (_CONDITIONAL if task_of(view) == "seq2seq" else "")


def perplexity_content(view: RunView, scores: Sequence[Scores] = ()) -> PanelContent:
    """What the panel shows of a run; `scores` compare two epochs text by text."""
    found = points(view)
    if not any(known(p.validation) or known(p.train) for p in found):
        return PanelContent(
            title="Perplexity by epoch",
            caption="Token-weighted, lower is better",
            how=_how(view),
            figures=(_nothing(view, found),),
        )
    measured = [p for p in found if known(p.validation) or known(p.train)]
    start = base(found)
    last = max(view.epochs, measured[-1].epoch)
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
        title=_title(view, scores),
        caption=_caption(view, found),
        how=_how(view),
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
        details=_changes(view, found),
        data=_data(view, found),
    )


def _title(view: RunView, scores: Sequence[Scores]) -> str:
    """The course over the epochs; where nothing can be said of it, what became of it."""
    told = course(view, PERPLEXITY, scores)
    if told or METRICS[task_of(view)][0] is not PERPLEXITY:
        return told or "Perplexity by epoch"
    return finding(view, scores) if len(values(view, PERPLEXITY.key)) > 1 else "Perplexity by epoch"


def _caption(view: RunView, found: Sequence[Point]) -> str:
    parts = ["Token-weighted perplexity"]
    after = result(view, found)
    change = change_at(view, PERPLEXITY.key, after.epoch) if after is not None else None
    if said := gain_text(change, write.percents, unit=" %"):
        parts.append(f"from the base {said}")
    for split in ("validation", "train"):
        n = next((m.n for p in found if (m := getattr(p, split)) is not None and m.n), None)
        if n:
            parts.append(f"{write.count(n)} {split} texts")
    bits = at_epoch(view, _BITS, after.epoch if after is not None else None)
    if bits is not None and bits.value is not None:
        start = next((v.measured.value for v in values(view, _BITS) if v.epoch == 0), None)
        beside = f" (base {write.significant(start)})" if start is not None and after else ""
        parts.append(f"{write.significant(bits.value)} bits per byte{beside}")
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


def _changes(view: RunView, found: Sequence[Point]) -> str:
    """The paired change from the base model and bits per byte at each point, folded."""
    late = "there is no paired interval for this point"
    bits = {v.epoch: v.measured for v in values(view, _BITS)}
    rows = []
    for p in (found[i] for i in evenly(len(found), _MOST_ROWS)):
        changes = [
            gain_html(change_at(view, key, p.epoch), write.percents, late, better="fell", unit=" %")
            if p.epoch
            else "&ndash;"
            for key in (PERPLEXITY.key, "perplexity.train")
        ]
        rows.append(
            Row(
                [
                    "base" if p.epoch == 0 else write.epoch(p.epoch),
                    *changes,
                    _cell(bits.get(p.epoch)),
                ]
            )
        )
    columns = ["epoch", "validation, change, 95 %", "train, change, 95 %", "bits per byte"]
    return table("Paired change of the perplexity from the base, and bits per byte", columns, rows)


def _data(view: RunView, found: Sequence[Point]) -> DataTable:
    rows: list[Sequence[str | float | int | None]] = []
    bits = {v.epoch: v.measured for v in values(view, _BITS)}
    for p in found:
        sides = {"validation": p.validation, "train": p.train, "bits_per_byte": bits.get(p.epoch)}
        for name, m in sides.items():
            if m is None:
                continue
            key = _BITS if name == "bits_per_byte" else f"perplexity.{name}"
            change = change_at(view, key, p.epoch)
            ends = (change.value, change.low, change.high) if change is not None else (None,) * 3
            rows.append((p.epoch, p.step, name, m.value, m.low, m.high, m.n, *ends, m.reason))
    columns = ["epoch", "step", "number", "value", "low", "high", "n"]
    columns += ["change", "change_low", "change_high", "reason"]
    return DataTable("perplexity", columns, rows)


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
            "Perplexity comes here", f"Of the base model before training, then {when(view)}"
        )
    ends = {
        "failed": "The run failed before the base model was measured.",
        "stopped": "The run was stopped before the base model was measured.",
        "interrupted": "The run was interrupted before the base model was measured.",
    }
    return Empty("Perplexity is not computed", ends.get(view.status, "Nothing was measured."))
