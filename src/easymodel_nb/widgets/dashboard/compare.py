"""The comparison of runs: made while it is open, and anew when a run or the choice is another."""

from typing import TYPE_CHECKING, Any

from easymodel_nb.report import numbers as write
from easymodel_nb.report.compare import (
    Choice,
    chosen_runs,
    compare_content,
    compare_form,
    too_few,
)
from easymodel_nb.report.compare_view import FEWEST, CompareView
from easymodel_nb.report.compared import ComparedRun
from easymodel_nb.report.top import run_label
from easymodel_nb.runlog import clock, scores
from easymodel_nb.widgets.dashboard.boxes import hide, html_box, plain_box, put
from easymodel_nb.widgets.dashboard.panel import ChartPanel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from easymodel_nb.runlog.view import RunView


class Compare:
    """The section of compared runs; hidden while it is closed."""

    def __init__(self) -> None:
        self._form = html_box("emnb-compare-form")
        self._few = html_box("emnb-compare-few")
        self._panel = ChartPanel("compare-curves", "full")
        self.box = plain_box(
            "emnb-compare emnb-t-compare emnb-off", self._form, self._few, self._panel.box
        )
        self._shown: Any = None

    def clear(self) -> None:
        """Show none."""
        hide(self.box, on=True)

    def show(
        self, runs: "Path", views: "Sequence[RunView]", shown: str, chosen: CompareView
    ) -> None:
        """Compare runs of the project `views`, whose folders lie in `runs`."""
        hide(self.box, on=not chosen.open)
        if not chosen.open:
            return
        ids, reference = chosen_runs(chosen, views, shown)
        compared = [view for view in views if view.id in ids]
        key = (chosen, ids, reference, tuple(view.id for view in views), *map(_state, compared))
        if key == self._shown:
            return
        self._shown = key
        by_time = sorted(views, key=lambda view: view.id)
        found = [_compared(runs, view, by_time) for view in by_time if view.id in ids]
        choices = [_choice(view, by_time) for view in reversed(by_time)]
        put(self._form, compare_form(choices, chosen, found, reference))
        enough = len(found) >= FEWEST
        put(self._few, "" if enough else too_few())
        hide(self._few, on=enough)
        self._panel.show(compare_content(found, chosen, reference) if enough else None)


def _state(view: "RunView") -> tuple[Any, ...]:
    """What is new of a run when its curves or scores are."""
    return (view.id, view.attempt, view.status, len(view.points), len(view.samples), view.max_steps)


def _compared(runs: "Path", view: "RunView", by_time: "Sequence[RunView]") -> ComparedRun:
    folder = runs / view.id
    others = [other for other in by_time if other is not view]
    return ComparedRun(
        view=view,
        number=by_time.index(view) + 1,
        label=run_label(view, others),
        scores=scores.read(folder),
        ticks=clock.ticks(folder),
    )


def _choice(view: "RunView", by_time: "Sequence[RunView]") -> Choice:
    others = [other for other in by_time if other is not view]
    label = f"{run_label(view, others)}, {write.moment(view.created)}, {view.status}"
    return Choice(view.id, label, bool(view.points or view.curve))
