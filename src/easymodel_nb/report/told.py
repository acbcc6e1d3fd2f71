"""All that a report, a page or a picture of a run is made of: read once from the run's folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from easymodel_nb.report.grid import Panel, panels_of
from easymodel_nb.runlog import scores
from easymodel_nb.runlog.run import Run
from easymodel_nb.runlog.scores import Scores
from easymodel_nb.runlog.view import RunView


@dataclass(frozen=True)
class Told:
    """A run as its report tells it.

    `samples` are the rows of `Run.sample_rows`, `scores` those of `runlog.scores.read`; `card` is
    the text of the model card, where there is a model; `others` are the runs it is counted among.
    """

    view: RunView
    samples: Sequence[Mapping[str, Any]] = ()
    scores: Sequence[Scores] = ()
    card: str = ""
    others: Sequence[RunView] = ()

    @property
    def panels(self) -> list[Panel]:
        """The panels in their order."""
        return panels_of(self.view, self.scores)


def told(run: Run, *, card: str = "", others: Sequence[RunView] = ()) -> Told:
    """What there is to tell of a run."""
    return Told(run.view, run.sample_rows(), scores.read(run.folder), card, others)
