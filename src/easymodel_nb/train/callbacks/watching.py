"""Who hears the numbers of a run in the moment they are read, without reading them again."""

from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.runlog.view import RunView


class Watcher:
    """Hears what `Reports` reads; each method does nothing until it is overridden.

    A GPU waits for each number that is read: what is read for the progress lines and for
    live.json (four times a second) is all there is.
    """

    def recall(self, view: RunView, step: int) -> None:
        """Before the first step of an attempt that goes on from `step`: what was read so far."""

    def loss(self, step: int, mean: float | None, targets: int) -> None:
        """The mean loss of the last steps and how many targets it was of."""

    def gradient(self, step: int, norm: float | None) -> None:
        """The gradient's norm at a progress line."""

    def line(self, step: int, mean: float | None) -> None:
        """The mean loss since the last progress line."""

    def measuring(self, step: int) -> None:
        """The model is about to be measured; a stop that is asked for now is heeded."""

    def point(self, step: int, epoch: float, analytics: Analytics) -> None:
        """The model was measured."""
