"""A chart panel: title, caption, figure and table, of which only what changed is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import ipywidgets

from easymodel_nb.widgets.charts_line import Line, LineStyle
from easymodel_nb.widgets.charts_scale import Axis
from easymodel_nb.widgets.dashboard_html import panel_head, text

if TYPE_CHECKING:
    from easymodel_nb.widgets.charts import LineChart


_UNIT = Axis(0.0, 1.0, [0.0, 1.0], ["0", "1"])


@dataclass(frozen=True)
class PanelContent:
    """All a panel shows. `empty` is the HTML that takes the figure's place, or an empty text."""

    title: str
    caption: str
    how: str
    empty: str = ""
    y_name: str = ""
    x_name: str = ""
    lines: Mapping[str, Line] = field(default_factory=dict)
    x: Axis = _UNIT
    y: Axis = _UNIT
    table: str = ""


class ChartPanel:
    """One panel of the dashboard; its figure is made when it is first needed, then kept."""

    def __init__(self, name: str, styles: Mapping[str, LineStyle], *, height: int) -> None:
        self._styles = styles
        self._height = height
        self._chart: LineChart | None = None
        self._head = html_box("emnb-panel-head")
        self._y_name = html_box("emnb-axis-name")
        self._empty = html_box("emnb-slot-empty")
        self._table = html_box("emnb-panel-table")
        self._slot = plain_box("emnb-slot", self._y_name, self._empty)
        self._content: PanelContent | None = None
        self.box = plain_box(
            f"emnb-panel emnb-t-{name}", self._head, plain_box("emnb-grid", self._slot, self._table)
        )

    def show(self, content: PanelContent) -> None:
        """Show this content; nothing is sent where it is the same."""
        if content == self._content:
            return
        self._content = content
        put(self._head, panel_head(content.title, content.caption, content.how))
        put(self._y_name, text("span", content.y_name))
        put(self._empty, content.empty)
        put(self._table, content.table)
        toggle(self._y_name, "emnb-off", on=not content.lines)
        toggle(self._empty, "emnb-off", on=not content.empty)
        toggle(self._table, "emnb-off", on=not content.table)
        if content.lines:
            self._figure().show(content.lines, x=content.x, y=content.y, x_name=content.x_name)
        if self._chart is not None:
            toggle(self._chart.figure, "emnb-off", on=not content.lines)

    def _figure(self) -> "LineChart":
        if self._chart is None:
            from easymodel_nb.widgets.charts import LineChart  # noqa: PLC0415  imports bqplot

            self._chart = LineChart(self._styles, height=self._height)
            self._slot.children = (*self._slot.children, self._chart.figure)
        return self._chart


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
