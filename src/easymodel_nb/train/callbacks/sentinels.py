"""Watches over a run: what goes wrong is told, what is hopeless is ended, NaN is never kept."""

import math
from typing import Any

from transformers import TrainerCallback

from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.runlog.view import RunView
from easymodel_nb.train.callbacks.watching import Watcher
from easymodel_nb.train.control import Control
from easymodel_nb.train.distributed.together import up_to_date
from easymodel_nb.train.finite import broken_weight
from easymodel_nb.train.plan import RunPlan
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.train.symptoms import Symptom, Symptoms


class Sentinels(TrainerCallback, Watcher):
    """Judges what is read of the run; the last callback in the list, so that its word holds.

    The weights are looked at only when the loss is odd, and before they are measured or
    written: one wait for the device each.
    """

    def __init__(self, plan: RunPlan, model: Any, control: Control, reporter: Reporter) -> None:
        self._plan = plan
        self._model = model
        self._control = control
        self._reporter = reporter
        self._symptoms = Symptoms(plan)
        self._unmeasured = ""  # why the last measured point has no loss
        self._ended = False

    # ------------------------------------------------------------ what it hears

    def recall(self, view: RunView, step: int) -> None:
        """A run that is resumed is judged as a whole, and told nothing twice."""
        for line in view.curve:
            if line.step <= step:
                if line.loss:
                    self._symptoms.loss(line.step, line.loss, 1)
                self._symptoms.gradient(line.step, line.grad_norm)
                self._symptoms.line(line.step, line.loss)
        for point in view.points:
            found = point.analytics.task.get("loss")
            if point.step <= step and found is not None:
                self._symptoms.point(point.step, found.value)

    def loss(self, step: int, mean: float | None, targets: int) -> None:
        """Look at the weights when the loss is no number; else judge it."""
        if mean is not None and not math.isfinite(mean):
            self._look(step)
        self._tell(self._symptoms.loss(step, mean, targets))

    def gradient(self, step: int, norm: float | None) -> None:
        """Look at the weights when the norm is no number; else judge it."""
        if norm is not None and not math.isfinite(norm):
            self._look(step)
        self._tell(self._symptoms.gradient(step, norm))

    def line(self, step: int, mean: float | None) -> None:
        """Judge the course of the loss."""
        self._tell(self._symptoms.line(step, mean))

    def measuring(self, step: int) -> None:
        """Nothing is measured with weights that are no numbers."""
        self._look(step)

    def point(self, step: int, epoch: float, analytics: Analytics) -> None:  # noqa: ARG002
        """Judge what was measured."""
        found = analytics.task.get("loss")
        self._unmeasured = found.reason or "" if found is not None else ""
        self._tell(self._symptoms.point(step, found.value if found is not None else None))

    # ------------------------------------------------------------ the Trainer

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """End the training where there is reason to; let no broken weights be written."""
        self._guard(state, control)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Let no broken weights be written."""
        self._guard(state, control)

    def _guard(self, state: Any, control: Any) -> None:
        if control.should_save:
            self._look(state.global_step)
        if self._ended:
            control.should_training_stop = True
            control.should_save = False

    # ------------------------------------------------------------ what it does

    def finish(self, step: int) -> None:
        """Look at the weights and the last measurement, before the model is called finished.

        Raises
        ------
        Stopped
            When they are no numbers, or a stop was asked for.

        """
        self._look(step)
        if self._unmeasured:
            self._tell(self._symptoms.unmeasured(step, self._unmeasured))
        self._control.check()

    def _look(self, step: int) -> None:
        up_to_date()
        weight = broken_weight(self._model, learned_only=True)
        if weight is not None:
            self._tell(self._symptoms.not_a_number(step, weight))

    def _tell(self, symptom: Symptom | None) -> None:
        if symptom is None or self._ended:
            return
        self._reporter.event("warning", problem=symptom.problem)
        if symptom.fatal:
            self._ended = True
            self._control.stop("sentinel")
