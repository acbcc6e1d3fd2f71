"""All that a report, a page or a picture of a run is made of: read once from the run's folder."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from easymodel_nb.report.content import PanelContent
from easymodel_nb.report.figures import Empty
from easymodel_nb.report.grid import Kind, Panel, kinds_of
from easymodel_nb.runlog import destinations, scores
from easymodel_nb.runlog.destinations import Destinations
from easymodel_nb.runlog.run import Run
from easymodel_nb.runlog.scores import Scores
from easymodel_nb.runlog.view import RunView

_log = logging.getLogger(__name__)


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
    destinations: Destinations | None = None  # None: nobody recorded them

    @property
    def panels(self) -> list[Panel]:
        """The panels in their order; one that cannot be made costs its own place alone."""
        made = [(kind, self._content(kind)) for kind in kinds_of(self.view)]
        return [Panel(k.name, k.width, content) for k, content in made if content is not None]

    def _content(self, kind: Kind) -> PanelContent | None:
        try:
            return kind.make(self.view, self.scores)
        except Exception as error:  # noqa: BLE001  the rest of the report is worth having
            _log.debug("panel %s failed", kind.name, exc_info=True)
            why = f"Something went wrong inside EasyModel ({type(error).__name__}: {error})."
            place = Empty("This panel could not be drawn", why, failed=True)
            return PanelContent(title=kind.name, caption="", how="", figures=(place,))


def told(run: Run, *, card: str = "", others: Sequence[RunView] = ()) -> Told:
    """What there is to tell of a run."""
    known = destinations.read(run.folder)
    return Told(run.view, run.sample_rows(), scores.read(run.folder), card, others, known)
