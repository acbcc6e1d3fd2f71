"""The panels of a run in their order: one list for dashboard, HTML report and snapshot.

Every panel has a name, which is also its test hook and its file name (`chart-perplexity`,
`per-class` ...), and a width in a grid of two columns: `full` takes both, `half` one; two halves
that follow each other stand side by side.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from easymodel_nb.report.content import PanelContent
from easymodel_nb.report.figures import Empty
from easymodel_nb.report.panels.calibration import calibration_content
from easymodel_nb.report.panels.classes import classes_content
from easymodel_nb.report.panels.compression import compression_content
from easymodel_nb.report.panels.confusion import confusion_content
from easymodel_nb.report.panels.efficiency import efficiency_content
from easymodel_nb.report.panels.forgetting import forgetting_content
from easymodel_nb.report.panels.groups import groups_content
from easymodel_nb.report.panels.inapplicable import inapplicable_content
from easymodel_nb.report.panels.loss import loss_content
from easymodel_nb.report.panels.perplexity import perplexity_content
from easymodel_nb.report.panels.predictions import predictions_content
from easymodel_nb.report.panels.quality import quality_content
from easymodel_nb.report.panels.semantics import semantics_content
from easymodel_nb.report.panels.speed import speed_content
from easymodel_nb.report.panels.task import task_content
from easymodel_nb.runlog.headline import task_of
from easymodel_nb.runlog.scores import Scores
from easymodel_nb.runlog.view import RunView

_log = logging.getLogger(__name__)
Width = Literal["full", "half"]
Reads = Literal["points", "steps"]
Make = Callable[[RunView, Sequence[Scores]], PanelContent | None]


class Kind(NamedTuple):
    """One panel of a task.

    `reads` says what its content is made of: the measured `points` alone (with the samples and
    scores of them), or the `steps` too, whose content is new at every progress line. `make` gives
    None where the run has nothing to show there and nothing to say of it: the place is left out.
    """

    name: str
    width: Width
    reads: Reads
    make: Make

    def content(self, view: RunView, scores: Sequence[Scores] = ()) -> PanelContent | None:
        """The same as `make`, but an error costs this panel alone: it says so in its place."""
        try:
            return self.make(view, scores)
        except Exception as error:  # noqa: BLE001  the other panels are worth having
            _log.debug("panel %s failed", self.name, exc_info=True)
            why = f"Something went wrong inside EasyModel ({type(error).__name__}: {error})."
            place = Empty("This panel could not be drawn", why, failed=True)
            how = "Its numbers are in the run all the same: `Run.metrics()` has them."
            title = self.name.removeprefix("chart-").replace("-", " ").capitalize()
            return PanelContent(title=title, caption="No content", how=how, figures=(place,))


class Panel(NamedTuple):
    """A panel of a run: its name, its width in the grid, and all it shows."""

    name: str
    width: Width
    content: PanelContent


def _of_view(make: Callable[[RunView], PanelContent | None]) -> Make:
    """A panel that needs no scores text by text."""

    def made(view: RunView, scores: Sequence[Scores]) -> PanelContent | None:
        del scores
        return make(view)

    return made


_PERPLEXITY = Kind("chart-perplexity", "full", "points", perplexity_content)
_QUALITY = Kind("chart-quality", "half", "points", _of_view(quality_content))
_SEMANTICS = Kind("chart-semantics", "half", "points", _of_view(semantics_content))
_EFFICIENCY = Kind("chart-efficiency", "half", "points", _of_view(efficiency_content))
_COMPRESSION = Kind("chart-compression", "half", "points", _of_view(compression_content))
_FORGETTING = Kind("chart-forgetting", "half", "points", _of_view(forgetting_content))
_TASK = Kind("chart-task", "full", "points", task_content)
_CONFUSION = Kind("confusion", "half", "points", _of_view(confusion_content))
_CLASSES = Kind("per-class", "half", "points", _of_view(classes_content))
_LOSS = Kind("chart-loss", "full", "steps", _of_view(loss_content))

_SPEED = Kind("chart-speed", "half", "steps", _of_view(speed_content))
_ANSWERS = (_QUALITY, _SEMANTICS, _EFFICIENCY, _COMPRESSION)
_PREDICTIONS = Kind("chart-predictions", "half", "points", predictions_content)
_CALIBRATION = Kind("chart-calibration", "half", "points", _of_view(calibration_content))
_GROUPS = Kind("chart-groups", "half", "points", _of_view(groups_content))
_INAPPLICABLE = Kind("not-applicable", "full", "points", _of_view(inapplicable_content))
_LABELS = (
    *(_TASK, _CONFUSION, _CLASSES, _PREDICTIONS, _CALIBRATION, _GROUPS, _SPEED),
    *(_LOSS, _INAPPLICABLE),
)
KINDS: dict[str, tuple[Kind, ...]] = {
    "generation": (_PERPLEXITY, *_ANSWERS, _FORGETTING, _SPEED, _LOSS),
    "seq2seq": (_PERPLEXITY, _TASK, *_ANSWERS, _FORGETTING, _SPEED, _LOSS),
    "classification": _LABELS,
    "token_classification": _LABELS,
}


def kinds_of(view: RunView) -> tuple[Kind, ...]:
    """The panels a run of its task can have, in their order."""
    return KINDS[task_of(view)]


def panels_of(view: RunView, scores: Sequence[Scores] = ()) -> list[Panel]:
    """The panels of a run in their order.

    `scores` are those of `runlog.scores.read`: with them two epochs are compared text by text.
    """
    made = [(kind, kind.make(view, scores)) for kind in kinds_of(view)]
    return [Panel(kind.name, kind.width, content) for kind, content in made if content is not None]
