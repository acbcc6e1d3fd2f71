"""What analytics have cost so far, and an end where they cost far more than was thought."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from easymodel_nb.metrics.memory import free, out_of_memory
from easymodel_nb.secrets import redact
from easymodel_nb.train.analytics.allowance import RUNAWAY, duration
from easymodel_nb.train.control import Control, Stopped

T = TypeVar("T")
_SAID = 200  # characters of a library's own words


class OverspentError(Exception):
    """Far more time is gone than the analytics were allowed."""


class Purse:
    """The time that a run's analytics may take; `seconds` None: as long as they take."""

    def __init__(self, control: Control, seconds: float | None = None) -> None:
        self.seconds = seconds
        self.spent = 0.0
        self._control = control
        self._since: float | None = None

    @contextmanager
    def paying(self) -> Iterator[None]:
        """What happens meanwhile counts; within itself it counts once."""
        if self._since is not None:
            yield
            return
        self._since = time.monotonic()
        try:
            yield
        finally:
            self.spent += time.monotonic() - self._since
            self._since = None

    def check(self) -> None:
        """Look at the stop flag and at the clock.

        Raises
        ------
        Stopped
            When a stop was asked for.
        OverspentError
            When twice the allowance is spent.

        """
        self._control.check()
        now = self.spent + (0.0 if self._since is None else time.monotonic() - self._since)
        if self.seconds is not None and now > RUNAWAY * self.seconds:
            raise OverspentError(
                f"The analytics took {duration(now)}, more than twice the {duration(self.seconds)} "
                "they were allowed, so the rest of them is left out: raise the analytics budget."
            )

    def has(self, seconds: float) -> bool:
        """Whether a time budget leaves so many seconds."""
        left = self._control.seconds_left
        return left is None or left > seconds


class Guard:
    """Lets a metric fail alone: its number is missing, the run goes on."""

    def __init__(
        self, purse: Purse, control: Control, warn: Callable[[str, str], None] = lambda *_: None
    ) -> None:
        self._purse, self._control, self._warn = purse, control, warn

    def __call__(self, what: str, work: Callable[[], T]) -> tuple[T | None, str]:
        """What `work` gives, or None and a sentence why there is nothing.

        `what` begins that sentence, such as "The quality of the answers".

        Raises
        ------
        Stopped
            When a stop was asked for meanwhile.

        """
        try:
            with self._purse.paying():
                self._purse.check()
                found = work()
            self._control.check()  # a library may have caught what ends the run
        except (Stopped, KeyboardInterrupt):
            raise
        except OverspentError as error:
            return None, str(error)
        except Exception as error:  # noqa: BLE001  whatever it is, it costs this metric only
            self._control.check()
            if out_of_memory(error):
                reason = (
                    f"{what} could not be measured: memory ran out. A smaller batch size or max "
                    "length leaves more."
                )
            else:
                said = redact(f"{type(error).__name__}: {error}").split("\n", 1)[0][:_SAID]
                reason = f"{what} could not be measured ({said})."
        else:
            return found, ""
        free()  # out here nothing holds what the error held
        self._warn("analytics.failed", reason)
        return None, reason
