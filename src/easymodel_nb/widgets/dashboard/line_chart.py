"""A line chart in the look of the studio, as one bqplot figure that lives as long as the page.

What is shown changes by replacing traits of the same marks and scales, under
`hold_sync`: one message a mark, no new view in the browser. Importing this
module imports bqplot and with it pandas, so it is imported with the first figure.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import bqplot
import ipywidgets
import numpy as np

from easymodel_nb.report.figures import Line, LineFigure, LineStyle
from easymodel_nb.report.scale import Axis, spread
from easymodel_nb.widgets.dashboard.ink import ink

MOST_MARKERS = 40
_LABEL_GAP = 14.0
_TOP, _BOTTOM, _LEFT = 8, 38, 38
_NARROWEST, _WIDEST = 76, 132
_CHARACTER = 6.4  # pixels of one, in the widest font system-ui gives at 11 px
_MARKER_AREA = {"circle": 38, "square": 42, "diamond": 42, "triangle-up": 42}
_RING = 1.0


class LineChart:
    """Lines with bands, markers, and labels at their right end, in the order of its styles."""

    def __init__(self, like: LineFigure) -> None:
        styles, height = like.styles, like.height
        self._styles = dict(styles)
        self._plot_height = height - _TOP - _BOTTOM
        self._x = bqplot.LinearScale(min=0.0, max=1.0, allow_padding=False)
        self._y = bqplot.LinearScale(min=0.0, max=1.0, allow_padding=False)
        self._x_axis = _axis(self._x, "bottom", "none")
        self._y_axis = _axis(self._y, "left", "solid")
        scales = {"x": self._x, "y": self._y}
        self._bands = {n: _band(s, scales) for n, s in styles.items() if s.band}
        self._lines = {n: _line(s, scales) for n, s in styles.items()}
        self._markers = {n: _marker(s, scales) for n, s in styles.items() if s.marker}
        self._labels = _label(scales, "text")
        self._notes = _label(scales, "text2")
        self.figure = bqplot.Figure(
            axes=[self._x_axis, self._y_axis],
            marks=[
                *self._bands.values(),
                *self._lines.values(),
                *self._markers.values(),
                self._labels,
                self._notes,
            ],
            fig_margin=_margin(_NARROWEST),
            padding_x=0.0,
            padding_y=0.0,
            animation_duration=0,
            layout=ipywidgets.Layout(width="100%", height=f"{height}px", min_width="0"),
        )
        if self.figure.has_trait("display_toolbar"):  # 0.12 has no toolbar of its own
            self.figure.display_toolbar = False
        self.figure.add_class("emnb-chart")

    def show(self, figure: LineFigure) -> None:
        """Show these lines on these axes; their styles are those it was made with."""
        lines, x, y, x_name = figure.lines, figure.x, figure.y, figure.x_name
        _put(self.figure, fig_margin=_margin(self._right(lines)))
        # Tick texts go first, in a message of their own: bqplot writes the ticks in a
        # transition that keeps the texts it began with.
        _put(self._x_axis, tick_labels=x.labels, label=x_name)
        _put(self._y_axis, tick_labels=y.labels)
        _put(self._x, min=x.low, max=x.high)
        _put(self._y, min=y.low, max=y.high)
        _put(self._x_axis, tick_values=np.array(x.ticks))
        _put(self._y_axis, tick_values=np.array(y.ticks))
        for name in self._styles:
            self._show_line(name, lines.get(name, Line()), y)
        ends = {n: line for n, line in lines.items() if line.label and not self._styles[n].note}
        self._show_labels(ends, x, y)
        notes = [line for n, line in lines.items() if line.label and self._styles[n].note]
        _put(
            self._notes,
            x=np.array([line.x[-1] for line in notes]),
            y=np.full(len(notes), y.low + (y.high - y.low) * 9 / self._plot_height),
            text=np.array([line.label for line in notes], dtype=str),
            visible=bool(notes),
        )

    def _show_line(self, name: str, line: Line, y: Axis) -> None:
        xs = np.array(line.x, dtype=float)
        ys = _scaled(line.y, y)
        _put(self._lines[name], x=xs, y=ys, visible=len(xs) > 1)
        if name in self._markers:
            known = np.isfinite(ys)
            shown = 0 < known.sum() <= MOST_MARKERS
            tips = np.array(line.tips, dtype=str)
            _put(
                self._markers[name],
                x=xs[known] if shown else np.array([]),
                y=ys[known] if shown else np.array([]),
                names=tips[known] if shown and len(tips) == len(xs) else None,
                visible=bool(shown),
            )
        if name in self._bands:
            low, high = _scaled(line.low, y), _scaled(line.high, y)
            known = np.isfinite(low) & np.isfinite(high)
            shown = known.sum() > 1  # of one point bqplot would make two lines
            edges = np.stack([low[known], high[known]]) if shown else np.zeros((2, 0))
            _put(
                self._bands[name],
                x=xs[known] if shown else np.array([]),
                y=edges,
                visible=bool(shown),
            )

    def _show_labels(self, lines: Mapping[str, Line], x: Axis, y: Axis) -> None:
        texts = [line.label for line in lines.values()]
        wanted = [self._pixels(_last(line), y) for line in lines.values()]
        apart = spread(wanted, gap=_LABEL_GAP, low=0.0, high=float(self._plot_height))
        span = y.high - y.low
        _put(
            self._labels,
            x=np.full(len(texts), x.high),
            y=np.array([y.low + span * p / self._plot_height for p in apart]),
            text=np.array(texts, dtype=str),
            visible=bool(texts),
        )

    def _pixels(self, value: float, y: Axis) -> float:
        return y.share(value) * self._plot_height

    def _right(self, lines: Mapping[str, Line]) -> int:
        longest = max(
            (len(n.label) for k, n in lines.items() if not self._styles[k].note), default=0
        )
        wanted = 14 + math.ceil(longest * _CHARACTER / 8) * 8
        return min(max(wanted, _NARROWEST), _WIDEST)


def _last(line: Line) -> float:
    return next((y for y in reversed(line.y) if math.isfinite(y)), math.nan)


def _scaled(values: Sequence[float], axis: Axis) -> "np.ndarray[Any, np.dtype[np.float64]]":
    return np.array([axis.at(v) if math.isfinite(v) else math.nan for v in values], dtype=float)


def _put(widget: Any, **traits: Any) -> None:
    """Set the traits that differ, in one message."""
    changed = {name: value for name, value in traits.items() if _differs(widget, name, value)}
    if changed:
        with widget.hold_sync():
            for name, value in changed.items():
                setattr(widget, name, value)


def _differs(widget: Any, name: str, value: Any) -> bool:
    old = getattr(widget, name)
    if isinstance(value, np.ndarray) and isinstance(old, np.ndarray):
        if value.dtype.kind in "US":
            return not np.array_equal(old, value)
        return not np.array_equal(old, value, equal_nan=True)
    return type(old) is not type(value) or bool(old != value)


def _margin(right: int) -> dict[str, int]:
    return {"top": _TOP, "bottom": _BOTTOM, "left": _LEFT, "right": right}


def _axis(scale: Any, side: str, grid: str) -> Any:
    axis = bqplot.Axis(
        scale=scale,
        side=side,
        grid_lines=grid,
        label_location="end",
        label_offset="31px",
        tick_style={"font-size": "11px"},
    )
    axis.orientation = "vertical" if side == "left" else "horizontal"  # 0.12 does not derive it
    return axis


def _line(style: LineStyle, scales: dict[str, Any]) -> Any:
    return bqplot.Lines(
        x=np.array([]),
        y=np.array([]),
        scales=scales,
        colors=[ink(style.token)],
        stroke_width=style.width,
        line_style=style.dash,
        apply_clip=False,
        display_legend=False,
        visible=False,
    )


def _band(style: LineStyle, scales: dict[str, Any]) -> Any:
    return bqplot.Lines(
        x=np.array([]),
        y=np.zeros((2, 0)),
        scales=scales,
        colors=[ink(style.token)] * 2,
        fill_colors=[ink(style.token)] * 2,
        fill="between",
        fill_opacities=[0.2, 0.2],
        opacities=[0.0, 0.0],
        stroke_width=0.0,
        apply_clip=False,
        display_legend=False,
        visible=False,
    )


def _marker(style: LineStyle, scales: dict[str, Any]) -> Any:
    return bqplot.Scatter(
        x=np.array([]),
        y=np.array([]),
        scales=scales,
        colors=[ink(style.token)],
        marker=style.marker,
        default_size=_MARKER_AREA[style.marker or "circle"],
        stroke=ink("surface"),
        stroke_width=_RING,
        display_names=False,
        tooltip=_tooltip(),
        apply_clip=False,
        display_legend=False,
        visible=False,
    )


def _tooltip() -> Any:
    tooltip = bqplot.Tooltip(fields=["name"], show_labels=False)
    tooltip.add_class("emnb-tip")
    return tooltip


def _label(scales: dict[str, Any], token: str) -> Any:
    return bqplot.Label(
        x=np.array([]),
        y=np.array([]),
        text=np.array([], dtype=str),
        scales=scales,
        colors=[ink(token)],
        default_size=11.0,
        font_weight="normal",
        align="start",
        x_offset=10 if token == "text" else 6,  # noqa: S105  a colour token
        apply_clip=False,
        display_legend=False,
        visible=False,
    )
