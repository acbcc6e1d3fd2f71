"""Reports steps, measures at the planned points, and ends the training when asked."""

import math
import time
from collections.abc import Collection, Sequence
from typing import Any

from transformers import TrainerCallback

from easymodel_nb.train import planning
from easymodel_nb.train.callbacks.watching import Watcher
from easymodel_nb.train.control import Control
from easymodel_nb.train.distributed.together import up_to_date
from easymodel_nb.train.measuring import Measurer
from easymodel_nb.train.plan import RunPlan
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.train.tally import Clock, SummedLoss, memory_bytes

_SMOOTH_SECONDS = 0.25


class Reports(TrainerCallback):
    """Reports steps, measures at the planned points, and ends it when asked."""

    def __init__(
        self,
        plan: RunPlan,
        loss: SummedLoss,
        clock: Clock,
        measurer: Measurer,
        control: Control,
        reporter: Reporter,
        watchers: Sequence[Watcher] = (),
        measured: Collection[int] = (),
    ) -> None:
        self._plan = plan
        self._loss = loss
        self._clock = clock
        self._measurer = measurer
        self._control = control
        self._reporter = reporter
        self._watchers = watchers
        self._lines = set(planning.progress_steps(plan.max_steps))
        self._points = set(plan.eval_steps)
        self._measured = measured  # steps whose point an attempt before this one wrote
        self._pending: int | None = None
        self._measuring: list[float] = []
        self._shown = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Measure where an attempt before this one was cut off or stopped before it could."""
        step = state.global_step
        self._reporter.step = step
        if step in self._points and step not in self._measured:
            self._measure(step)

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Say which epoch it is."""
        self._training(state.global_step // self._plan.steps_per_epoch + 1)

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """The clock of steps goes on."""
        self._clock.start()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """End when asked; ask for the gradient's norm where a line is due."""
        self._clock.pause()
        step = state.global_step
        self._reporter.step = step
        if step in self._lines or step in self._points:
            self._pending = step
            control.should_log = True  # on_log then brings the gradient norm
        if self._control.stopping:
            control.should_training_stop = True
            return
        self._live(state)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:  # noqa: ARG002
        """Write the line of a step, and measure where that is planned."""
        if self._pending != state.global_step:  # the Trainer's own summary at the end
            return
        step, self._pending = state.global_step, None
        if step in self._lines:
            mean = self._loss.since_line.mean()
            norm = (logs or {}).get("grad_norm")
            self._reporter.event(
                "progress",
                **self._numbers(state),
                loss=mean,
                epochs=self._plan.epochs,
                grad_norm=norm,
                learning_rate=(logs or {}).get("learning_rate"),
            )
            for watcher in self._watchers:
                watcher.loss(step, mean, self._loss.since_line.targets)
                watcher.gradient(step, norm)
                watcher.line(step, mean)
            self._loss.since_line.clear()
        if step in self._points:
            for watcher in self._watchers:
                watcher.measuring(step)
            if self._control.stopping:
                control.should_training_stop = True
                return
            self._measure(step)

    def _training(self, epoch: int) -> None:
        epoch = min(epoch, self._plan.epochs)
        self._reporter.stage(
            "training",
            f"Training, epoch {epoch} of {self._plan.epochs}",
            total=self._plan.max_steps,
            unit="steps",
        )

    def _live(self, state: Any) -> None:
        if time.monotonic() - self._shown < _SMOOTH_SECONDS and state.global_step > 1:
            return
        self._shown = time.monotonic()
        numbers = self._numbers(state)
        loss, targets = self._loss.recent.mean(), self._loss.recent.targets
        self._loss.recent.clear()
        self._reporter.live(**numbers, loss=loss)
        for watcher in self._watchers:
            watcher.loss(state.global_step, loss, targets)
        self._reporter.advance(state.global_step)

    def _numbers(self, state: Any) -> dict[str, Any]:
        return {
            "step": state.global_step,
            "max_steps": self._plan.max_steps,
            "epoch": round(state.global_step / self._plan.steps_per_epoch, 4),
            "tokens_per_second": self._clock.tokens_per_second,
            "seconds_left": self._seconds_left(state.global_step),
            "memory_bytes": memory_bytes(),
        }

    def _seconds_left(self, step: int) -> float | None:
        if step < 1:
            return None
        training = self._clock.seconds / step * (self._plan.max_steps - step)
        points = sum(point > step for point in self._points)
        measuring = sum(self._measuring) / len(self._measuring) if self._measuring else 0.0
        return training + points * measuring

    def _measure(self, step: int) -> None:
        epoch = step / self._plan.steps_per_epoch
        ends = step % self._plan.steps_per_epoch == 0
        whole = ends or step == self._plan.max_steps  # a time budget may end within an epoch
        where = f"after epoch {round(epoch)}" if ends else f"within epoch {math.ceil(epoch)}"
        total = self._measurer.texts(step)
        self._reporter.stage("evaluating", f"Measuring {where}", total=total, unit="texts")
        up_to_date()
        began = time.monotonic()
        analytics = self._measurer.measure(step)
        self._measuring.append(time.monotonic() - began)
        for watcher in self._watchers:
            watcher.point(step, epoch, analytics)
        if not whole:
            self._training(math.ceil(epoch))
