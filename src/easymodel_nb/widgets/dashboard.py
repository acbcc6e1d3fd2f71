"""The dashboard: one run's finding, charts and samples, in plain boxes beside the workbench.

It is a view and nothing else: `show` is told what a run is like and sends what
differs from what the browser has. Boxes and figures are made once and reused,
also for another run; what is not there is hidden by a DOM class.

Later panels (quality, semantics, efficiency, compression) go between the charts
and the samples: one content function and one `ChartPanel` each, in `_panels`.
"""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from easymodel_nb.widgets.dashboard_html import empty
from easymodel_nb.widgets.dashboard_loss import STYLES as LOSS_STYLES
from easymodel_nb.widgets.dashboard_loss import loss_content
from easymodel_nb.widgets.dashboard_panel import (
    ChartPanel,
    PanelContent,
    html_box,
    plain_box,
    put,
    toggle,
)
from easymodel_nb.widgets.dashboard_perplexity import STYLES as PERPLEXITY_STYLES
from easymodel_nb.widgets.dashboard_perplexity import perplexity_content
from easymodel_nb.widgets.dashboard_samples import samples_html
from easymodel_nb.widgets.dashboard_top import header_html, top_html

if TYPE_CHECKING:
    from easymodel_nb.runlog.run import Run
    from easymodel_nb.runlog.view import RunView

_CHART_SECONDS = 1.0


class _Panel(NamedTuple):
    panel: ChartPanel
    content: Callable[["RunView"], PanelContent]


class Dashboard:
    """What the Analytics tab shows. Every method is to be called under the studio's lock."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._header = html_box("emnb-dash-header")
        self._top = html_box("emnb-dash-top")
        self._samples = html_box("emnb-samples emnb-t-samples")
        self._panels = [
            _Panel(
                ChartPanel("chart-perplexity", PERPLEXITY_STYLES, height=226), perplexity_content
            ),
            _Panel(ChartPanel("chart-loss", LOSS_STYLES, height=216), loss_content),
        ]
        charts = plain_box("emnb-dash-charts", *(entry.panel.box for entry in self._panels))
        self._body = plain_box("emnb-dash-body", self._top, charts, self._samples)
        self._charts = charts
        self.box = plain_box("emnb-dash emnb-t-em-dashboard", self._header, self._body)
        self._charted: tuple[Any, float] = (None, 0.0)
        self._sampled: Any = None
        self._show_nothing(0)

    def show(self, run: "Run | None", view: "RunView | None", others: "Sequence[RunView]") -> None:
        """Show this run. Cheap when nothing changed; safe on any thread under the lock.

        While a run is active its charts are renewed once a second at most, and at
        once with a new measured point; the next call brings what this one left out.
        """
        if run is None or view is None:
            self._show_nothing(len(others))
            return
        for part in (self._header, self._charts):
            toggle(part, "emnb-off", on=False)
        put(self._header, header_html(view, others))
        put(self._top, top_html(view))
        self._show_charts(view)
        self._show_samples(run, view)

    def theme(self, name: Literal["light", "dark"] | None) -> None:
        """Nothing to do: every colour is a CSS variable, or is mapped to one by the style sheet."""

    def _show_nothing(self, others: int) -> None:
        toggle(self._header, "emnb-off", on=True)
        toggle(self._charts, "emnb-off", on=True)
        what = "Choose a run" if others else "No run yet"
        why = (
            "Open one from the history of a Finetuning node to see it here."
            if others
            else "Press Train Model on the canvas: perplexity, loss and samples appear here "
            "while it trains."
        )
        put(self._top, empty(what, why))
        put(self._samples, "")
        toggle(self._samples, "emnb-off", on=True)
        self._sampled = None
        self._charted = (None, 0.0)

    def _show_charts(self, view: "RunView") -> None:
        now = self._clock()
        key = (view.id, view.attempt, len(view.points))
        shown, at = self._charted
        if view.active and shown == key and now - at < _CHART_SECONDS:
            return
        self._charted = (key, now)
        for entry in self._panels:
            entry.panel.show(entry.content(view))

    def _show_samples(self, run: "Run", view: "RunView") -> None:
        """Read the samples only when the log says that there are others."""
        key = (view.id, view.attempt, view.status, len(view.samples))
        if key == self._sampled:
            return
        self._sampled = key
        rows = run.sample_rows() if view.samples else []
        put(self._samples, samples_html(rows, waiting=_waiting(view)))
        toggle(self._samples, "emnb-off", on=not rows)


def _waiting(view: "RunView") -> str:
    return "not generated yet" if view.active else "not generated before the run ended"
