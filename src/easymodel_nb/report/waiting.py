"""When the next number comes: what an empty place says while a run is under way."""

from easymodel_nb.report import numbers as write
from easymodel_nb.runlog.view import RunView

_ENDS = {"failed": "failed", "stopped": "was stopped", "interrupted": "was interrupted"}


def when(view: RunView, epoch: float = 1.0) -> str:
    """When an epoch ends: "after epoch 1, in about 40 s."."""
    name = f"after epoch {write.epoch(epoch)}"
    steps_left = view.max_steps - view.step
    if view.seconds_left is None or steps_left <= 0 or view.epochs <= 0:
        return f"{name}."
    at = view.max_steps * min(epoch / view.epochs, 1.0)
    seconds = (at - view.step) * view.seconds_left / steps_left
    return f"{name}, in about {write.about(seconds)}." if seconds > 0 else f"{name}."


def ended_before(view: RunView, what: str) -> str:
    """Why an ended run lacks something: it ended before it; empty for a finished one."""
    end = _ENDS.get(view.status)
    return f"The run {end} before {what}." if end else ""
