"""Points by series over a grid, the diagonal where y equals x, and a limit across."""

import math

import numpy as np

from easymodel_nb.report.figures import SERIES, Dots, ScatterFigure
from easymodel_nb.widgets.dashboard import marks
from easymodel_nb.widgets.dashboard.ink import ink

_TOP, _BOTTOM, _NARROWEST, _WIDEST = 8, 38, 20, 90
_AREA, _OPACITY, _EDGE = 30, 0.85, 1.25


class ScatterChart:
    """Points by series; its series are those it was made with, the first drawn first, hollow."""

    def __init__(self, like: ScatterFigure) -> None:
        self._x, self._y = marks.scale(), marks.scale()
        self._x_axis = marks.axis(self._x, "bottom", "solid")
        self._y_axis = marks.axis(self._y, "left", "solid")
        on = {"x": self._x, "y": self._y}
        self._diagonal = marks.lines(on, "human", stroke_width=1.5, line_style="dotted")
        self._limit = marks.lines(on, "text3", line_style="dotted")
        self._limit_label = marks.label(on, "text2", x_offset=6)
        self._points = {
            name: marks.markers(
                on,
                SERIES[name].token,
                SERIES[name].marker or "circle",
                default_size=_AREA,
                opacities=np.array([1.0 if name == "base" else _OPACITY]),
                fill=name != "base",
                stroke=ink(SERIES[name].token) if name == "base" else None,
                stroke_width=_EDGE if name == "base" else 0.0,
            )
            for name in like.series
        }
        self.figure = marks.figure(
            [self._diagonal, self._limit, *self._points.values(), self._limit_label],
            [self._x_axis, self._y_axis],
            height=f"{like.height}px",
            margin=marks.margin(_TOP, _NARROWEST, _BOTTOM, marks.left_margin(())),
            classes="emnb-crossed",
        )

    def show(self, figure: ScatterFigure) -> None:
        """Show these points on these axes."""
        x, y = figure.x, figure.y
        label = [figure.limit_label] if figure.limit is not None else []
        right = marks.right_margin(label, least=_NARROWEST, most=_WIDEST)
        left = marks.left_margin(y.texts)
        marks.put(self.figure, fig_margin=marks.margin(_TOP, right, _BOTTOM, left))
        marks.show_axes(
            (self._x_axis, self._x, x), (self._y_axis, self._y, y), x_name=figure.x_name
        )
        # The diagonal as far as both axes go.
        low, high = (
            max(_start(x.low, x.log), _start(y.low, y.log)),
            min(_start(x.high, x.log), _start(y.high, y.log)),
        )
        ends = (low, high)
        marks.put(
            self._diagonal,
            x=marks.scaled(ends, x),
            y=marks.scaled(ends, y),
            visible=bool(figure.diagonal) and high > low,
        )
        across = math.nan if figure.limit is None else y.at(figure.limit)
        shown = math.isfinite(across) and y.low <= across <= y.high
        marks.put(
            self._limit,
            x=np.array([x.low, x.high] if shown else []),
            y=np.array([across, across] if shown else []),
            visible=shown,
        )
        marks.put_label(
            self._limit_label,
            [x.high] if shown else [],
            [across] if shown else [],
            [figure.limit_label] if shown else [],
        )
        for name, mark in self._points.items():
            dots = figure.series.get(name, Dots((), ()))
            marks.put_markers(mark, marks.scaled(dots.x, x), marks.scaled(dots.y, y), dots.tips)


def _start(end: float, log: bool) -> float:  # noqa: FBT001
    """An end of an axis in the units of the data."""
    return 10**end if log else end
