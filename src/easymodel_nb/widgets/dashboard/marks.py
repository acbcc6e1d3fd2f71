"""The marks that all charts are made of, in the look of the studio, and how they are changed.

A chart makes its marks and scales once. What it shows changes by `put`: only traits that differ
are sent, in one message a mark, and the browser keeps its views. Importing this module imports
bqplot and with it pandas.
"""

import math
from collections.abc import Sequence
from typing import Any

import bqplot
import ipywidgets
import numpy as np

from easymodel_nb.report.scale import Axis
from easymodel_nb.widgets.dashboard.boxes import classed
from easymodel_nb.widgets.dashboard.ink import ink

CHARACTER = 6.4  # pixels of one, in the widest font system-ui gives at 11 px
MARKER_AREA = {"circle": 38, "square": 42, "diamond": 42, "triangle-up": 42}
SEEN = np.array([1.0])
UNSEEN = np.array([0.0])  # opacity of points that are there for the pointer alone
_RING = 1.0
_NONE = np.array([])
_NARROW, _APART = 200.0, 10.0  # pixels: the narrowest plot, and between two texts of its axis


def put(widget: Any, **traits: Any) -> None:
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


def numbers(values: Sequence[float]) -> Any:
    """The values as an array of float64; what is not finite is a gap."""
    return np.array([v if math.isfinite(v) else math.nan for v in values], dtype=float)


def scaled(values: Sequence[float], axis: Axis) -> Any:
    """Where the values lie on the scale of an axis; NaN stays NaN."""
    return np.array([axis.at(v) if math.isfinite(v) else math.nan for v in values], dtype=float)


def words(values: Sequence[str]) -> Any:
    """The texts as an array."""
    return np.array(values, dtype=str)


# ---------------------------------------------------------------- the frame


def figure(
    marks: Sequence[Any],
    axes: Sequence[Any],
    *,
    height: str,
    margin: dict[str, int],
    classes: str = "",
) -> Any:
    """A figure without a title, legend, toolbar or motion."""
    toolbar = "display_toolbar" in bqplot.Figure.class_trait_names()  # 0.12 has none of its own
    return bqplot.Figure(
        marks=list(marks),
        axes=list(axes),
        fig_margin=margin,
        padding_x=0.0,
        padding_y=0.0,
        animation_duration=0,
        layout=ipywidgets.Layout(width="100%", height=height, min_width="0"),
        **classed(f"emnb-chart {classes}"),
        **({"display_toolbar": False} if toolbar else {}),
    )


def margin(top: int, right: int, bottom: int, left: int) -> dict[str, int]:
    """The margins of a figure in pixels."""
    return {"top": top, "bottom": bottom, "left": left, "right": right}


def right_margin(labels: Sequence[str], *, least: int, most: int) -> int:
    """Room for labels at the right end, in steps of a character or so, so that it seldom moves."""
    longest = max((len(label) for label in labels), default=0)
    return min(max(14 + math.ceil(longest * CHARACTER / 8) * 8, least), most)


def scale(low: float = 0.0, high: float = 1.0) -> Any:
    """A linear scale with fixed ends."""
    return bqplot.LinearScale(min=low, max=high, allow_padding=False)


def left_margin(texts: Sequence[str]) -> int:
    """Room for the tick texts of a vertical axis; the same for all that are short."""
    return max(38, 12 + math.ceil(max(map(len, texts), default=0) * CHARACTER))


def axis(of: Any, side: str, grid: str) -> Any:
    """An axis on a scale at the `left` or the `bottom`; grid `solid` or `none`."""
    made = bqplot.Axis(
        scale=of,
        side=side,
        grid_lines=grid,
        label_location="end",
        label_offset="31px",
        tick_style={"font-size": "11px"},
    )
    made.orientation = "vertical" if side == "left" else "horizontal"  # 0.12 does not derive it
    return made


def thinned(shown: Axis) -> Axis:
    """The horizontal axis with as few ticks as fit where a figure is narrowest.

    How wide it is knows only the browser; the texts must not touch in any column.
    """
    widest = max((len(text) for text in shown.texts), default=0) * CHARACTER + _APART
    every = math.ceil(len(shown.ticks) * widest / _NARROW)
    if every <= 1:
        return shown
    return shown._replace(ticks=shown.ticks[::every], texts=shown.texts[::every])


def show_axes(x: tuple[Any, Any, Axis], y: tuple[Any, Any, Axis], x_name: str) -> None:
    """Show these axes, each a triple of bqplot's axis, its scale, and what to show.

    Tick texts go first, in a message of their own: bqplot writes the ticks in a transition that
    keeps the texts it began with.
    """
    x = (*x[:2], thinned(x[2]))
    put(x[0], tick_labels=x[2].labels, label=x_name)
    put(y[0], tick_labels=y[2].labels)
    for _, on, shown in (x, y):
        put(on, min=shown.low, max=shown.high)
    for drawn, _, shown in (x, y):
        put(drawn, tick_values=np.array(shown.ticks))


def show_x_axis(drawn: Any, on: Any, shown: Axis, name: str) -> None:
    """Show this axis alone, its tick texts first."""
    shown = thinned(shown)
    put(drawn, tick_labels=shown.labels, label=name)
    put(on, min=shown.low, max=shown.high)
    put(drawn, tick_values=np.array(shown.ticks))


# ---------------------------------------------------------------- the marks


def lines(scales: dict[str, Any], token: str, **more: Any) -> Any:
    """Lines in one colour; `x` and `y` may hold a line a row."""
    traits = {
        "x": _NONE,
        "y": _NONE,
        "scales": scales,
        "colors": [ink(token)],
        "stroke_width": 1.0,
        "apply_clip": False,
        "display_legend": False,
        "visible": False,
        **more,
    }
    return bqplot.Lines(**traits)


def band(scales: dict[str, Any], token: str, opacity: float = 0.2) -> Any:
    """The area between two lines that are not drawn themselves."""
    return lines(
        scales,
        token,
        y=np.zeros((2, 0)),
        colors=[ink(token)] * 2,
        fill_colors=[ink(token)] * 2,
        fill="between",
        fill_opacities=[opacity, opacity],
        opacities=[0.0, 0.0],
        stroke_width=0.0,
    )


def markers(scales: dict[str, Any], token: str, marker: str, **more: Any) -> Any:
    """Points with a ring in the colour of the ground, and a tooltip each."""
    traits = {
        "x": _NONE,
        "y": _NONE,
        "scales": scales,
        "colors": [ink(token)],
        "marker": marker,
        "default_size": MARKER_AREA[marker],
        "stroke": ink("surface"),
        "stroke_width": _RING,
        "display_names": False,
        "names_unique": False,  # two points may have the same tooltip
        "tooltip": tooltip(),
        "apply_clip": False,
        "display_legend": False,
        "visible": False,
        **more,
    }
    return bqplot.Scatter(**traits)


def put_markers(mark: Any, xs: Any, ys: Any, tips: Sequence[str]) -> None:
    """Show the points that have a place; one without a tip has no tooltip."""
    known = np.isfinite(xs) & np.isfinite(ys)
    told = len(tips) == len(xs) and bool(known.any())
    put(
        mark,
        x=xs[known],
        y=ys[known],
        names=words(tips)[known] if told else None,
        visible=bool(known.any()),
    )


def tooltip() -> Any:
    """A tooltip that shows the name of what is under the pointer."""
    return bqplot.Tooltip(fields=["name"], show_labels=False, **classed("emnb-tip"))


def label(scales: dict[str, Any], token: str, **more: Any) -> Any:
    """Texts of 11 px at points, outside of the plot too."""
    traits = {
        "x": _NONE,
        "y": _NONE,
        "text": words([]),
        "scales": scales,
        "colors": [ink(token)],
        "default_size": 11.0,
        "font_weight": "normal",
        "align": "start",
        "apply_clip": False,
        "display_legend": False,
        "visible": False,
        **more,
    }
    return bqplot.Label(**traits)


def put_label(mark: Any, xs: Sequence[float], ys: Sequence[float], texts: Sequence[str]) -> None:
    """Show these texts at these points."""
    put(
        mark,
        x=np.array(xs, dtype=float),
        y=np.array(ys, dtype=float),
        text=words(texts),
        visible=len(texts) > 0,
    )
