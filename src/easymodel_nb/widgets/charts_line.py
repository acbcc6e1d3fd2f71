"""What a line chart is given: the styles of its lines once, their points each time.

Apart from `charts`, which imports bqplot, so that the content of a panel can be
made and tested without it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class LineStyle:
    """What never changes of a line: its colour token, dash and marker, and whether it has a band.

    A `note` is labelled at its lower end, inside the chart, instead of at the right.
    """

    token: str
    dash: Literal["solid", "dashed", "dotted"] = "solid"
    marker: Literal["circle", "square", "diamond", "triangle-up"] | None = None
    band: bool = False
    note: bool = False
    width: float = 1.75


@dataclass(frozen=True)
class Line:
    """The points of a line; NaN leaves a gap. `tips` are the texts of its markers."""

    x: Sequence[float] = ()
    y: Sequence[float] = ()
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    label: str = ""
    tips: Sequence[str] = ()
