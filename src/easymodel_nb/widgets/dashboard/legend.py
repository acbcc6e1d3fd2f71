"""The legend row above a figure, where lines cannot be labelled at their ends.

Its keys are small drawings with the real dash and marker, in the colour tokens of the page.
"""

from collections.abc import Mapping
from html import escape

from easymodel_nb.report.figures import (
    SERIES,
    BarFigure,
    Figure,
    Key,
    LineFigure,
    LineStyle,
    RadarFigure,
    ScatterFigure,
)
from easymodel_nb.report.html import tag

_WIDTH, _HEIGHT = 18, 10
_DASHES = {"solid": "", "dashed": "5 4", "dotted": "2 3"}
_MARKERS = {
    "circle": "M9 2a3 3 0 1 0 0 6a3 3 0 1 0 0-6z",
    "square": "M6 2h6v6h-6z",
    "diamond": "M9 1l3.5 4L9 9L5.5 5z",
    "triangle-up": "M9 1.5l4 7h-8z",
}


def legend_row(figure: Figure) -> str:
    """The keys of a figure; empty where it has none."""
    keys: tuple[Key, ...] = tuple(getattr(figure, "legend", ()))
    if not keys:
        return ""
    styles = figure.styles if isinstance(figure, LineFigure) else SERIES
    return tag("div", "".join(_entry(key, figure, styles) for key in keys), "emnb-legend")


def _entry(key: Key, figure: Figure, styles: Mapping[str, LineStyle]) -> str:
    drawn = _interval() if key.series == "interval" else _drawn(key.series, styles, figure)
    svg = (
        f'<svg class="emnb-key" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" aria-hidden="true">{drawn}</svg>'
    )
    return tag("span", svg + escape(key.label))


def _interval() -> str:
    return '<path d="M0 5H18" fill="none" stroke="var(--em-text)" stroke-width="1.25"/>'


def _drawn(name: str, styles: Mapping[str, LineStyle], figure: Figure) -> str:
    style = styles[name]
    ink = f"var(--em-{style.token})"
    if isinstance(figure, BarFigure):
        return f'<path d="M4 0h10v10h-10z" fill="{ink}"/>'
    if isinstance(figure, ScatterFigure) and style.marker:
        hollow = f'fill="none" stroke="{ink}" stroke-width="1.25"'
        paint = hollow if name == "base" else f'fill="{ink}"'
        return f'<path d="{_MARKERS[style.marker]}" {paint}/>'
    dash = f' stroke-dasharray="{_DASHES[style.dash]}"' if _DASHES[style.dash] else ""
    line = f'<path d="M0 5H18" fill="none" stroke="{ink}" stroke-width="1.75"{dash}/>'
    plain = style.marker is None or (isinstance(figure, RadarFigure) and name != "tuned")
    if plain:
        return line
    return line + f'<path d="{_MARKERS[style.marker or "circle"]}" fill="{ink}"/>'
