"""Figures drawn as SVG text, for wherever there is no kernel and no script.

The same data (`report/figures.py`) that bqplot draws in the notebook; nothing is imported that is
not in the standard library. Widths of texts are estimated for a wide font, so that nothing clips.
"""

from typing import Literal, NamedTuple

from easymodel_nb.report.figures import (
    BarFigure,
    Empty,
    Figure,
    LineFigure,
    RadarFigure,
    ScatterFigure,
)
from easymodel_nb.report.svg import bars, empty, ink, lines, radar, scatter
from easymodel_nb.report.svg.widths import wrap
from easymodel_nb.report.theme import Shade

WIDTH = 480.0
_HEAD, _LINE, _PAD = 18.0, 16.0, 16.0


class Drawing(NamedTuple):
    """The inside of an SVG, and its size in pixels."""

    content: str
    width: float
    height: float


def draw(figure: Figure, wide: float = WIDTH) -> Drawing:
    """The figure in that width; its height follows from what it shows."""
    if isinstance(figure, LineFigure):
        content, tall = lines.draw(figure, wide)
    elif isinstance(figure, RadarFigure):
        content, tall = radar.draw(figure, wide)
    elif isinstance(figure, BarFigure):
        content, tall = bars.draw(figure, wide)
    elif isinstance(figure, ScatterFigure):
        content, tall = scatter.draw(figure, wide)
    else:
        content, tall = empty.draw(figure, wide)
    return Drawing(content, wide, tall)


def inline(figure: Figure, title: str, description: str = "", wide: float = WIDTH) -> str:
    """The figure for a page whose style sheet has the classes; title and description are heard."""
    drawn = draw(figure, wide)
    return _svg(drawn, title, description)


def chart(
    figure: Figure,
    title: str,
    caption: str = "",
    *,
    description: str = "",
    shade: Shade | Literal["auto"] = "auto",
    wide: float = WIDTH,
) -> str:
    """The figure as a file of its own: title and caption above it, its colours within."""
    room = wide
    head, y = [], 14.0
    for line in wrap(title, room, 13, most=2, bold=True):
        head.append(ink.words(line, 0, y, "text", size=13, bold=True))
        y += _HEAD
    for line in wrap(caption, room, ink.SIZE, most=3):
        head.append(ink.words(line, 0, y, "text3"))
        y += _LINE
    drawn = draw(figure, wide)
    top = y + 2 if head else 0.0
    content = (
        f'<g transform="translate({ink.num(_PAD)} {ink.num(_PAD)})">{"".join(head)}'
        f'<g transform="translate(0 {ink.num(top)})">{drawn.content}</g></g>'
    )
    size = (wide + 2 * _PAD, drawn.height + top + 2 * _PAD)
    ground = ink.rect(0, 0, *size, "f-surface")
    return document(Drawing(ground + content, *size), title, description, shade=shade)


def document(
    drawn: Drawing,
    title: str,
    description: str = "",
    *,
    shade: Shade | Literal["auto"] = "auto",
) -> str:
    """A drawing as a file of its own, with the colours of a theme or of the reader's own."""
    plain = ink.fallback(drawn.content, "dark" if shade == "dark" else "light")
    style = ink.styles(shade, f".em-{shade}")
    return _svg(drawn._replace(content=plain), title, description, style, f"em-{shade}")


def _svg(drawn: Drawing, title: str, description: str, style: str = "", scope: str = "") -> str:
    size = f'width="{ink.num(drawn.width)}" height="{ink.num(drawn.height)}"'
    classes = f"em-svg {scope}".strip()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{classes}" role="img" {size} '
        f'viewBox="0 0 {ink.num(drawn.width)} {ink.num(drawn.height)}" '
        f"font-family='{ink.FONT}' font-size=\"{ink.num(ink.SIZE)}\">"
        f"<title>{ink.plain(title)}</title>"
        + (f"<desc>{ink.plain(description)}</desc>" if description else "")
        + (f"<style>{style}</style>" if style else "")
        + drawn.content
        + "</svg>"
    )


__all__ = ["WIDTH", "Drawing", "Empty", "chart", "document", "draw", "inline"]
