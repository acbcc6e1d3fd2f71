"""The elements of a drawing, as SVG text: colours are classes, every text is escaped here.

`f-NAME` fills with a token of `report/theme.py`, `s-NAME` strokes with it; `styles` is the style
sheet that gives them their colours where no page around the drawing does.
"""

import math
import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Literal

from easymodel_nb.report.figures import Dash, Marker
from easymodel_nb.report.theme import TOKENS, Shade, color

FONT = 'system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif'
SIZE = 11.0  # pixels of ticks, names and labels
Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]

_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SIDES_OF = {"f": "fill", "s": "stroke"}
# Quotes within a text are escaped, so that this finds attributes alone.
_COLOURED = re.compile(r'class="((?:[fs]-[a-z0-9]+ ?)+)"')
_DASHES: dict[Dash, str] = {"solid": "", "dashed": "5 4", "dotted": "2 3"}


def styles(shade: Shade | Literal["auto"], scope: str = ".em-svg") -> str:
    """The colours of one theme, or of the reader's own ("auto"), for elements under `scope`."""
    if shade == "auto":  # a picture has no theme of its own but the reader's
        dark = f"@media (prefers-color-scheme:dark){{{styles('dark', scope)}}}"
        return styles("light", scope) + dark
    return "".join(
        f"{scope} .f-{name}{{fill:{color(name, shade)}}}"
        f"{scope} .s-{name}{{stroke:{color(name, shade)}}}"
        for name in TOKENS
    )


def fallback(drawn: str, shade: Shade) -> str:
    """The drawing with its colours as attributes too, for readers that drop a style sheet.

    Where there is one, it wins: a rule of CSS is stronger than an attribute.
    """

    def colours(found: re.Match[str]) -> str:
        known = [name.partition("-") for name in found[1].split()]
        parts = [f' {_SIDES_OF[side]}="{color(token, shade)}"' for side, _, token in known]
        return f"{found[0]}{''.join(parts)}"

    return _COLOURED.sub(colours, drawn)


def plain(text: str) -> str:
    """The text without the characters that XML cannot hold, escaped."""
    return escape(_UNWRITABLE.sub(" ", text), quote=True)


def num(value: float) -> str:
    """A coordinate: two decimals at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def words(
    text: str,
    x: float,
    y: float,
    token: str = "text2",  # noqa: S107  a colour
    anchor: Anchor = "start",
    *,
    size: float = SIZE,
    bold: bool = False,
    full: str = "",
) -> str:
    """A line of text on its baseline; `full` is what it says in full where it was cut."""
    more = "" if anchor == "start" else f' text-anchor="{anchor}"'
    more += "" if size == SIZE else f' font-size="{num(size)}"'
    more += ' font-weight="600"' if bold else ""
    return (
        f'<text x="{num(x)}" y="{num(y)}" class="f-{token}"{more}>'
        f"{plain(text)}{tip(full) if full and full != text else ''}</text>"
    )


def tip(text: str) -> str:
    """What is shown over an element."""
    return f"<title>{plain(text)}</title>" if text else ""


def stroke(
    points: Sequence[Point],
    token: str,
    width: float = 1.0,
    dash: Dash = "solid",
    *,
    closed: bool = False,
    title: str = "",
) -> str:
    """An open or closed line through the points."""
    dashes = f' stroke-dasharray="{_DASHES[dash]}"' if _DASHES[dash] else ""
    return (
        f'<path d="{_path(points, closed=closed)}" class="s-{token}" fill="none" '
        f'stroke-width="{num(width)}" stroke-linejoin="round"{dashes}'
        + (f">{tip(title)}</path>" if title else "/>")
    )


def area(points: Sequence[Point], token: str, opacity: float) -> str:
    """A filled shape without an edge."""
    path = _path(points, closed=True)
    return f'<path d="{path}" class="f-{token}" fill-opacity="{num(opacity)}"/>'


def _path(points: Sequence[Point], *, closed: bool) -> str:
    return "M" + "L".join(f"{num(x)} {num(y)}" for x, y in points) + ("Z" if closed else "")


def rect(
    x: float,
    y: float,
    width: float,
    height: float,
    classes: str,
    *,
    radius: float = 0.0,
    more: str = "",
    title: str = "",
) -> str:
    """A rectangle; `classes` are those of its colours."""
    rounded = f' rx="{num(radius)}"' if radius else ""
    return (
        f'<rect x="{num(x)}" y="{num(y)}" width="{num(max(0.0, width))}" '
        f'height="{num(max(0.0, height))}"{rounded} class="{classes}"{more}'
        + (f">{tip(title)}</rect>" if title else "/>")
    )


_SIDES: dict[Marker, Sequence[Point]] = {
    "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    "triangle-up": ((0, -1.25), (1.2, 0.9), (-1.2, 0.9)),
}


def marker(
    kind: Marker,
    x: float,
    y: float,
    token: str,
    *,
    radius: float = 3.25,
    hollow: bool = False,
    title: str = "",
) -> str:
    """A marker with a ring in the colour of the ground, so that it parts from its line."""
    look = (
        f'class="s-{token}" fill="none" stroke-width="1.25"'
        if hollow
        else f'class="f-{token} s-surface" stroke-width="1"'
    )
    if kind == "circle":
        head = f'<circle cx="{num(x)}" cy="{num(y)}" r="{num(radius)}" {look}'
    else:
        path = _path(
            [(x + a * radius, y + b * radius) for a, b in _SIDES[kind]],
            closed=True,
        )
        head = f'<path d="{path}" {look}'
    name = "circle" if kind == "circle" else "path"
    return f"{head}>{tip(title)}</{name}>" if title else f"{head}/>"


def runs(points: Iterable[Point]) -> list[list[Point]]:
    """The points in stretches without a gap; a gap is a point that is not finite."""
    found: list[list[Point]] = [[]]
    for x, y in points:
        if math.isfinite(x) and math.isfinite(y):
            found[-1].append((x, y))
        elif found[-1]:
            found.append([])
    return [stretch for stretch in found if stretch]
