"""The jobs of a home: one after the other on a thread of the process, not of a studio.

A studio that moves to a newer cell finds them again, as it finds its runs.
"""

import errno
import logging
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from easymodel_nb.errors import Problem, StudioError, problem_error
from easymodel_nb.secrets import redact
from easymodel_nb.train.control import Control, Stopped
from easymodel_nb.widgets.job_work import Ended, Here
from easymodel_nb.widgets.state import Job
from easymodel_nb.widgets.worker import Worker

_log = logging.getLogger(__name__)

Work = Callable[[Here], dict[str, Any]]
_KEPT = 20
_TELL_SECONDS = 0.25
_OPEN = frozenset({"waiting", "working"})


class _Entry(NamedTuple):
    job: Job
    control: Control
    asked: str  # what exactly was asked for
    hide: Callable[[str], str]


class Board:
    """Every job of a home, and the thread that does them."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._entries: list[_Entry] = []
        self._listeners: list[Callable[[], None]] = []
        self._worker: Worker | None = None
        self._told = 0.0

    def items(self) -> list[Job]:
        """The jobs, newest first."""
        with self._lock:
            return [entry.job for entry in reversed(self._entries)]

    def find(self, job: str) -> Job | None:
        """One job."""
        return next((item for item in self.items() if item.id == job), None)

    @property
    def active(self) -> bool:
        """Whether a job waits or is under way."""
        return any(job.state in _OPEN for job in self.items())

    def listen(self, changed: Callable[[], None]) -> None:
        """Call `changed` as jobs go on."""
        self._listeners.append(changed)

    def leave(self, changed: Callable[[], None]) -> None:
        """Call it no more; jobs go on, and without any of them the thread ends."""
        if changed in self._listeners:
            self._listeners.remove(changed)
        self._rest()

    def submit(self, kind: Any, run: str, asked: str, work: Work, token: str | None) -> str:
        """Queue a job; the same one asked twice is one. Returns its id at once.

        Raises
        ------
        StudioError
            When another job of this kind is under way for the run.

        """
        with self._lock:
            for job, _, known, _ in self._entries:
                if (job.kind, job.run) == (kind, run) and job.state in _OPEN:
                    if known == asked:
                        return job.id
                    raise problem_error(
                        "job.busy", "This model is on its way already. Cancel that, or wait."
                    )

            def hide(text: str) -> str:
                return redact(text.replace(token, "[redacted]") if token else text)

            made = Job(id=secrets.token_hex(6), kind=kind, run=run, message="Waiting")
            # The folder of the control is one that is not there: its file is for runs.
            control = Control(self._home / "jobs" / made.id)
            self._entries.append(_Entry(made, control, asked, hide))
            del self._entries[: max(0, len(self._entries) - _KEPT)]
            if self._worker is None:
                self._worker = Worker("easymodel-jobs")
                self._worker.start()
            self._worker.submit(lambda: self._do(made.id, work))
        self._tell()
        return made.id

    def cancel(self, job: str) -> None:
        """End a job; what it has made so far is removed."""
        with self._lock:
            found = next((e for e in self._entries if e.job.id == job), None)
        if found is None:
            return
        found.control.stop()
        if found.job.state == "waiting":
            self._update(job, state="cancelled", message="Cancelled before it began.")
        elif found.job.state == "working":
            self._update(job, message="Cancelling")

    # ------------------------------------------------------------ on the thread

    def _do(self, job: str, work: Work) -> None:
        with self._lock:
            entry = next((e for e in self._entries if e.job.id == job), None)
        if entry is None or entry.job.state != "waiting":
            return
        self._update(job, state="working", message="Beginning")
        heard = ""

        def tell(done: float | None, total: float | None, said: str) -> None:
            nonlocal heard
            entry.control.check()
            # A new sentence may stand for long; the same one is told anew a few times a second.
            if said != heard or time.monotonic() - self._told >= _TELL_SECONDS:
                heard = said
                self._update(job, done=done, total=total, message=said)

        try:
            result = work(Here(entry.control, tell))
        except (Stopped, Ended) as ended:
            said = str(ended) if isinstance(ended, Ended) else "Cancelled."
            self._update(job, state="cancelled", message=said, done=None)
        except StudioError as error:
            self._fail(entry, error.problems[0])
        except Exception as error:  # noqa: BLE001  the job says so, and the next one may do better
            _log.debug("job failed: %s", type(error).__name__)
            self._fail(entry, problem_of(error))
        else:
            self._update(job, state="done", **result)
        self._rest()

    def _fail(self, entry: _Entry, problem: Problem) -> None:
        said = entry.hide(problem.message)
        told = problem.model_copy(update={"message": said})
        self._update(entry.job.id, state="failed", problem=told, message=said)

    def _update(self, job: str, **changes: Any) -> None:
        with self._lock:
            self._entries = [
                entry._replace(job=entry.job.model_copy(update=changes))
                if entry.job.id == job
                else entry
                for entry in self._entries
            ]
            self._told = time.monotonic()
        self._tell()

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()

    def _rest(self) -> None:
        """End the thread when nobody is left who could ask for more."""
        with self._lock:
            busy = any(entry.job.state in _OPEN for entry in self._entries)
            if self._worker is not None and not busy and not self._listeners:
                self._worker.close()
                self._worker = None


def problem_of(error: Exception) -> Problem:
    """What went wrong where nothing was expected to."""
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        told = "The disk is full. Free some space on it, and try again."
        return Problem(code="disk.full", message=told)
    said = redact(f"{type(error).__name__}: {error}").split("\n", 1)[0]
    return Problem(code="job.failed", message=f"Something went wrong inside EasyModel ({said}).")


_boards: dict[Path, Board] = {}
_boards_lock = threading.Lock()


def board_of(home: Path) -> Board:
    """This process's jobs of a home."""
    home = home.absolute()
    with _boards_lock:
        return _boards.setdefault(home, Board(home))
