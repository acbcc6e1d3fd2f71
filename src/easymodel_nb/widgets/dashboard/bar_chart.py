"""Horizontal bars by category from 0, base above tuned, with 95 % intervals and notes at the right.

A bar is a line as thick as a bar: its height stays 11 px however many rows there are, it begins
exactly at 0, and each has a tooltip of its own, which bqplot's bars have not. A row is one unit of
the vertical scale, 32 px, the first at the top.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from easymodel_nb.report.figures import SERIES, Bar, BarFigure, BarRow
from easymodel_nb.report.scale import Axis
from easymodel_nb.widgets.dashboard import marks
from easymodel_nb.widgets.dashboard.ink import ink

_ROW, _THICK, _BETWEEN = 32, 11, 1
_TOP, _BOTTOM = 8, 44
_LONGEST = 16  # characters of a name; the tooltip has all of it
_LEAST, _NARROWEST, _WIDEST = 76, 44, 100


class BarChart:
    """Pairs of bars by row; its series are those it was made with."""

    def __init__(self, like: BarFigure) -> None:
        self._series = tuple(like.series)
        self._x, self._y = marks.scale(), marks.scale()
        self._x_axis = marks.axis(self._x, "bottom", "solid")
        on = {"x": self._x, "y": self._y}
        self._zero = marks.lines(on, "line3")
        self._bars = {
            name: marks.lines(
                on,
                SERIES[name].token,
                stroke_width=float(_THICK),
                labels=[],
                tooltip=marks.tooltip(),
            )
            for name in self._series
        }
        self._intervals = marks.lines(on, "text", stroke_width=1.25)
        self._names = marks.label(on, "text", x_offset=-8, align="end")
        self._notes = marks.label(on, "text", x_offset=10)
        self.figure = marks.figure(
            [self._zero, *self._bars.values(), self._intervals, self._names, self._notes],
            [self._x_axis],
            height=f"{like.height}px",
            margin=marks.margin(_TOP, _NARROWEST, _BOTTOM, _left(())),
            classes="emnb-crossed",
        )

    def show(self, figure: BarFigure) -> None:
        """Show these rows."""
        rows, count = figure.rows, max(1, len(figure.rows))
        notes = [row.note for row in rows]
        right = marks.right_margin(notes, least=_NARROWEST, most=_WIDEST)
        marks.put(self.figure, fig_margin=marks.margin(_TOP, right, _BOTTOM, _left(rows)))
        marks.put(self.figure.layout, height=f"{figure.height}px")
        marks.show_x_axis(self._x_axis, self._x, figure.x, figure.x_name)
        marks.put(self._y, min=0.0, max=float(count))
        low = figure.x.low
        marks.put(self._zero, x=np.array([low, low]), y=np.array([0.0, count]), visible=True)
        heights = [count - index - 0.5 for index in range(len(rows))]
        for name in self._series:
            self._show_bars(name, rows, heights, low)
        self._show_intervals(rows, heights, figure.x)
        marks.put_label(self._names, [low] * len(rows), heights, [_short(r.name) for r in rows])
        tones = [ink("text2" if row.quiet else "text") for row in rows]
        marks.put(self._notes, colors=tones or [ink("text")])
        marks.put_label(self._notes, [figure.x.high] * len(rows), heights, notes)

    def _show_bars(
        self, name: str, rows: Sequence[BarRow], heights: Sequence[float], low: float
    ) -> None:
        at = [
            (row, bar, height)
            for row, height in zip(rows, heights, strict=True)
            if math.isfinite((bar := row.bars.get(name, Bar())).value)
        ]
        shift = self._shift(name)
        marks.put(
            self._bars[name],
            x=_pairs([(low, bar.value) for _, bar, _ in at]),
            y=_pairs([(height + shift,) * 2 for _, _, height in at]),
            labels=[bar.tip or row.name for row, bar, _ in at],
            visible=bool(at),
        )

    def _show_intervals(self, rows: Sequence[BarRow], heights: Sequence[float], x: Axis) -> None:
        found = [
            ((max(bar.low, x.low), min(bar.high, x.high)), height + self._shift(name))
            for row, height in zip(rows, heights, strict=True)
            for name, bar in row.bars.items()
            if name in self._series and math.isfinite(bar.low) and math.isfinite(bar.high)
        ]
        marks.put(
            self._intervals,
            x=_pairs([ends for ends, _ in found]),
            y=_pairs([(height, height) for _, height in found]),
            visible=bool(found),
        )

    def _shift(self, name: str) -> float:
        """How far from the middle of its row a series lies, the first one above."""
        place = (len(self._series) - 1) / 2 - self._series.index(name)
        return place * (_THICK + _BETWEEN) / _ROW


def _pairs(ends: Sequence[tuple[float, float]]) -> Any:
    """A line of two points a row; a single one flat, as bqplot squeezes it."""
    made = np.array(ends, dtype=float)
    return made[0] if len(made) == 1 else made


def _left(rows: Sequence[BarRow]) -> int:
    """Room for the names."""
    longest = max((len(_short(row.name)) for row in rows), default=0)
    return max(_LEAST, 10 + math.ceil(longest * marks.CHARACTER))


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1].rstrip() + "…"
