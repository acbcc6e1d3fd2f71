"""Horizontal bars by category with their intervals, and what stands at their right end."""

import math

from easymodel_nb.report.figures import Bar, BarFigure, BarRow
from easymodel_nb.report.scale import Axis
from easymodel_nb.report.svg import ink
from easymodel_nb.report.svg.axes import BOTTOM, GAP, TOP, Frame, legend, style_of, x_axis
from easymodel_nb.report.svg.widths import fit, width

_ROW, _BAR = 32.0, 11.0
_MOST_LEFT, _MOST_RIGHT = 0.34, 0.3  # of the width


def draw(figure: BarFigure, wide: float) -> tuple[str, float]:
    """The drawing, and its height."""
    keys = legend(figure.legend, wide, filled=True)
    names = max((width(row.name, ink.SIZE) for row in figure.rows), default=0.0)
    notes = max((width(row.note, ink.SIZE, bold=True) for row in figure.rows), default=0.0)
    top = keys.height + TOP
    row = max(_ROW, len(figure.series) * (_BAR + 1) + 8)
    frame = Frame(
        left=min(max(names + 14, 40.0), wide * _MOST_LEFT),
        top=top,
        right=wide - min(max(notes + GAP + 4, 16.0), wide * _MOST_RIGHT),
        bottom=top + row * max(1, len(figure.rows)),
        x=figure.x,
        y=Axis(0.0, 1.0, [], []),
    )
    parts = [keys.drawn, x_axis(frame, figure.x_name, grid=True)]
    for index, category in enumerate(figure.rows):
        middle = top + row * (index + 0.5)
        parts.append(_row(frame, figure, category, middle))
        parts.append(_note(frame, category, middle, wide))
    parts.append(ink.stroke([(frame.left, top), (frame.left, frame.bottom)], "line3"))
    return "".join(parts), frame.bottom + BOTTOM


def _row(frame: Frame, figure: BarFigure, row: BarRow, middle: float) -> str:
    name = fit(row.name, frame.left - 12, ink.SIZE)
    parts = [ink.words(name, frame.left - 8, middle + 4, "text", "end", full=row.name)]
    tall = len(figure.series) * (_BAR + 1) - 1
    for index, series in enumerate(figure.series):
        y = middle - tall / 2 + index * (_BAR + 1)
        if (bar := row.bars.get(series)) is not None:
            parts.append(_bar(frame, series, bar, y))
    return "".join(parts)


def _bar(frame: Frame, series: str, bar: Bar, y: float) -> str:
    if not math.isfinite(bar.value):
        return ink.words("n/a", frame.left + 4, y + _BAR - 2, "text3", full=bar.tip)
    start, end = frame.across(max(0.0, frame.x.low)), frame.across(bar.value)
    token = style_of(series).token
    left, wide = min(start, end), abs(end - start)
    parts = [ink.rect(left, y, wide, _BAR, f"f-{token}", title=bar.tip)]
    if math.isfinite(bar.low) and math.isfinite(bar.high):
        middle = y + _BAR / 2
        ends = [
            (min(max(frame.across(value), frame.left), frame.right), middle)
            for value in (bar.low, bar.high)
        ]
        parts.append(ink.stroke(ends, "text", 1.25, title=bar.tip))
    return "".join(parts)


def _note(frame: Frame, row: BarRow, middle: float, wide: float) -> str:
    x = frame.right + GAP
    text = fit(row.note, wide - x - 2, ink.SIZE, bold=not row.quiet)
    token = "text2" if row.quiet else "text"
    return ink.words(text, x, middle + 4, token, bold=not row.quiet, full=row.note)
