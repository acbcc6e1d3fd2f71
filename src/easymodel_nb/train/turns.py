"""Whose turn it is on the device: a measurement makes way for a run.

Two at once would measure each other and could run out of memory together. It imports no PyTorch,
because the queue of runs asks it.
"""

import contextlib
import threading
import time
from collections.abc import Iterator

from easymodel_nb.train.control import Control

_changed = threading.Condition()
_measuring: list[Control] = []


@contextlib.contextmanager
def measuring(control: Control) -> Iterator[None]:
    """Meanwhile something is measured that stops when `control` is asked to."""
    with _changed:
        _measuring.append(control)
    try:
        yield
    finally:
        with _changed:
            _measuring.remove(control)
            _changed.notify_all()


def under_way() -> bool:
    """Whether something is measured just now."""
    return bool(_measuring)


def make_way(patience: float = 30.0) -> None:
    """End what is measured, and wait until it has let go of the device, `patience` seconds."""
    deadline = time.monotonic() + patience
    with _changed:
        while _measuring and (left := deadline - time.monotonic()) > 0:
            for control in _measuring:
                control.stop("cancelled")
            _changed.wait(left)
