"""The samples under the charts: read again only when the log says that there are others."""

from typing import TYPE_CHECKING, Any

from easymodel_nb.report.panels.quality import label_of
from easymodel_nb.report.points import kept_epoch
from easymodel_nb.report.sample_rows import SamplesView
from easymodel_nb.report.samples import samples_section
from easymodel_nb.runlog.headline import kind_of
from easymodel_nb.widgets.dashboard.boxes import hide, html_box, put

if TYPE_CHECKING:
    from easymodel_nb.runlog.run import Run
    from easymodel_nb.runlog.view import RunView


class Samples:
    """The section of samples; hidden while there are none."""

    def __init__(self) -> None:
        self.box = html_box("emnb-samples emnb-t-samples emnb-off")
        self._shown: Any = None

    def clear(self) -> None:
        """Show none."""
        put(self.box, "")
        hide(self.box, on=True)
        self._shown = None

    def show(self, run: "Run", view: "RunView", chosen: SamplesView, measured: int) -> None:
        """Show what was chosen of a run's samples; `measured` changes with their scores."""
        key = (view.id, view.attempt, view.status, len(view.samples), chosen, measured)
        if key == self._shown:
            return
        self._shown = key
        epochs = [epoch for epoch in run.sampled_epochs() if epoch]
        if chosen.epoch not in epochs:  # the kept one, else the last
            kept = kept_epoch(view)
            chosen = chosen.model_copy(update={"epoch": kept if kept in epochs else None})
        rows = run.answer_rows(chosen.epoch) if view.samples else []
        html = samples_section(
            rows,
            chosen,
            run=view.id,
            epochs=epochs,
            waiting=_waiting(view),
            task=kind_of(view),
            names={"grammar": label_of(view, "grammar")},
        )
        put(self.box, html)
        hide(self.box, on=not rows)


def _waiting(view: "RunView") -> str:
    return "not generated yet" if view.active else "not generated before the run ended"
