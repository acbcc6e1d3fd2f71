"""The curves of several runs in one figure: any number they share, along steps or time."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from easymodel_nb.report import numbers as write
from easymodel_nb.report.compare_view import Along
from easymodel_nb.report.compared import STYLES, ComparedRun
from easymodel_nb.report.figures import Empty, Figure, Line, LineFigure
from easymodel_nb.report.html import Row, table
from easymodel_nb.report.lines import finite
from easymodel_nb.report.scale import Axis, evenly, linear_axis, ratio_axis, step_axis, thin
from easymodel_nb.runlog.clock import minutes_at
from easymodel_nb.runlog.headline import METRICS, PERPLEXITY, measured_at
from easymodel_nb.runlog.view import RunView

LOSS = "loss"
_MOST_ROWS = 12  # of the numbers of one run
_BITS = "task.bits_per_byte"
_NAMES = {
    LOSS: "training loss",
    _BITS: "bits per byte",
    "task.loss": "validation loss",
    "quality.overall": "GQS",
    "semantics.consistency": "consistency",
}
_LOWER = frozenset({LOSS, _BITS, "task.loss", PERPLEXITY.key})
AXES: dict[Along, str] = {
    "epoch": "epoch",
    "step": "step",
    "tokens": "tokens trained",
    "minutes": "minutes of training and measuring",
}


class Curves(NamedTuple):
    """The figure, and why a run is not in it."""

    figure: Figure
    missing: list[str]


def metrics_in(runs: Sequence[ComparedRun], against: ComparedRun) -> list[str]:
    """The numbers that runs of the reference's task have, its headline first."""
    alike = [run for run in runs if run.kind == against.kind]
    wanted = dict.fromkeys([*(metric.key for metric in METRICS[against.kind]), *_NAMES])
    return [key for key in wanted if any(_points(run, key) for run in alike)]


def metric_name(key: str, kind: str = "") -> str:
    """How a number is called, in runs of that kind."""
    kinds = [METRICS[kind], *METRICS.values()] if kind else METRICS.values()
    named: dict[str, str] = {}
    for metrics in kinds:
        for metric in metrics:
            named.setdefault(metric.key, metric.name)
    return _NAMES.get(key) or named.get(key, key)


def default_metric(runs: Sequence[ComparedRun], against: ComparedRun) -> str:
    """The headline of the reference; bits per byte where perplexities do not compare."""
    found = METRICS[against.kind][0].key
    alike = [run for run in runs if run.kind == against.kind]
    several = len({run.model for run in alike}) > 1
    if found == PERPLEXITY.key and several and all(_points(run, _BITS) for run in alike):
        return _BITS
    return found


def curves(runs: Sequence[ComparedRun], against: ComparedRun, metric: str, along: Along) -> Curves:
    """The figure of these runs, whose places give them their styles.

    Runs of another task than the reference `against` are left out: their numbers, also those of
    the same name, are of another kind.
    """
    lines: dict[str, Line] = {}
    missing = [_other_task(runs, against)] if _other_task(runs, against) else []
    name = metric_name(metric, against.kind)
    for style, run in zip(STYLES, runs, strict=False):
        if run.kind != against.kind:
            continue
        found = _points(run, metric)
        if not found:
            missing.append(f"{run.name} has no {name}.")
            continue
        place = _placer(run, along)
        if place is None:
            missing.append(f"{run.name}: {_unknown(along)}")
            continue
        lines[style] = _line(run, found, place, name, AXES[along])
    if not lines:
        return Curves(Empty(f"No {name} to draw", " ".join(missing)), [])
    values = finite(lines.values())
    y = ratio_axis(values) if metric == PERPLEXITY.key else linear_axis(values)
    better = "lower" if metric in _LOWER else "higher"
    figure = LineFigure(
        styles=STYLES,
        lines=lines,
        x=_x_axis([x for line in lines.values() for x in line.x], along),
        y=y,
        x_name=AXES[along],
        y_name=f"{name}{', log' if y.log else ''}, {better} is better",
        height=260,
    )
    return Curves(figure, missing)


def _other_task(runs: Sequence[ComparedRun], against: ComparedRun) -> str:
    """Which runs have no place among the curves."""
    left = [run for run in runs if run.kind != against.kind]
    if not left:
        return ""
    named = ", ".join(f"{run.name} ({run.kind.replace('_', ' ')})" for run in left)
    return f"Not among the curves, because of another task than {against.name}: {named}."


def _x_axis(values: Sequence[float], along: Along) -> Axis:
    """Whole steps and epochs; else nice numbers, in minutes down to parts of one."""
    if along in {"epoch", "step"}:
        return step_axis(max(values))
    return linear_axis(values, parts=6, zero=True)


def numbers_html(
    runs: Sequence[ComparedRun], against: ComparedRun, metric: str, along: Along
) -> str:
    """The numbers behind the curves: at most a dozen points of each run."""
    rows = []
    for run in (run for run in runs if run.kind == against.kind):
        found, place = _points(run, metric), _placer(run, along)
        for point in (found[n] for n in evenly(len(found), _MOST_ROWS)):
            x = place(point) if place is not None else None
            if x is not None:
                rows.append(Row([run.name, write.significant(x), *_cells(point)]))
    name = metric_name(metric, against.kind)
    columns = ["run", AXES[along], name, "95 %"]
    caption = f"{name[:1].upper()}{name[1:]} of each run"
    return table(caption, columns, rows) if rows else ""


def _cells(point: "_Point") -> tuple[str, str]:
    value = write.significant(point.value)
    if math.isnan(point.low) or math.isnan(point.high):
        return value, "&ndash;"
    return value, f"{write.significant(point.low)} to {write.significant(point.high)}"


class _Point(NamedTuple):
    step: int
    epoch: float
    value: float
    low: float
    high: float


def _points(run: ComparedRun, metric: str) -> list[_Point]:
    if metric == LOSS:
        found = [p for p in run.view.curve if p.loss is not None]
        kept = thin([p.loss or 0.0 for p in found])
        return [
            _Point(p.step, p.epoch, p.loss or 0.0, math.nan, math.nan)
            for p in (found[place] for place in kept)
        ]
    made = []
    for point in sorted(run.view.points, key=lambda p: p.step):
        m = measured_at(point.analytics, metric)
        if m is not None and m.value is not None:
            low, high = (math.nan if v is None else v for v in (m.low, m.high))
            made.append(_Point(point.step, point.epoch, m.value, low, high))
    return made


def _placer(run: ComparedRun, along: Along) -> Callable[[_Point], float | None] | None:
    """Where a point lies on the axis; None where that is not known of the run."""
    if along == "epoch":
        return lambda point: point.epoch
    if along == "step":
        return lambda point: float(point.step)
    if along == "minutes":
        return (lambda point: minutes_at(run.ticks, point.step)) if run.ticks else None
    each = tokens_per_step(run.view)
    return None if each is None else lambda point: each * point.step


def tokens_per_step(view: RunView) -> float | None:
    """Tokens of a step in the mean, once the run has counted them all."""
    tokens, steps = view.summary.get("tokens"), view.summary.get("steps")
    if not isinstance(tokens, int | float) or not isinstance(steps, int | float) or steps <= 0:
        return None
    return float(tokens) / float(steps)


def _unknown(along: Along) -> str:
    if along == "tokens":
        return "its tokens are counted when it has ended."
    return "when it trained is not known."


def _line(
    run: ComparedRun,
    found: Sequence[_Point],
    place: Callable[[_Point], float | None],
    name: str,
    axis: str,
) -> Line:
    placed = [(x, point) for point in found if (x := place(point)) is not None]
    last = placed[-1][1].value if placed else math.nan
    return Line(
        x=[x for x, _ in placed],
        y=[p.value for _, p in placed],
        low=[p.low for _, p in placed],
        high=[p.high for _, p in placed],
        label=f"{run.name} {write.significant(last)}",
        tips=[
            f"{run.name}, {axis} {write.significant(x)}: {name} {write.significant(p.value)}"
            for x, p in placed
        ],
    )
