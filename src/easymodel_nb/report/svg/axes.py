"""The frame of a chart with two axes: where its plot lies, ticks, grid, names, legend."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from easymodel_nb.report.figures import SERIES, Key, Line, LineStyle
from easymodel_nb.report.scale import Axis
from easymodel_nb.report.svg import ink
from easymodel_nb.report.svg.widths import fit, width

TOP, BOTTOM = 8.0, 40.0
NAME, LEGEND = 18.0, 20.0  # heights of the axis name above, and of one row of the legend
GAP = 10.0  # between the plot and what is written at its right
_KEY, _SPACE = 18.0, 14.0
_TICK = 4.0


class Frame(NamedTuple):
    """The plot's edges in pixels, and the axes that place a value in it."""

    left: float
    top: float
    right: float
    bottom: float
    x: Axis
    y: Axis

    def at(self, x: float, y: float) -> ink.Point:
        """Where a point of the data lies; not a number gives a gap."""
        return self.across(x), self.up(y)

    def across(self, x: float) -> float:
        """The pixel of a value of the horizontal axis."""
        return self.left + _share(self.x, x) * (self.right - self.left)

    def up(self, y: float) -> float:
        """The pixel of a value of the vertical axis."""
        return self.bottom - _share(self.y, y) * (self.bottom - self.top)


def _share(axis: Axis, value: float) -> float:
    if axis.log and value <= 0:
        return float("nan")
    return axis.share(value)


def tick_at(axis: Axis, tick: float, start: float, end: float) -> float:
    """The pixel of a tick, which is in the units of the scale."""
    return start + (tick - axis.low) / (axis.high - axis.low) * (end - start)


def left_of(axis: Axis) -> float:
    """The room that the texts of a vertical axis take."""
    return max(30.0, max((width(text, ink.SIZE) for text in axis.texts), default=0.0) + 10)


def y_axis(frame: Frame, name: str) -> str:
    """Grid, tick texts, and the name at the top left."""
    parts = []
    for tick, text in zip(frame.y.ticks, frame.y.texts, strict=True):
        y = tick_at(frame.y, tick, frame.bottom, frame.top)
        parts.append(ink.stroke([(frame.left, y), (frame.right, y)], "line"))
        parts.append(ink.words(text, frame.left - 7, y + 4, anchor="end"))
    room = frame.right - 2
    parts.append(ink.words(fit(name, room, ink.SIZE), 2, frame.top - 10, "text3", full=name))
    return "".join(parts)


def x_axis(frame: Frame, name: str, *, grid: bool = False) -> str:
    """The line, ticks with those texts that have room, and the name at the right below."""
    bottom = frame.bottom
    parts = [ink.stroke([(frame.left, bottom), (frame.right, bottom)], "line3")]
    free = float("-inf")
    for tick, text in zip(frame.x.ticks, frame.x.texts, strict=True):
        x = tick_at(frame.x, tick, frame.left, frame.right)
        if grid:
            parts.append(ink.stroke([(x, frame.top), (x, bottom)], "line"))
        parts.append(ink.stroke([(x, bottom), (x, bottom + _TICK)], "line3"))
        half = width(text, ink.SIZE) / 2
        if x - half >= free:
            parts.append(ink.words(text, x, bottom + 16, anchor="middle"))
            free = x + half + 4
    if name:
        shown = fit(name, frame.right, ink.SIZE)
        parts.append(ink.words(shown, frame.right, bottom + 33, "text3", "end", full=name))
    return "".join(parts)


def line_stretches(frame: Frame, line: Line) -> list[list[ink.Point]]:
    """The line in pixels, broken at its gaps."""
    return ink.runs(frame.at(x, y) for x, y in zip(line.x, line.y, strict=True))


class Legend(NamedTuple):
    """Rows of keys above a figure, and the height they take."""

    drawn: str
    height: float


def legend(
    keys: Sequence[Key],
    room: float,
    *,
    filled: bool = False,
    dots: bool = False,
    styles: Mapping[str, LineStyle] = SERIES,
) -> Legend:
    """The keys in as many rows as they need; `filled` for bars, `dots` where points have no line.

    The key of a series shows the real dash and marker.
    """
    parts, x, y = [], 2.0, 12.0
    for key in keys:
        text = fit(key.label, room - _KEY - 12, ink.SIZE)
        wide = _KEY + 6 + width(text, ink.SIZE)
        if x > 2 and x + wide > room:  # noqa: PLR2004  the row has begun
            x, y = 2.0, y + LEGEND
        parts.append(_key(key.series, x, y - 4, styles, filled=filled, dots=dots))
        parts.append(ink.words(text, x + _KEY + 6, y, full=key.label))
        x += wide + _SPACE
    return Legend("".join(parts), y + 8 if keys else 0.0)


def _key(
    series: str, x: float, y: float, styles: Mapping[str, LineStyle], *, filled: bool, dots: bool
) -> str:
    if series == "interval":
        return ink.stroke([(x, y), (x + _KEY, y)], "text", 1.25)
    style = styles.get(series) or style_of(series)
    if filled:
        return ink.rect(x + 3, y - 5, 12, 10, f"f-{style.token}")
    shown = ""
    if not (dots and style.marker):
        shown = ink.stroke([(x, y), (x + _KEY, y)], style.token, style.width, style.dash)
    if style.marker and (dots or style.dash == "solid"):
        hollow = dots and series == "base"
        shown += ink.marker(style.marker, x + _KEY / 2, y, style.token, hollow=hollow)
    return shown


def style_of(series: str) -> LineStyle:
    """The look of a series; what is none of the five looks like the tuned model's."""
    return SERIES.get(series, SERIES["tuned"])
