"""The place of one figure: its legend row, the name of its vertical axis, and its chart."""

from collections.abc import Callable, Hashable
from typing import Any, Protocol

from easymodel_nb.report import controls
from easymodel_nb.report.figures import (
    Action,
    BarFigure,
    Empty,
    Figure,
    LineFigure,
    RadarFigure,
    ScatterFigure,
)
from easymodel_nb.report.html import empty, tag, text
from easymodel_nb.widgets.dashboard.boxes import hide, html_box, plain_box, put
from easymodel_nb.widgets.dashboard.legend import legend_row
from easymodel_nb.widgets.dashboard.underway import note_html


class Chart(Protocol):
    """A bqplot figure that shows figures of one kind."""

    figure: Any

    def show(self, figure: Any) -> None:
        """Show this one; only what differs is sent."""


# The modules are imported with the first figure of their kind: they import bqplot.


def _lines(figure: Any) -> Chart:
    from easymodel_nb.widgets.dashboard.line_chart import LineChart  # noqa: PLC0415

    return LineChart(figure)


def _radar(figure: Any) -> Chart:
    from easymodel_nb.widgets.dashboard.radar_chart import RadarChart  # noqa: PLC0415

    return RadarChart(figure)


def _bars(figure: Any) -> Chart:
    from easymodel_nb.widgets.dashboard.bar_chart import BarChart  # noqa: PLC0415

    return BarChart(figure)


def _scatter(figure: Any) -> Chart:
    from easymodel_nb.widgets.dashboard.scatter_chart import ScatterChart  # noqa: PLC0415

    return ScatterChart(figure)


_CHARTS: dict[type, Callable[[Any], Chart]] = {
    LineFigure: _lines,
    RadarFigure: _radar,
    BarFigure: _bars,
    ScatterFigure: _scatter,
}


def _made_for(figure: Any) -> Hashable:
    """What of a figure a chart keeps for good: two figures with the same share one chart."""
    if isinstance(figure, LineFigure):
        return (LineFigure, tuple(figure.styles.items()), figure.height)
    if isinstance(figure, BarFigure):
        return (BarFigure, tuple(figure.series))
    if isinstance(figure, ScatterFigure):
        return (ScatterFigure, tuple(figure.series), figure.height)
    return (type(figure), figure.height)


class Slot:
    """The place of one figure: its chart, made when it is first needed, or why there is none."""

    def __init__(self) -> None:
        self._charts: dict[Hashable, Chart] = {}
        self._legend = html_box("emnb-legend-row emnb-off")
        self._y_name = html_box("emnb-axis-name emnb-off")
        self._empty = html_box("emnb-slot-empty emnb-off")
        self._note = html_box("emnb-slot-note emnb-off")
        self.box = plain_box("emnb-slot", self._legend, self._y_name, self._empty, self._note)

    def show(self, figure: Figure | None) -> None:
        """Show this figure; None hides the place."""
        hide(self.box, on=figure is None)
        if figure is None:
            return
        row, y_name = legend_row(figure), getattr(figure, "y_name", "")
        put(self._legend, row)
        put(self._y_name, text("span", y_name))
        put(self._empty, _empty(figure) if isinstance(figure, Empty) else "")
        put(self._note, note := note_html(figure.action if isinstance(figure, Empty) else None))
        hide(self._note, on=not note)
        hide(self._legend, on=not row)
        hide(self._y_name, on=not y_name)
        hide(self._empty, on=not isinstance(figure, Empty))
        drawn = None if isinstance(figure, Empty) else self._chart(figure)
        if drawn is not None:
            drawn.show(figure)
        for chart in self._charts.values():
            hide(chart.figure, on=chart is not drawn)

    def _chart(self, figure: Figure) -> Chart:
        key = _made_for(figure)
        if key not in self._charts:
            self._charts[key] = _CHARTS[type(figure)](figure)
            self.box.children = (*self.box.children, self._charts[key].figure)
        return self._charts[key]


def _empty(place: Empty) -> str:
    """What keeps the place, with the button of its remedy."""
    return empty(place, remedy_html(place.action))


def remedy_html(action: Action | None) -> str:
    """The button of a remedy, and where its refusal is told; empty without one."""
    if action is None:
        return ""
    button = controls.button(action.label, action.command, action.params)
    return tag("div", button + controls.error_place(), "emnb-remedy")
