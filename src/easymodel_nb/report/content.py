"""All a panel shows, as data: any renderer draws it, any test reads it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from easymodel_nb.report import html
from easymodel_nb.report.figures import Action, Empty, Figure

Cell = str | int | float | None

# How the parts of a panel stand: the table `beside` the figures; everything in one column
# (`stack`); the figures in a `row` of equal widths, the table under them.
Layout = Literal["beside", "stack", "row"]


@dataclass(frozen=True)
class DataTable:
    """The numbers of a panel in full, for a CSV file: no rounding, None where there is none."""

    name: str  # of the file, without its ending
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class PanelContent:
    """All a panel shows.

    The title states the finding and only what the intervals carry; the caption names metric, n
    and judge; `how` answers "How is this computed?". `table` is HTML that always shows; `details`
    is HTML of the numbers of a figure that has no table beside it, folded behind "Numbers" (so
    every figure has an accessible table: `table` or `details`). `data` is the same and more as
    numbers, for a CSV file. `layout` says how the parts stand. `action` is what helps where a
    part is missing and the rest is there; a page without a kernel leaves it out.
    """

    title: str
    caption: str
    how: str
    figures: Sequence[Figure] = ()
    table: str = ""
    data: DataTable | None = None
    details: str = ""
    layout: Layout = "beside"
    action: Action | None = None

    @property
    def figure(self) -> Figure:
        """The first figure.

        Raises
        ------
        IndexError
            When the panel is a table alone.

        """
        return self.figures[0]

    @property
    def empty(self) -> str:
        """The HTML that takes the first figure's place; empty where there is a figure."""
        first = self.figures[0] if self.figures else None
        return html.empty(first) if isinstance(first, Empty) else ""
