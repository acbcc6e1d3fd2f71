"""How the small panels stand where the last of them would leave a place empty beside it."""

from collections.abc import Sequence
from itertools import groupby

from easymodel_nb.report.grid import Kind

# Tables of classes need more room than a third.
_BROAD = frozenset({"confusion", "per-class"})


def in_twos(kinds: Sequence[Kind]) -> list[bool]:
    """Which of the panels, in their order, stand in a row of two where the page is wide.

    Halves that follow each other fill rows of three; where that would leave a place empty, the
    last ones stand in rows of two. One alone stays as it is.
    """
    marked: list[bool] = []
    for shape, group in groupby(kinds, _shape):
        count = len(list(group))
        pairs = {0: 0, 1: 4, 2: 2}[count % 3] if shape == "half" else 0
        pairs = count if shape == "broad" else min(pairs, count if count > 1 else 0)
        marked += [False] * (count - pairs) + [True] * pairs
    return marked


def alone(kinds: Sequence[Kind]) -> list[bool]:
    """Which of the panels, in their order, would stand alone in a row of two columns.

    That is the last of an odd number of halves; it takes the whole row.
    """
    marked: list[bool] = []
    for width, group in groupby(kinds, lambda kind: kind.width):
        count = len(list(group))
        marked += [False] * (count - 1) + [width == "half" and count % 2 == 1]
    return marked


def _shape(kind: Kind) -> str:
    return "broad" if kind.name in _BROAD else kind.width
