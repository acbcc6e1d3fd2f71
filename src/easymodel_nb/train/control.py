"""Stopping: one flag every stage looks at, and a way to leave what cannot look."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast, get_args

from easymodel_nb import whole
from easymodel_nb.runlog.events import StopReason

T = TypeVar("T")
STOP_FILE = "stop"
_POLL_SECONDS = 0.1
_FILE_POLL_SECONDS = 0.25
_GRACE_SECONDS = 1.2


class Stopped(Exception):  # noqa: N818  a request, not an error
    """The run was asked to stop."""

    def __init__(
        self, reason: StopReason, *, steps: int = 0, kept: dict[str, Any] | None = None
    ) -> None:
        self.reason = reason
        self.steps = steps  # whole steps that were trained
        self.kept = kept or {}  # which epoch's weights the model holds, if not the last step's
        super().__init__(reason)


class Control:
    """Whether this run was asked to stop, from this process or through the run's folder.

    The file lets a second kernel, or one that was restarted, stop a run it does not own.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / STOP_FILE
        self._event = threading.Event()
        self._reason: StopReason = "user"
        self._asked_at = 0.0
        self._next_look = 0.0
        self._deadline: float | None = None

    def stop(self, reason: StopReason = "user") -> None:
        """Ask the run to stop; returns at once. The first reason stays."""
        if not self._event.is_set():
            self._reason = reason
            self._asked_at = time.monotonic()
            self._event.set()

    def end_in(self, seconds: float | None) -> None:
        """Stop by itself, for its time budget, in so many seconds; None: never."""
        self._deadline = None if seconds is None else time.monotonic() + seconds

    @property
    def seconds_left(self) -> float | None:
        """Seconds until it stops by itself; None where it does not."""
        return None if self._deadline is None else self._deadline - time.monotonic()

    @property
    def stopping(self) -> bool:
        """Whether a stop was asked for, or the time is over."""
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self.stop("time_budget")
        if not self._event.is_set() and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + _FILE_POLL_SECONDS
            if self._file.exists():
                self.stop(self._written_reason())
        return self._event.is_set()

    def _written_reason(self) -> StopReason:
        with contextlib.suppress(OSError):
            word = self._file.read_text(encoding="utf-8").strip()
            if word in get_args(StopReason):
                return cast("StopReason", word)
        return "user"

    @property
    def seconds_asked(self) -> float:
        """For how long a stop has been asked for; 0 when it was not."""
        return time.monotonic() - self._asked_at if self.stopping else 0.0

    @property
    def reason(self) -> StopReason:
        """Why the run was asked to stop."""
        return self._reason

    def check(self) -> None:
        """Raise Stopped when a stop was asked for."""
        if self.stopping:
            raise Stopped(self._reason)

    def interruptible(self, work: Callable[[], T], tick: Callable[[], None] | None = None) -> T:
        """Do work that cannot look at the flag; on a stop it is left behind, unwaited.

        `tick` is called about ten times a second from the calling thread.
        """
        self.check()

        def look() -> None:
            self.check()
            if tick is not None:
                tick()

        return with_ticks(work, look)


def with_ticks(work: Callable[[], T], tick: Callable[[], None]) -> T:
    """Do work in a helper thread while `tick` is called about ten times a second from this one.

    When `tick` raises, the work is left behind, unwaited.
    """
    result: list[T] = []
    failure: list[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            result.append(work())
        except BaseException as error:  # noqa: BLE001  raised again in the caller's thread
            failure.append(error)
        finally:
            done.set()

    name = f"{threading.current_thread().name}-work"
    threading.Thread(target=run, name=name, daemon=True).start()
    while not done.wait(_POLL_SECONDS):
        tick()
    if failure:
        raise failure[0]
    return result[0]


@contextlib.contextmanager
def stoppable(model: Any, control: Control, *, steps: bool = True) -> Iterator[None]:
    """Let every forward and backward pass of the model meanwhile end soon after a stop.

    A pass that measures or generates is left at once, a training step only when it goes
    on for too long: a whole step more is worth a moment. Without `steps` it is never left, because
    other processes take it too.
    """

    def look(module: Any, *_: Any) -> None:
        if control.stopping and (
            not module.training or (steps and control.seconds_asked > _GRACE_SECONDS)
        ):
            raise Stopped(control.reason)

    def look_back(module: Any, _: Any, output: Any) -> None:
        if getattr(output, "requires_grad", False):
            output.register_hook(lambda _: look(module))

    leaves = [module for module in model.modules() if not list(module.children())]
    handles = [module.register_forward_pre_hook(look) for module in leaves]
    handles += [module.register_forward_hook(look_back) for module in leaves]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def ask_to_stop(folder: Path, reason: StopReason = "user") -> None:
    """Ask the owner of a run, whoever it is, to stop it."""
    whole.replace(
        folder / STOP_FILE, reason + "\n", shared=True
    )  # who sees the file must find the reason
