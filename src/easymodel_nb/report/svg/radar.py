"""A radar: polygons over axes from 0 to 100, their names outside the rim."""

import math
from collections.abc import Sequence

from easymodel_nb.report.figures import RadarFigure, Shape
from easymodel_nb.report.svg import ink
from easymodel_nb.report.svg.axes import legend, style_of
from easymodel_nb.report.svg.widths import fit, width

_ABOVE, _NAME_GAP = 22.0, 8.0
_FULL = 100.0
_RINGS = (25.0, 50.0, 75.0, 100.0)
_FILL = {"tuned": 0.16, "base": 0.10}


def draw(figure: RadarFigure, wide: float) -> tuple[str, float]:
    """The drawing, and its height."""
    keys = legend(figure.legend, wide)
    names = [_name(figure, index) for index in range(len(figure.axes))]
    side = max((width(name, ink.SIZE) for name in names), default=0.0) + _NAME_GAP + 4
    radius = min((figure.height - 2 * _ABOVE) / 2, max(40.0, wide / 2 - side))
    place = _Place(wide / 2, keys.height + _ABOVE + radius, radius, len(names))
    parts = [keys.drawn, *_rim(place)]
    parts += [_axis_name(place, index, name, wide) for index, name in enumerate(names)]
    order = sorted(figure.shapes.items(), key=lambda shape: shape[0] == "tuned")
    parts += [_fill(place, name, shape) for name, shape in order]
    parts += [_outline(place, name, shape) for name, shape in order]
    parts.append(ink.words("100", place.x + 5, place.y - radius + 11, "text3"))
    return "".join(parts), place.y + radius + _ABOVE


class _Place:
    """Where the radar stands."""

    def __init__(self, x: float, y: float, radius: float, axes: int) -> None:
        self.x, self.y, self.radius, self.axes = x, y, radius, axes

    def at(self, index: int, value: float) -> ink.Point:
        """The point of a value on an axis: the first points up, the others follow clockwise."""
        angle = 2 * math.pi * index / max(1, self.axes)
        far = self.radius * value / _FULL
        return self.x + far * math.sin(angle), self.y - far * math.cos(angle)


def _name(figure: RadarFigure, index: int) -> str:
    """The name of an axis; one on which nothing is known says so."""
    name = figure.axes[index]
    unknown = all(not math.isfinite(shape.values[index]) for shape in figure.shapes.values())
    return f"{name}, n/a" if unknown and figure.shapes and "n/a" not in name else name


def _rim(place: _Place) -> list[str]:
    rings = [
        ink.stroke(
            [place.at(index, ring) for index in range(place.axes)],
            "line2" if ring == _FULL else "line",
            closed=True,
        )
        for ring in _RINGS
    ]
    spokes = [
        ink.stroke([place.at(index, 0.0), place.at(index, _FULL)], "line")
        for index in range(place.axes)
    ]
    return [*spokes, *rings]


def _axis_name(place: _Place, index: int, name: str, wide: float) -> str:
    x, y = place.at(index, _FULL)
    across, up = x - place.x, place.y - y
    if abs(across) < 1:
        below = _NAME_GAP if up > 0 else -_NAME_GAP - ink.SIZE + 2
        return ink.words(name, x, y - below, "text", "middle")
    start = across > 0
    room = wide - x - _NAME_GAP if start else x - _NAME_GAP
    x += _NAME_GAP if start else -_NAME_GAP
    shown = fit(name, room, ink.SIZE)
    return ink.words(shown, x, y + 4, "text", "start" if start else "end", full=name)


def _points(place: _Place, values: Sequence[float]) -> list[ink.Point]:
    return [
        place.at(index, min(max(value, 0.0), _FULL)) if math.isfinite(value) else (math.nan,) * 2
        for index, value in enumerate(values)
    ]


def _fill(place: _Place, name: str, shape: Shape) -> str:
    """The ground of a whole polygon; one with a gap has none."""
    opacity = _FILL.get(name, 0.0)
    if not opacity or not shape.kept or not all(map(math.isfinite, shape.values)):
        return ""
    return ink.area(_points(place, shape.values), style_of(name).token, opacity)


def _outline(place: _Place, name: str, shape: Shape) -> str:
    style = style_of(name)
    points = _points(place, shape.values)
    parts = []
    whole = all(math.isfinite(x) for x, _ in points)
    if whole:
        parts.append(_edge(points, name, shape, closed=True))
    else:  # from the first gap on, once around, so that no stretch is cut at the top
        gap = next(index for index, (x, _) in enumerate(points) if not math.isfinite(x))
        around = points[gap:] + points[:gap]
        parts += [_edge(s, name, shape, closed=False) for s in ink.runs(around) if len(s) > 1]
    if style.marker is not None and shape.kept and name in {"base", "tuned"}:
        tips = shape.tips or [""] * len(points)
        parts += [
            ink.marker(style.marker, x, y, style.token, title=said, radius=3.0)
            for (x, y), said in zip(points, tips, strict=False)
            if math.isfinite(x)
        ]
    elif shape.tips:
        parts += [_spot(point, said) for point, said in zip(points, shape.tips, strict=False)]
    return "".join(parts)


def _edge(points: Sequence[ink.Point], name: str, shape: Shape, *, closed: bool) -> str:
    style = style_of(name)
    drawn = ink.stroke(points, style.token, style.width, style.dash, closed=closed, title=name)
    return drawn if shape.kept else f'<g opacity="0.4">{drawn}</g>'


def _spot(point: ink.Point, said: str) -> str:
    """A place to hover over where there is no marker."""
    x, y = point
    if not math.isfinite(x) or not said:
        return ""
    return (
        f'<circle cx="{ink.num(x)}" cy="{ink.num(y)}" r="5" fill="#000" fill-opacity="0">'
        f"{ink.tip(said)}</circle>"
    )
