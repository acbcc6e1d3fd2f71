"""Points by series, the diagonal where y equals x, and a limit across."""

import math

from easymodel_nb.report.figures import Dots, ScatterFigure
from easymodel_nb.report.svg import ink
from easymodel_nb.report.svg.axes import (
    BOTTOM,
    GAP,
    NAME,
    TOP,
    Frame,
    left_of,
    legend,
    style_of,
    tick_at,
    x_axis,
    y_axis,
)
from easymodel_nb.report.svg.widths import width


def draw(figure: ScatterFigure, wide: float) -> tuple[str, float]:
    """The drawing, and its height."""
    keys = legend(figure.legend, wide, dots=True)
    top = keys.height + (NAME if figure.y_name else 0.0) + TOP
    named = width(figure.limit_label, ink.SIZE) + GAP + 4 if figure.limit is not None else 0.0
    last = figure.x.texts[-1] if figure.x.texts else ""
    frame = Frame(
        left=left_of(figure.y),
        top=top,
        right=wide - max(named, width(last, ink.SIZE) / 2 + 4, 12.0),
        bottom=top + figure.height - TOP - BOTTOM,
        x=figure.x,
        y=figure.y,
    )
    parts = [keys.drawn, y_axis(frame, figure.y_name), x_axis(frame, figure.x_name, grid=True)]
    if figure.diagonal:
        parts.append(_diagonal(frame, figure.diagonal))
    if figure.limit is not None:
        parts.append(_limit(frame, figure.limit, figure.limit_label))
    order = sorted(figure.series.items(), key=lambda item: item[0] != "base")
    parts += [_dots(frame, name, dots) for name, dots in order]
    return "".join(parts), frame.bottom + BOTTOM


def _diagonal(frame: Frame, meaning: str) -> str:
    """The stretch of y = x that both axes hold, in the units of the scale."""
    low = max(frame.x.low, frame.y.low)
    high = min(frame.x.high, frame.y.high)
    if low >= high:
        return ""
    ends = [
        (
            tick_at(frame.x, end, frame.left, frame.right),
            tick_at(frame.y, end, frame.bottom, frame.top),
        )
        for end in (low, high)
    ]
    return ink.stroke(ends, "human", 1.75, "dotted", title=meaning)


def _limit(frame: Frame, limit: float, label: str) -> str:
    y = frame.up(limit)
    if not frame.top - 1 <= y <= frame.bottom + 1:
        return ""
    line = ink.stroke([(frame.left, y), (frame.right, y)], "text3", 1.0, "dotted", title=label)
    return line + ink.words(label, frame.right + GAP, y + 4)


def _dots(frame: Frame, name: str, dots: Dots) -> str:
    style = style_of(name)
    tips = dots.tips or [""] * len(dots.x)
    drawn = []
    for x, y, said in zip(dots.x, dots.y, tips, strict=False):
        across, up = frame.at(x, y)
        if math.isfinite(across) and math.isfinite(up):
            across = min(max(across, frame.left), frame.right)
            up = min(max(up, frame.top), frame.bottom)
            drawn.append(
                ink.marker(
                    style.marker or "circle",
                    across,
                    up,
                    style.token,
                    radius=3.0,
                    hollow=name == "base",
                    title=said,
                )
            )
    return f'<g opacity="0.85">{"".join(drawn)}</g>'
