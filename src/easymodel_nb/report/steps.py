"""Small charts by step: one number of the progress lines, at most 500 points, spikes kept."""

import math
from collections.abc import Callable, Sequence

from easymodel_nb.report import numbers as write
from easymodel_nb.report.content import DataTable
from easymodel_nb.report.figures import Empty, Figure, Line, LineFigure, LineStyle
from easymodel_nb.report.html import Row, missing, table
from easymodel_nb.report.lines import finite
from easymodel_nb.report.scale import Axis, evenly, linear_axis, step_axis, thin
from easymodel_nb.runlog.view import CurvePoint, RunView

MOST_POINTS, _MOST_ROWS = 500, 8
_UNKNOWN = "not reported at this step"
_ENDS = {
    "failed": "The run failed before the first step.",
    "stopped": "The run was stopped before the first step.",
    "interrupted": "The run was interrupted before the first step.",
}
Written = Callable[[float], str]


def readings(view: RunView, name: str) -> list[tuple[int, float]]:
    """(step, value) of the progress lines that report it, by step."""
    found = [(point.step, getattr(point, name)) for point in view.curve]
    return [(step, float(v)) for step, v in found if v is not None and math.isfinite(v)]


def step_line(
    found: Sequence[tuple[int, float]], label: str, name: str, written: Written, *, live: bool
) -> Line:
    """The line of some readings, thinned to what an eye can see; every spike stays.

    While the run is under way (`live`) points have no tips: 500 texts would be sent every two
    seconds, at the cost of the training.
    """
    values = [v for _, v in found]
    kept = thin(values, MOST_POINTS)
    return Line(
        x=[found[i][0] for i in kept],
        y=[values[i] for i in kept],
        label=label,
        tips=() if live else [f"{name}, step {found[i][0]:,}: {written(values[i])}" for i in kept],
    )


def small_figure(
    view: RunView,
    name: str,
    what: str,
    written: Written,
    *,
    style: LineStyle,
    unit: str = "",
    height: int = 190,
    why: str = "This run did not report it.",
) -> Figure:
    """A chart of one number by step, its axis from 0, or why there is none.

    `name` is the field of the progress line, `what` its name for people, `unit` how the axis is
    counted.
    """
    found = readings(view, name)
    if not found:
        return nothing(view, what, why, height=height)
    line = step_line(found, written(found[-1][1]), what.lower(), written, live=view.active)
    axis = linear_axis(finite([line]), zero=True)
    return LineFigure(
        styles={name: style},
        lines={name: line},
        x=steps(view),
        y=axis if written is write.significant else with_texts(axis, written),
        x_name="step",
        y_name=f"{what.lower()}{', ' + unit if unit else ''}",
        height=height,
    )


def with_texts(axis: Axis, written: Written) -> Axis:
    """The axis with its ticks written as the values are."""
    return axis._replace(texts=[written(tick) for tick in axis.ticks])


def steps(view: RunView) -> Axis:
    """The axis of steps, from 0 to the last one planned."""
    return step_axis(max(view.max_steps, view.curve[-1].step if view.curve else 0))


def nothing(view: RunView, what: str, why: str, *, height: int = 226) -> Empty:
    """What keeps the place of such a chart."""
    if view.active and not view.curve:
        return Empty(f"{what} comes here", "From the first step on.", height=height)
    told = why if view.curve else _ENDS.get(view.status, "No step was reported.")
    return Empty(f"There is no {what[:1].lower()}{what[1:]}", told, height=height)


def steps_table(view: RunView, caption: str, columns: Sequence[tuple[str, str, Written]]) -> str:
    """Some rows of the progress lines; columns are (field, heading, how it is written)."""
    chosen = [view.curve[i] for i in evenly(len(view.curve), _MOST_ROWS)]
    rows = [Row([f"{p.step:,}", *(_cell(p, name, w) for name, _, w in columns)]) for p in chosen]
    return table(caption, ["step", *(heading for _, heading, _ in columns)], rows, strong=1)


def _cell(point: CurvePoint, name: str, written: Written) -> str:
    found = getattr(point, name)
    return missing(_UNKNOWN) if found is None else written(found)


def steps_data(view: RunView, name: str, columns: Sequence[str]) -> DataTable:
    """Every progress line in full."""
    rows = [(p.step, p.epoch, *(getattr(p, column) for column in columns)) for p in view.curve]
    return DataTable(name, ["step", "epoch", *columns], rows)
