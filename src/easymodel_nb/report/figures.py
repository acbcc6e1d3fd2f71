"""The figures of a panel as plain data: what is drawn, never how.

bqplot draws them in the notebook (`widgets/dashboard`), SVG where there is no kernel
(`report/svg`). A series has one name and one meaning in every chart: base, train, validation,
tuned, human; its colour, dash and marker follow from it (`SERIES`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from easymodel_nb.report.scale import Axis

Dash = Literal["solid", "dashed", "dotted"]
Marker = Literal["circle", "square", "diamond", "triangle-up"]


@dataclass(frozen=True)
class LineStyle:
    """What never changes of a line: its colour token, dash and marker, and whether it has a band.

    A `note` is labelled at its lower end, inside the chart, instead of at the right. A line of
    `width` 0 is its band alone, such as the noise floor: its y only says where its label stands.
    """

    token: str
    dash: Dash = "solid"
    marker: Marker | None = None
    band: bool = False
    note: bool = False
    width: float = 1.75


# One look for each series, wherever it is drawn.
SERIES: dict[str, LineStyle] = {
    "base": LineStyle("base", dash="dashed", marker="circle", band=True),
    "train": LineStyle("train", marker="circle", band=True),
    "validation": LineStyle("validation", marker="square", band=True),
    "tuned": LineStyle("tuned", marker="diamond", band=True),
    "human": LineStyle("human", dash="dotted"),
    "floor": LineStyle("line3", band=True, width=0.0),  # what noise alone does: a grey band
}


@dataclass(frozen=True)
class Line:
    """The points of a line; NaN leaves a gap. `tips` are the texts of its markers."""

    x: Sequence[float] = ()
    y: Sequence[float] = ()
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    label: str = ""
    tips: Sequence[str] = ()


@dataclass(frozen=True)
class Key:
    """An entry of the legend row above a figure: a series of `SERIES`, or `interval`."""

    series: str
    label: str


@dataclass(frozen=True)
class LineFigure:
    """Lines over one axis, labelled at their right end; drawn in the order of `styles`."""

    styles: Mapping[str, LineStyle]
    lines: Mapping[str, Line]
    x: Axis
    y: Axis
    x_name: str = ""
    y_name: str = ""
    height: int = 226
    legend: Sequence[Key] = ()


@dataclass(frozen=True)
class Shape:
    """One polygon of a radar, a value an axis from 0 to 100; NaN is a gap, never a zero."""

    values: Sequence[float]
    tips: Sequence[str] = ()
    kept: bool = True  # False for an epoch beside the one that is shown in full


@dataclass(frozen=True)
class RadarFigure:
    """Polygons over axes from 0 to 100, with rings at 25, 50, 75 and 100.

    `shapes` go by the series of `SERIES`; further epochs may follow as "epoch 1", "epoch 2".
    """

    axes: Sequence[str]
    shapes: Mapping[str, Shape]
    height: int = 232
    legend: Sequence[Key] = ()


@dataclass(frozen=True)
class Bar:
    """The length of a bar and its 95 % interval; NaN where there is none."""

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    tip: str = ""


@dataclass(frozen=True)
class BarRow:
    """One category: its full name, a bar a series, and what stands at its right end."""

    name: str
    bars: Mapping[str, Bar]
    note: str = ""
    quiet: bool = False  # the note says that nothing changed


@dataclass(frozen=True)
class BarFigure:
    """Horizontal bars by category, from 0."""

    rows: Sequence[BarRow]
    series: Sequence[str]
    x: Axis
    x_name: str = ""
    legend: Sequence[Key] = ()

    @property
    def height(self) -> int:
        """Pixels: it grows with its rows."""
        return 52 + 32 * max(1, len(self.rows))


@dataclass(frozen=True)
class Dots:
    """The points of a scatter and their tooltips."""

    x: Sequence[float]
    y: Sequence[float]
    tips: Sequence[str] = ()


@dataclass(frozen=True)
class ScatterFigure:
    """Points by series, the diagonal where y equals x, and a limit across where there is one."""

    series: Mapping[str, Dots]
    x: Axis
    y: Axis
    x_name: str = ""
    y_name: str = ""
    diagonal: str = ""  # what the diagonal means; empty draws none
    limit: float | None = None
    limit_label: str = "limit"
    height: int = 232
    legend: Sequence[Key] = ()


@dataclass(frozen=True)
class Action:
    """A button in an empty place: a command of the studio, and what it will do.

    `note` says how far it is, or with `failed` why it could not be done.
    """

    label: str
    command: str
    params: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    failed: bool = False


@dataclass(frozen=True)
class Empty:
    """What keeps the place of a figure that is not there: what is missing, and why or when.

    `failed` is for what should have been computed and was not. `action` is the remedy, a button
    that sends a command of the studio; a page without a kernel leaves it out.
    """

    what: str
    why: str
    failed: bool = False
    action: Action | None = None
    height: int = 226


Figure = LineFigure | RadarFigure | BarFigure | ScatterFigure | Empty
