"""A chart panel: title, caption, figure and table, of which only what changed is sent."""

from typing import TYPE_CHECKING, Any, Protocol

import ipywidgets

from easymodel_nb.report.content import PanelContent
from easymodel_nb.report.figures import Empty, Figure, LineFigure
from easymodel_nb.report.html import empty, panel_head, text

if TYPE_CHECKING:
    from collections.abc import Callable


class Chart(Protocol):
    """A bqplot figure that shows figures of one kind."""

    figure: Any

    def show(self, figure: Any) -> None:
        """Show this one; only what differs is sent."""


def _lines(figure: Any) -> Chart:
    from easymodel_nb.widgets.dashboard.line_chart import LineChart  # noqa: PLC0415  bqplot

    return LineChart(figure)


# How each kind of figure is drawn; what imports bqplot is imported with the first of its kind.
_CHARTS: "dict[type, Callable[[Any], Chart]]" = {LineFigure: _lines}


class Slot:
    """The place of one figure: its chart, made when it is first needed, or why there is none."""

    def __init__(self) -> None:
        self._charts: dict[type, Chart] = {}
        self._y_name = html_box("emnb-axis-name")
        self._empty = html_box("emnb-slot-empty")
        self.box = plain_box("emnb-slot", self._y_name, self._empty)

    def show(self, figure: Figure | None) -> None:
        """Show this figure; None hides the place."""
        toggle(self.box, "emnb-off", on=figure is None)
        put(self._y_name, text("span", getattr(figure, "y_name", "")))
        put(self._empty, empty(figure) if isinstance(figure, Empty) else "")
        drawn = None if figure is None or isinstance(figure, Empty) else self._chart(figure)
        toggle(self._y_name, "emnb-off", on=not getattr(figure, "y_name", ""))
        toggle(self._empty, "emnb-off", on=not isinstance(figure, Empty))
        if drawn is not None:
            drawn.show(figure)
        for chart in self._charts.values():
            toggle(chart.figure, "emnb-off", on=chart is not drawn)

    def _chart(self, figure: Figure) -> Chart:
        kind = type(figure)
        if kind not in self._charts:
            self._charts[kind] = _CHARTS[kind](figure)
            self.box.children = (*self.box.children, self._charts[kind].figure)
        return self._charts[kind]


class ChartPanel:
    """One panel of the dashboard: its head, the places of its figures, its table."""

    def __init__(self, name: str, *, slots: int = 1) -> None:
        self._head = html_box("emnb-panel-head")
        self._slots = [Slot() for _ in range(slots)]
        self._table = html_box("emnb-panel-table")
        self._content: PanelContent | None = None
        places = (slot.box for slot in self._slots)
        grid = plain_box("emnb-grid", *places, self._table)
        self.box = plain_box(f"emnb-panel emnb-t-{name}", self._head, grid)

    def show(self, content: PanelContent) -> None:
        """Show this content; nothing is sent where it is the same."""
        if content == self._content:
            return
        self._content = content
        put(self._head, panel_head(content.title, content.caption, content.how))
        put(self._table, content.table)
        toggle(self._table, "emnb-off", on=not content.table)
        figures = [*content.figures, *[None] * len(self._slots)]
        for slot, figure in zip(self._slots, figures, strict=False):
            slot.show(figure)


class TablePanel:
    """A panel of a title and a table, hidden while there is nothing to show."""

    def __init__(self, name: str) -> None:
        self._head = html_box("emnb-panel-head")
        self._table = html_box("emnb-panel-table")
        self._content: PanelContent | None = None
        self.box = plain_box(f"emnb-panel emnb-t-{name} emnb-off", self._head, self._table)

    def show(self, content: PanelContent | None) -> None:
        """Show this content; nothing is sent where it is the same."""
        if content == self._content:
            return
        self._content = content
        toggle(self.box, "emnb-off", on=content is None)
        if content is not None:
            put(self._head, panel_head(content.title, content.caption, content.how))
        put(self._table, content.table if content is not None else "")


def html_box(classes: str) -> Any:
    """An HTML widget with DOM classes."""
    widget = ipywidgets.HTML()
    for name in classes.split():
        widget.add_class(name)
    return widget


def plain_box(classes: str, *children: Any) -> Any:
    """A plain box with DOM classes; all its layout is in the style sheet."""
    widget = ipywidgets.Box(children)
    for name in classes.split():
        widget.add_class(name)
    return widget


def put(widget: Any, value: str) -> None:
    """Set the HTML of a widget if it differs."""
    if widget.value != value:
        widget.value = value


def toggle(widget: Any, name: str, *, on: bool) -> None:
    """Give a widget a DOM class or take it away."""
    if on:
        widget.add_class(name)
    else:
        widget.remove_class(name)
