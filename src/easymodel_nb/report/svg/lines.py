"""Lines with bands and markers, labelled at their right end."""

import math

from easymodel_nb.report.figures import Line, LineFigure, LineStyle
from easymodel_nb.report.scale import spread
from easymodel_nb.report.svg import ink
from easymodel_nb.report.svg.axes import (
    BOTTOM,
    GAP,
    NAME,
    TOP,
    Frame,
    left_of,
    legend,
    line_stretches,
    x_axis,
    y_axis,
)
from easymodel_nb.report.svg.widths import fit, width

_MOST_MARKERS = 40
_LABEL_GAP = 14.0
_MOST_RIGHT = 0.4  # of the width, for the labels


def draw(figure: LineFigure, wide: float) -> tuple[str, float]:
    """The drawing, and its height."""
    keys = legend(figure.legend, wide, styles=figure.styles)
    above = keys.height + (NAME if figure.y_name else 0.0)
    ends = {n: k for n, k in figure.lines.items() if k.label and not figure.styles[n].note}
    longest = max((width(line.label, ink.SIZE) for line in ends.values()), default=0.0)
    last = figure.x.texts[-1] if figure.x.texts else ""
    right = max(min(longest + GAP + 4, wide * _MOST_RIGHT), width(last, ink.SIZE) / 2 + 4, 12.0)
    top = above + TOP
    frame = Frame(
        left=left_of(figure.y),
        top=top,
        right=wide - right,
        bottom=top + figure.height - TOP - BOTTOM,
        x=figure.x,
        y=figure.y,
    )
    drawn = [n for n in figure.styles if n in figure.lines]
    parts = [keys.drawn, y_axis(frame, figure.y_name)]
    parts += [_band(frame, figure.lines[n], figure.styles[n]) for n in drawn]
    parts += [_line(frame, figure.lines[n], figure.styles[n]) for n in drawn]
    parts.append(x_axis(frame, figure.x_name))
    parts += [_markers(frame, figure.lines[n], figure.styles[n]) for n in drawn]
    parts.append(_labels(frame, ends, wide))
    parts += [_note(frame, figure.lines[n]) for n in drawn if figure.styles[n].note]
    return "".join(parts), frame.bottom + BOTTOM


def _band(frame: Frame, line: Line, style: LineStyle) -> str:
    if not style.band or not line.low or not line.high:
        return ""
    high = [frame.at(x, y) for x, y in zip(line.x, line.high, strict=True)]
    low = [frame.at(x, y) for x, y in zip(line.x, line.low, strict=True)]
    known = [(h, k) for h, k in zip(high, low, strict=True) if math.isfinite(h[1] + k[1])]
    if len(known) < 2:  # noqa: PLR2004  one point has no area
        return ""
    return ink.area([h for h, _ in known] + [k for _, k in reversed(known)], style.token, 0.2)


def _line(frame: Frame, line: Line, style: LineStyle) -> str:
    return "".join(
        ink.stroke(stretch, style.token, style.width, style.dash)
        for stretch in line_stretches(frame, line)
        if len(stretch) > 1
    )


def _markers(frame: Frame, line: Line, style: LineStyle) -> str:
    if style.marker is None:
        return ""
    tips = line.tips or [""] * len(line.x)
    known = [
        (x, y, said)
        for x, y, said in zip(line.x, line.y, tips, strict=False)
        if math.isfinite(y) and math.isfinite(frame.up(y))
    ]
    if len(known) > _MOST_MARKERS:
        return ""
    return "".join(
        ink.marker(style.marker, *frame.at(x, y), style.token, title=said) for x, y, said in known
    )


def _labels(frame: Frame, ends: dict[str, Line], wide: float) -> str:
    """The names at the lines' ends, pushed apart where they would touch."""
    placed = [(line.label, frame.up(_last(line))) for line in ends.values()]
    placed = [(label, y) for label, y in placed if math.isfinite(y)]
    apart = spread([y for _, y in placed], gap=_LABEL_GAP, low=frame.top, high=frame.bottom)
    x = frame.right + GAP
    return "".join(
        ink.words(fit(label, wide - x - 2, ink.SIZE), x, y + 4, "text", full=label)
        for (label, _), y in zip(placed, apart, strict=True)
    )


def _note(frame: Frame, line: Line) -> str:
    """A label at the lower end of its line, on the side that has room."""
    if not line.label or not line.x:
        return ""
    x, wide = frame.across(line.x[-1]), width(line.label, ink.SIZE)
    if x + 6 + wide <= frame.right:
        return ink.words(line.label, x + 6, frame.bottom - 6)
    return ink.words(line.label, x - 6, frame.bottom - 6, anchor="end")


def _last(line: Line) -> float:
    return next((y for y in reversed(line.y) if math.isfinite(y)), math.nan)
