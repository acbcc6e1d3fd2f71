"""Early stopping: ends a run that no longer gets better, and keeps its best epoch.

The headline metric of the validation rows decides (runlog/headline.py). What it decided so far
is read from the run's log, which knows every measured point: a run that is resumed goes on as
if it had never been interrupted. Only the weights of the best epoch need a place of their own.
"""

from typing import Any

from transformers import TrainerCallback

from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.runlog.headline import headline_of, measured_at
from easymodel_nb.runlog.view import RunView
from easymodel_nb.train.callbacks.watching import Watcher
from easymodel_nb.train.kept_weights import KeptWeights
from easymodel_nb.train.plan import RunPlan
from easymodel_nb.train.reporter import Reporter


class EarlyStopping(TrainerCallback, Watcher):
    """Does nothing unless the plan asks for it; stands after `Reports` in the list."""

    def __init__(self, plan: RunPlan, model: Any, reporter: Reporter) -> None:
        self._patience = plan.finetune.early_stopping
        self._plan = plan
        self._model = model
        self._reporter = reporter
        self._weights = KeptWeights(model, reporter)
        self._best: tuple[int, float] | None = None  # step and value
        self._epoch = 0  # the last one that was measured

    @property
    def _best_epoch(self) -> int:
        return self._best[0] // self._plan.steps_per_epoch if self._best is not None else 0

    @property
    def over(self) -> bool:
        """Whether patience is at its end."""
        if self._patience is None or self._best is None:
            return False
        return self._epoch - self._best_epoch >= self._patience

    # ------------------------------------------------------------ what it hears

    def recall(self, view: RunView, step: int) -> None:
        """Know the best epoch so far; forget it when its weights are gone."""
        if self._patience is None:
            return
        for point in view.points:
            if point.step <= step:
                self._judge(point.step, point.analytics)
        if self._best is not None and not self._weights.has(self._best[0]):
            self._reporter.warn(
                "early_stopping.lost",
                f"The weights of epoch {self._best_epoch}, the best so far, went with the process "
                "that held them; the best epoch is looked for from here on.",
                node=self._plan.node_id,
                field="early_stopping",
            )
            self._best = None

    def point(self, step: int, epoch: float, analytics: Analytics) -> None:  # noqa: ARG002
        """At the end of an epoch: keep the weights when it is the best so far."""
        if self._patience is not None and self._judge(step, analytics):
            self._weights.keep(step)

    def _judge(self, step: int, analytics: Analytics) -> bool:
        """Whether this is the best epoch so far; the first of equals stays."""
        if step < 1 or step % self._plan.steps_per_epoch:
            return False
        self._epoch = step // self._plan.steps_per_epoch
        metric = headline_of(self._plan.task, analytics)
        found = measured_at(analytics, metric.key)
        if found is None or found.value is None:
            return False
        better = self._best is None or (
            found.value > self._best[1] if metric.higher else found.value < self._best[1]
        )
        if better:
            self._best = (step, found.value)
        return better

    # ------------------------------------------------------------ the Trainer

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """End a run that was cut off after its patience had ended."""
        if self.over:
            control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """End the training when patience is at its end: the epoch was measured just before."""
        if self.over:
            control.should_training_stop = True

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """A checkpoint comes next: weights that no checkpoint speaks of can go."""
        self._weights.prune(self._best[0] if self._best is not None else None)

    # ------------------------------------------------------------ the end

    def restore(self, step: int) -> dict[str, Any]:
        """Give the model the weights of its best epoch; what the summary says of it.

        `step` is where the training ended. Nothing where early stopping was not asked for or no
        epoch was measured.
        """
        if self._patience is None or self._best is None:
            return {}
        best = self._best[0]
        if best != step:
            self._weights.restore(best)
        return {
            "stopped_early": self.over and step < self._plan.max_steps,
            "kept_epoch": self._best_epoch,
            "kept_step": best,
            "kept_in": self._weights.place,
        }
