"""Ends a run before its deadline: after the last step that leaves time to save."""

import time
from typing import Any

from transformers import TrainerCallback

from easymodel_nb.train.control import Control


class Deadline(TrainerCallback):
    """Asks the run to stop when another step as slow as the slowest would end too late.

    What is no step, such as measuring, is ended by the control itself at the same moment.
    """

    def __init__(self, control: Control) -> None:
        self._control = control
        self._began: float | None = None
        self._slowest = 0.0

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """A step begins."""
        self._began = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Stop here where the next step may end too late; the last one may."""
        now = time.monotonic()
        if self._began is not None:
            self._slowest = max(self._slowest, now - self._began)
        left = self._control.seconds_left
        if left is not None and left < self._slowest and state.global_step < state.max_steps:
            self._control.stop("time_budget")
