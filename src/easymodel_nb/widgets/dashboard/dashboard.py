"""The dashboard: one run's finding, charts and samples, in plain boxes beside the workbench.

It is a view and nothing else: `show` is told what a run is like and sends what
differs from what the browser has. Boxes and figures are made once and reused,
also for another run; what is not there is hidden by a DOM class.

Later panels (quality, semantics, efficiency, compression) go between the charts
and the samples: one content function and one panel each, in `_panels`.
"""

import time
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from easymodel_nb.report.figures import Empty
from easymodel_nb.report.html import empty
from easymodel_nb.report.panels.classes import classes_content
from easymodel_nb.report.panels.confusion import confusion_content
from easymodel_nb.report.panels.loss import loss_content
from easymodel_nb.report.panels.perplexity import perplexity_content
from easymodel_nb.report.panels.task import task_content
from easymodel_nb.report.samples import samples_html
from easymodel_nb.report.top import header_html, top_html
from easymodel_nb.runlog.headline import kind_of, task_of
from easymodel_nb.widgets.dashboard.panel import (
    ChartPanel,
    TablePanel,
    html_box,
    plain_box,
    put,
    toggle,
)

if TYPE_CHECKING:
    from easymodel_nb.runlog.run import Run
    from easymodel_nb.runlog.view import RunView

# While a run trains: each message takes time of the process that trains, and of the browser.
PERIOD = 2.0

# The panels of each task, in their order; what is absent is hidden.
_ORDER = {
    "generation": ("perplexity", "loss"),
    "seq2seq": ("perplexity", "task", "loss"),
    "classification": ("task", "tables", "loss", "perplexity"),
    "token_classification": ("task", "tables", "loss", "perplexity"),
}


class _Panel(NamedTuple):
    """`place` is the box it stands in; `needs` is what its content is made of."""

    place: str
    panel: ChartPanel | TablePanel
    content: Callable[["RunView"], Any]
    needs: Callable[["RunView"], Hashable]


class Dashboard:
    """What the Analytics tab shows. Every method is to be called under the studio's lock."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._header = html_box("emnb-dash-header")
        self._top = html_box("emnb-dash-top")
        self._samples = html_box("emnb-samples emnb-t-samples")
        self._panels = {
            "perplexity": _Panel(
                "perplexity",
                ChartPanel("chart-perplexity"),
                perplexity_content,
                _measured_or_waiting,
            ),
            "task": _Panel(
                "task",
                ChartPanel("chart-task"),
                task_content,
                _measured,
            ),
            "confusion": _Panel("tables", TablePanel("confusion"), confusion_content, _measured),
            "classes": _Panel("tables", TablePanel("per-class"), classes_content, _measured),
            "loss": _Panel("loss", ChartPanel("chart-loss"), loss_content, _stepped),
        }
        boxes = {name: entry.panel.box for name, entry in self._panels.items()}
        self._places = {
            name: boxes[name] for name in ("perplexity", "task", "loss")
        }  # and the two tables side by side:
        self._places["tables"] = plain_box("emnb-pair", boxes["confusion"], boxes["classes"])
        self._charts = plain_box("emnb-dash-charts", *self._ordered("generation"))
        self._body = plain_box("emnb-dash-body", self._top, self._charts, self._samples)
        self.box = plain_box("emnb-dash emnb-t-em-dashboard", self._header, self._body)
        self._task = ""
        self._shown: tuple[Hashable, float] = (None, 0.0)
        self._drawn: dict[str, Hashable] = {}
        self._sampled: Any = None
        self._show_nothing(0)

    def show(self, run: "Run | None", view: "RunView | None", others: "Sequence[RunView]") -> None:
        """Show this run. Cheap when nothing changed; safe on any thread under the lock.

        While a run is active it is shown anew every two seconds at most, and at once
        with a new stage, measured point or sample, or its end; the next call brings
        what this one left out.
        """
        if run is None or view is None:
            self._show_nothing(len(others))
            return
        if not self._due(view, others):
            return
        for part in (self._header, self._charts):
            toggle(part, "emnb-off", on=False)
        self._arrange(task_of(view))
        put(self._header, header_html(view, others))
        put(self._top, top_html(view))
        self._show_panels(view)
        self._show_samples(run, view)

    def _due(self, view: "RunView", others: "Sequence[RunView]") -> bool:
        now = self._clock()
        key = (_news(view), tuple(other.id for other in others))
        shown, at = self._shown
        if shown == key and not (view.active and now - at >= PERIOD):
            return False
        self._shown = (key, now)
        return True

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
        put(self._top, empty(Empty(what, why)))
        put(self._samples, "")
        toggle(self._samples, "emnb-off", on=True)
        self._sampled = None
        self._shown = (None, 0.0)

    def _arrange(self, task: str) -> None:
        """Put the task's panels in their order, the others behind them, hidden."""
        if task == self._task:
            return
        self._task = task
        for name, box in self._places.items():
            toggle(box, "emnb-off", on=name not in _ORDER[task])
        if self._charts.children != (ordered := self._ordered(task)):
            self._charts.children = ordered

    def _ordered(self, task: str) -> tuple[Any, ...]:
        first = _ORDER[task]
        rest = (name for name in self._places if name not in first)
        return tuple(self._places[name] for name in (*first, *rest))

    def _show_panels(self, view: "RunView") -> None:
        """Make the content of those panels whose numbers are new."""
        for name, entry in self._panels.items():
            if entry.place not in _ORDER[self._task]:
                continue
            needs = (view.id, view.attempt, view.status, entry.needs(view))
            if self._drawn.get(name) != needs:
                entry.panel.show(entry.content(view))
                self._drawn[name] = needs

    def _show_samples(self, run: "Run", view: "RunView") -> None:
        """Read the samples only when the log says that there are others."""
        key = (view.id, view.attempt, view.status, len(view.samples))
        if key == self._sampled:
            return
        self._sampled = key
        rows = run.sample_rows() if view.samples else []
        put(self._samples, samples_html(rows, waiting=_waiting(view), task=kind_of(view)))
        toggle(self._samples, "emnb-off", on=not rows)


def _news(view: "RunView") -> Hashable:
    """What is shown at once when it changes; of an ended run, all that can change."""
    return (
        view.id,
        view.attempt,
        view.status,
        view.stage.stage,
        len(view.points),
        len(view.samples),
        len(view.warnings),
        view.max_steps,
        len(view.curve) if not view.active else 0,
    )


def _measured(view: "RunView") -> Hashable:
    return (len(view.points), view.epochs, kind_of(view))


def _measured_or_waiting(view: "RunView") -> Hashable:
    """Before the first point the panel says in how many seconds it comes."""
    waiting = view.active and not view.points
    return (*_measured(view), (view.step, view.seconds_left) if waiting else None)  # type: ignore[misc]


def _stepped(view: "RunView") -> Hashable:
    last = view.curve[-1].step if view.curve else 0
    return (len(view.curve), last, view.max_steps, len(view.points), task_of(view))


def _waiting(view: "RunView") -> str:
    return "not generated yet" if view.active else "not generated before the run ended"
