"""A radar of axes from 0 to 100: rings, spokes, a polygon a series, the names outside the rim.

bqplot has no polar axes, so the points are laid out here: the first axis points up, the others
follow clockwise, and 100 lies at 1 of both scales.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from easymodel_nb.report.figures import SERIES, RadarFigure, Shape
from easymodel_nb.widgets.dashboard import marks
from easymodel_nb.widgets.dashboard.ink import ink

RINGS = (25, 50, 75, 100)
_ENDS = 20  # the margins above and below; those at the sides fit the names
_FILL = {"base": 0.10, "tuned": 0.16}
_WIDTH = {"base": 1.5, "tuned": 1.75, "human": 1.5}
_DRAWN = ("base", "human", "tuned")  # the later lie above
_FAINT = 0.45  # of the epochs beside the one shown in full
_GAP = 8  # pixels between the rim and a name
_STRAIGHT = 0.1  # a cosine below this is an axis that points up or down


class RadarChart:
    """Polygons by series; a null axis is a gap in its polygon, never a zero."""

    def __init__(self, like: RadarFigure) -> None:
        x, y = marks.scale(-1.0, 1.0), marks.scale(-1.0, 1.0)
        on = {"x": x, "y": y}
        self._rings = marks.lines(on, "line", colors=[ink("line")] * 3 + [ink("line2")])
        self._spokes = marks.lines(on, "line")
        self._epochs = marks.lines(on, "tuned", opacities=[_FAINT] * 40)
        self._polygons = {
            name: marks.lines(
                on,
                SERIES[name].token,
                stroke_width=_WIDTH[name],
                line_style=SERIES[name].dash,
                fill_colors=[ink(SERIES[name].token)],
                fill_opacities=[_FILL.get(name, 0.0)],
            )
            for name in _DRAWN
        }
        # The points of base and human are there for the pointer alone.
        self._points = {
            name: marks.markers(
                on,
                SERIES[name].token,
                SERIES[name].marker or "circle",
                opacities=marks.SEEN if name == "tuned" else marks.UNSEEN,
            )
            for name in _DRAWN
        }
        self._names = {
            "right": marks.label(on, "text", x_offset=_GAP),
            "left": marks.label(on, "text", x_offset=-_GAP, align="end"),
            "up": marks.label(on, "text", y_offset=-11, align="middle"),
            "down": marks.label(on, "text", y_offset=11, align="middle"),
        }
        self._rim = marks.label(on, "text3", x_offset=4, y_offset=6)
        side = _side_margin(like.axes)
        self.figure = marks.figure(
            [
                self._rings,
                self._spokes,
                self._epochs,
                *self._polygons.values(),
                *self._points.values(),
                *self._names.values(),
                self._rim,
            ],
            [],
            height=_height(like.height, side),
            margin=marks.margin(_ENDS, side, _ENDS, side),
            classes="emnb-radar",
        )
        self.figure.layout.max_width = _width(like.height, side)

    def show(self, figure: RadarFigure) -> None:
        """Show these polygons on these axes."""
        side = _side_margin(figure.axes)
        marks.put(self.figure, fig_margin=marks.margin(_ENDS, side, _ENDS, side))
        marks.put(
            self.figure.layout,
            height=_height(figure.height, side),
            max_width=_width(figure.height, side),
        )
        spin = _directions(len(figure.axes))
        closed = np.concatenate([spin, spin[:, :1]], axis=1)
        rings = [closed * ring / 100 for ring in RINGS]
        _put_rows(self._rings, [ring[0] for ring in rings], [ring[1] for ring in rings])
        _put_rows(
            self._spokes,
            [np.array([0.0, x]) for x in spin[0]],
            [np.array([0.0, y]) for y in spin[1]],
        )
        for name, polygon in self._polygons.items():
            shape = figure.shapes.get(name, Shape(()))
            xs, ys = _places(shape.values, spin)
            whole = len(xs) > 0 and bool(np.isfinite(xs).all())
            marks.put(
                polygon,
                x=np.append(xs, xs[:1]),
                y=np.append(ys, ys[:1]),
                fill="inside" if whole and name in _FILL else "none",
                visible=bool(np.isfinite(xs).any()),
            )
            marks.put_markers(self._points[name], xs, ys, shape.tips)
        others = [
            _places(shape.values, spin)
            for name, shape in figure.shapes.items()
            if name not in self._polygons
        ]
        _put_rows(
            self._epochs,
            [np.append(xs, xs[:1]) for xs, _ in others],
            [np.append(ys, ys[:1]) for _, ys in others],
        )
        self._show_names(figure.axes, spin)

    def _show_names(self, axes: Sequence[str], spin: Any) -> None:
        sides = [_side(x, y) for x, y in spin.T]
        for side, mark in self._names.items():
            at = [i for i, found in enumerate(sides) if found == side]
            marks.put_label(mark, spin[0][at], spin[1][at], [axes[i] for i in at])
        marks.put_label(self._rim, [0.0], [1.0], ["100"])


def _side_margin(axes: Sequence[str]) -> int:
    """Room for the longest of the names that stand beside the rim, pixels."""
    spin = _directions(len(axes))
    beside = [name for name, x in zip(axes, spin[0], strict=True) if abs(x) >= _STRAIGHT]
    return _GAP + 2 + math.ceil(max(map(len, beside), default=0) * marks.CHARACTER)


def _height(most: int, side: int) -> str:
    """As high as it is wide but for the margins, so that the rings are round."""
    return f"min({most}px, calc(100cqi - {2 * (side - _ENDS)}px))"


def _width(height: int, side: int) -> str:
    return f"{height + 2 * (side - _ENDS)}px"


def _directions(axes: int) -> Any:
    """The x and y of the rim at each axis, shape (2, axes): the first up, then clockwise."""
    angles = [math.pi / 2 - 2 * math.pi * i / max(axes, 1) for i in range(axes)]
    return np.round([[math.cos(a) for a in angles], [math.sin(a) for a in angles]], 9)


def _side(x: float, y: float) -> str:
    if abs(x) < _STRAIGHT:
        return "up" if y > 0 else "down"
    return "right" if x > 0 else "left"


def _places(values: Sequence[float], spin: Any) -> tuple[Any, Any]:
    """Where the corners of a polygon lie; NaN where there is no value."""
    share = marks.numbers(values) / 100
    return share * spin[0][: len(share)], share * spin[1][: len(share)]


def _put_rows(mark: Any, xs: Sequence[Any], ys: Sequence[Any]) -> None:
    shown = len(xs) > 0
    marks.put(
        mark,
        x=np.stack(xs) if shown else np.array([]),
        y=np.stack(ys) if shown else np.array([]),
        visible=shown,
    )
