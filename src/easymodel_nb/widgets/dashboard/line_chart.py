"""Lines with bands, markers and labels at their right end, as one bqplot figure that is reused."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from easymodel_nb.report.figures import Line, LineFigure
from easymodel_nb.report.scale import Axis, spread
from easymodel_nb.widgets.dashboard import marks

MOST_MARKERS = 40
_LABEL_GAP = 14.0
_TOP, _BOTTOM = 8, 38
_NARROWEST, _WIDEST = 76, 132


class LineChart:
    """Lines with bands, markers, and labels at their right end, in the order of its styles."""

    def __init__(self, like: LineFigure) -> None:
        styles, height = like.styles, like.height
        self._styles = dict(styles)
        self._plot_height = height - _TOP - _BOTTOM
        self._x, self._y = marks.scale(), marks.scale()
        self._x_axis = marks.axis(self._x, "bottom", "none")
        self._y_axis = marks.axis(self._y, "left", "solid")
        on = {"x": self._x, "y": self._y}
        self._bands = {n: marks.band(on, s.token) for n, s in styles.items() if s.band}
        self._lines = {
            n: marks.lines(on, s.token, stroke_width=s.width, line_style=s.dash)
            for n, s in styles.items()
        }
        self._markers = {
            n: marks.markers(on, s.token, s.marker) for n, s in styles.items() if s.marker
        }
        self._touched: dict[str, Any] = {}  # unseen points of long lines, made when they have tips
        self._on = on
        self._labels = marks.label(on, "text", x_offset=10)
        self._notes = marks.label(on, "text2", x_offset=6)
        self.figure = marks.figure(
            [
                *self._bands.values(),
                *self._lines.values(),
                *self._markers.values(),
                self._labels,
                self._notes,
            ],
            [self._x_axis, self._y_axis],
            height=f"{height}px",
            margin=self._margin(like),  # a change while the page draws it would come too late
        )

    def show(self, figure: LineFigure) -> None:
        """Show these lines on these axes; their styles are those it was made with."""
        lines, x, y = figure.lines, figure.x, figure.y
        ends = {n: line for n, line in lines.items() if line.label and not self._styles[n].note}
        marks.put(self.figure, fig_margin=self._margin(figure))
        marks.show_axes(
            (self._x_axis, self._x, x), (self._y_axis, self._y, y), x_name=figure.x_name
        )
        for name in self._styles:
            self._show_line(name, lines.get(name, Line()), y)
        self._show_labels(ends, x, y)
        notes = [line for n, line in lines.items() if line.label and self._styles[n].note]
        low = y.low + (y.high - y.low) * 9 / self._plot_height
        marks.put_label(
            self._notes,
            [line.x[-1] for line in notes],
            [low] * len(notes),
            [line.label for line in notes],
        )

    def _margin(self, figure: LineFigure) -> dict[str, int]:
        """Room for the labels at both ends."""
        ends = [n.label for k, n in figure.lines.items() if n.label and not self._styles[k].note]
        right = marks.right_margin(ends, least=_NARROWEST, most=_WIDEST)
        return marks.margin(_TOP, right, _BOTTOM, marks.left_margin(figure.y.texts))

    def _show_line(self, name: str, line: Line, y: Axis) -> None:
        xs = np.array(line.x, dtype=float)
        ys = marks.scaled(line.y, y)
        marks.put(self._lines[name], x=xs, y=ys, visible=len(xs) > 1)
        if name in self._markers:
            few = np.isfinite(ys).sum() <= MOST_MARKERS
            marks.put_markers(
                self._markers[name],
                xs if few else xs[:0],
                ys if few else ys[:0],
                line.tips if few else (),
            )
        self._show_touched(name, line, xs, ys)
        if name in self._bands:
            low, high = marks.scaled(line.low, y), marks.scaled(line.high, y)
            known = np.isfinite(low) & np.isfinite(high)
            shown = known.sum() > 1  # of one point bqplot would make two lines
            edges = np.stack([low[known], high[known]]) if shown else np.zeros((2, 0))
            marks.put(
                self._bands[name],
                x=xs[known] if shown else np.array([]),
                y=edges,
                visible=bool(shown),
            )

    def _show_touched(self, name: str, line: Line, xs: Any, ys: Any) -> None:
        """Points for the pointer alone, where a line has tips but no markers that show them."""
        many = name not in self._markers or np.isfinite(ys).sum() > MOST_MARKERS
        told = many and bool(line.tips)
        if told and name not in self._touched:
            made = marks.markers(
                self._on, self._styles[name].token, "circle", opacities=marks.UNSEEN
            )
            self._touched[name] = made
            self.figure.marks = [*self.figure.marks, made]
        if name in self._touched:
            marks.put_markers(
                self._touched[name],
                xs if told else xs[:0],
                ys if told else ys[:0],
                line.tips if told else (),
            )

    def _show_labels(self, lines: Mapping[str, Line], x: Axis, y: Axis) -> None:
        wanted = [y.share(_last(line)) * self._plot_height for line in lines.values()]
        apart = spread(wanted, gap=_LABEL_GAP, low=0.0, high=float(self._plot_height))
        span = y.high - y.low
        marks.put_label(
            self._labels,
            [x.high] * len(apart),
            [y.low + span * p / self._plot_height for p in apart],
            [line.label for line in lines.values()],
        )


def _last(line: Line) -> float:
    return next((y for y in reversed(line.y) if math.isfinite(y)), math.nan)
