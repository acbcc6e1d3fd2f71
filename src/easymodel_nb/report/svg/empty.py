"""The dashed box that keeps the place of a figure that is not there."""

from easymodel_nb.report.figures import Empty
from easymodel_nb.report.svg import ink
from easymodel_nb.report.svg.widths import wrap

_LINE, _PADDING, _SIZE = 16.0, 16.0, 12.0
_LEAST = 96.0


def draw(figure: Empty, wide: float) -> tuple[str, float]:
    """The drawing, and its height."""
    room = wide - 2 * _PADDING
    what = wrap(figure.what, room, _SIZE, most=3, bold=True)
    why = wrap(figure.why, min(room, 560.0), ink.SIZE, most=8)
    tall = max(_LEAST, (len(what) + len(why)) * _LINE + 2 * _PADDING)
    y = (tall - (len(what) + len(why)) * _LINE) / 2 + _SIZE
    dashed = ' fill="none" stroke-dasharray="4 3"'
    parts = [ink.rect(0.5, 0.5, wide - 1, tall - 1, "s-line2", radius=6, more=dashed)]
    for line in what:
        token = "err" if figure.failed else "text"
        parts.append(ink.words(line, _PADDING, y, token, size=_SIZE, bold=True))
        y += _LINE
    for line in why:
        parts.append(ink.words(line, _PADDING, y))
        y += _LINE
    return "".join(parts), tall
