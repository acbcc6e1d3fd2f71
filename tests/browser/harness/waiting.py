"""Waiting for a condition outside the browser."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 120.0
"""Seconds until a condition counts as failed; machines are slow, and waiting costs nothing."""


def until(condition: Callable[[], T | None], what: str, patience: float = PATIENCE) -> T:
    """The first truthy answer of `condition`, asked about ten times a second."""
    deadline = time.monotonic() + patience
    while True:
        if answer := condition():
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"After {patience:.0f} s still no {what}.")
        time.sleep(0.1)
