"""The dashboard: one run's finding, charts and samples, in plain boxes beside the workbench.

It is a view and nothing else: `show` is told what a run is like and sends what
differs from what the browser has. Boxes and figures are made once, when they are
first needed, and reused, also for another run; what is not there is hidden by a
DOM class. Which panels a run has is told by `report.grid`.
"""

import time
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Literal

from easymodel_nb.report.figures import Empty
from easymodel_nb.report.grid import Kind, kinds_of
from easymodel_nb.report.html import empty
from easymodel_nb.report.top import top_html
from easymodel_nb.runlog import scores
from easymodel_nb.runlog.headline import kind_of, task_of
from easymodel_nb.widgets.chosen import Chosen
from easymodel_nb.widgets.dashboard.boxes import hide, html_box, plain_box, put, toggle
from easymodel_nb.widgets.dashboard.compare import Compare
from easymodel_nb.widgets.dashboard.header import Header
from easymodel_nb.widgets.dashboard.panel import ChartPanel
from easymodel_nb.widgets.dashboard.rows import alone, in_twos
from easymodel_nb.widgets.dashboard.samples import Samples
from easymodel_nb.widgets.dashboard.tries import Tries
from easymodel_nb.widgets.dashboard.underway import told

if TYPE_CHECKING:
    from easymodel_nb.report.content import PanelContent
    from easymodel_nb.runlog.run import Run
    from easymodel_nb.runlog.scores import Scores
    from easymodel_nb.runlog.view import EpochPoint, RunView

# While a run trains: each message takes time of the process that trains, and of the browser.
PERIOD = 2.0
_NOTHING_CHOSEN = Chosen()


class Dashboard:
    """What the Analytics tab shows. Every method is to be called under the studio's lock."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._header = Header()
        self._top = html_box("emnb-dash-top")
        self._compare = Compare()
        self._samples = Samples()
        self._tries = Tries()
        self._panels: dict[str, ChartPanel] = {}
        self._charts = plain_box("emnb-dash-charts")
        self._body = plain_box(
            "emnb-dash-body",
            self._compare.box,
            self._top,
            self._charts,
            self._samples.box,
            self._tries.box,
        )
        self.box = plain_box("emnb-dash emnb-t-em-dashboard", self._header.box, self._body)
        self._task = ""
        self._shown: tuple[Hashable, float] = (None, 0.0)
        self._drawn: dict[str, Hashable] = {}
        self._contents: dict[str, PanelContent | None] = {}
        # The points last seen, and how often there were others: more may be measured of a point
        # after its run has ended.
        self._points: list[EpochPoint] = []
        self._measured = 0
        self._scored: tuple[Hashable, Sequence[Scores]] = (None, ())
        self._show_nothing(0)

    def show(
        self,
        run: "Run | None",
        view: "RunView | None",
        others: "Sequence[RunView]",
        chosen: Chosen = _NOTHING_CHOSEN,
    ) -> None:
        """Show this run and what the user chose of it; cheap when nothing changed.

        Safe on any thread under the lock.
        While a run is active it is shown anew every two seconds at most, and at once
        with a new stage, measured point or sample, or its end; the next call brings
        what this one left out.
        """
        if run is None or view is None:
            self._show_nothing(len(others))
            return
        if view.points != self._points:
            # Copied: the points of a run that has ended are read when asked for, as they are then.
            self._points, self._measured = list(view.points), self._measured + 1
        if not self._due(view, others, chosen):
            return
        for part in (self._header.box, self._charts):
            hide(part, on=False)
        self._arrange(view)
        self._header.show(view, others, comparing=chosen.compare.open)
        self._compare.show(run.folder.parent, [view, *others], view.id, chosen.compare)
        put(self._top, top_html(view))
        self._show_panels(run, view, chosen)
        self._samples.show(run, view, chosen.samples, self._measured)
        self._tries.show(view, chosen.tried)

    def _due(self, view: "RunView", others: "Sequence[RunView]", chosen: Chosen) -> bool:
        now = self._clock()
        beside = tuple((other.id, other.status) for other in others)
        key = (_news(view), self._measured, beside, chosen)
        shown, at = self._shown
        if shown == key and not (view.active and now - at >= PERIOD):
            return False
        self._shown = (key, now)
        return True

    def theme(self, name: Literal["light", "dark"] | None) -> None:
        """Nothing to do: every colour is a CSS variable, or is mapped to one by the style sheet."""

    def soon(self) -> None:
        """Say that the charts come, where nothing is shown yet."""
        if self._shown == (None, 0.0):
            why = "The charts of this run come in a moment."
            put(self._top, empty(Empty("Opening", why, height=120)))

    def _show_nothing(self, others: int) -> None:
        hide(self._header.box, on=True)
        hide(self._charts, on=True)
        what = "Choose a run" if others else "No run yet"
        why = (
            "Open one from the history of a Finetuning node to see it here."
            if others
            else "Press Train Model on the canvas: perplexity, loss and samples appear here "
            "while it trains."
        )
        put(self._top, empty(Empty(what, why, height=120)))
        self._samples.clear()
        self._tries.clear()
        self._compare.clear()
        self._shown = (None, 0.0)

    def _arrange(self, view: "RunView") -> None:
        """Put the task's panels in their order, those of other tasks behind them, hidden."""
        task = task_of(view)
        if task == self._task:
            return
        self._task = task
        kinds = kinds_of(view)
        for kind in kinds:
            if kind.name not in self._panels:
                self._panels[kind.name] = ChartPanel(kind.name, kind.width)
        names = [kind.name for kind in kinds]
        for name, panel in self._panels.items():
            if name not in names:
                panel.show(None)
                self._drawn.pop(name, None)
        rest = [name for name in self._panels if name not in names]
        ordered = tuple(self._panels[name].box for name in (*names, *rest))
        if self._charts.children != ordered:
            self._charts.children = ordered

    def _show_panels(self, run: "Run", view: "RunView", chosen: Chosen) -> None:
        """Make the content of those panels whose numbers are new."""
        for kind in kinds_of(view):
            needs = (view.id, view.attempt, view.status, self._measured, *_needs(kind, view))
            if self._drawn.get(kind.name) != needs:
                self._contents[kind.name] = kind.content(view, self._scores(run, view))
                self._drawn[kind.name] = needs
            self._panels[kind.name].show(told(self._contents[kind.name], chosen.judging))

        shown = [k for k in kinds_of(view) if self._panels[k.name].shown]
        for kind, two, one in zip(shown, in_twos(shown), alone(shown), strict=True):
            toggle(self._panels[kind.name].box, "emnb-in-two", on=two)
            toggle(self._panels[kind.name].box, "emnb-alone", on=one)

    def _scores(self, run: "Run", view: "RunView") -> "Sequence[Scores]":
        """The scores text by text, read again only when there may be others."""
        key = (view.id, view.attempt, self._measured, view.status)
        if self._scored[0] != key:
            self._scored = (key, scores.read(run.folder) if view.points else ())
        return self._scored[1]


def _news(view: "RunView") -> Hashable:
    """What is shown at once when it changes; of an ended run, all that can change."""
    return (
        view.id,
        view.attempt,
        view.status,
        view.stage.stage,
        len(view.samples),
        len(view.warnings),
        view.max_steps,
        len(view.curve) if not view.active else 0,
    )


def _needs(kind: Kind, view: "RunView") -> tuple[Hashable, ...]:
    """What a panel's content is made of; before the first point it says in how long that comes."""
    measured = (len(view.samples), view.epochs, kind_of(view))
    if kind.reads == "steps":
        last = view.curve[-1].step if view.curve else 0
        return (*measured, len(view.curve), last, view.max_steps)
    waiting = view.active and not view.points
    return (*measured, (view.step, view.seconds_left) if waiting else None)
