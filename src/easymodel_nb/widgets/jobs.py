"""Long work on the models of runs: packing, merging, sending to the Hub.

One job after the other, on a thread of its own; a look at what a push would send has
another, so that it does not wait behind an upload. The jobs are the session's: a view that
is reloaded finds them again.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from easymodel_nb.errors import Problem, StudioError, problem_error
from easymodel_nb.runlog.log import runs_folder
from easymodel_nb.runlog.run import Run
from easymodel_nb.secrets import redact
from easymodel_nb.train.control import Control, Stopped
from easymodel_nb.widgets import job_work
from easymodel_nb.widgets.rpc import PushParams, PushPlanResult
from easymodel_nb.widgets.state import Job
from easymodel_nb.widgets.worker import Worker

_log = logging.getLogger(__name__)

Token = Callable[[], str | None]
PART = 1 << 20  # bytes of a zip in one answer
_KEPT = 20
_TELL_SECONDS = 0.25
_LOOK_SECONDS = 30.0  # an answer nobody fetched by then is asked for again
_OPEN = frozenset({"waiting", "working"})


class _Entry(NamedTuple):
    job: Job
    control: Control


class Jobs:
    """Does one job after the other on a thread of its own; calls `changed` as they go on."""

    def __init__(self, home: Path, token: Token, changed: Callable[[], None]) -> None:
        self._home, self._token, self._changed = home, token, changed
        self._lock = threading.Lock()
        self._entries: list[_Entry] = []
        self._looks: dict[str, tuple[float, PushPlanResult | None]] = {}
        self._worker = Worker("easymodel-jobs")
        self._looker = Worker("easymodel-looks")
        self._told = 0.0

    def items(self) -> list[Job]:
        """The jobs of this session, newest first."""
        with self._lock:
            return [entry.job for entry in reversed(self._entries)]

    @property
    def active(self) -> bool:
        """Whether a job waits or is under way."""
        return any(job.state in _OPEN for job in self.items())

    # ------------------------------------------------------------ asking

    def take(self, run: str, what: Literal["zip", "merged"]) -> str:
        """Pack a run's model for download, or merge it; returns the job's id at once.

        Raises
        ------
        StudioError
            When the run is unknown or has no model.

        """
        found = self._with_model(run)
        work = job_work.zipped if what == "zip" else job_work.merged
        return self._submit(what, run, lambda here: work(found, here))

    def push(self, params: PushParams) -> str:
        """Send a run's model to the Hub; returns the job's id at once.

        Raises
        ------
        StudioError
            When the run is unknown, has no model, or did not finish.

        """
        found = self._with_model(params.run)
        job_work.refuse_unfinished(found)
        return self._submit(
            "push", params.run, lambda here: job_work.pushed(found, params, self._token(), here)
        )

    def plan(self, params: PushParams) -> PushPlanResult:
        """What a push would send, and where; `checking` while the Hub is being asked.

        Asked again, it answers once what was found; the next question looks anew.

        Raises
        ------
        StudioError
            When the run is unknown, has no model, or did not finish.

        """
        found = self._with_model(params.run)
        job_work.refuse_unfinished(found)
        key = params.model_dump_json()
        with self._lock:
            since, known = self._looks.get(key, (0.0, None))
            fresh = time.monotonic() - since < _LOOK_SECONDS
            if known is not None and fresh:
                del self._looks[key]
                return known
            if not since or not fresh:
                self._looks[key] = time.monotonic(), None
                self._looker.submit(lambda: self._look(key, found, params))
                self._looker.start()
        return PushPlanResult(repo=params.repo, private=params.private, checking=True)

    def part(self, job: str, offset: int) -> tuple[bytes, int]:
        """At most `PART` bytes of a finished zip, and the size of the whole.

        Raises
        ------
        StudioError
            When there is no such zip, or it was packed again meanwhile.

        """
        with self._lock:
            found = next((e.job for e in self._entries if e.job.id == job), None)
        if found is None or found.kind != "zip" or found.state != "done" or not found.path:
            raise problem_error("take.gone", "This zip is not there any more. Pack it again.")
        try:
            with Path(found.path).open("rb") as file:
                file.seek(0, 2)
                size = file.tell()
                file.seek(offset)
                data = file.read(PART)
        except OSError:
            raise problem_error(
                "take.gone", "This zip is not there any more. Pack it again."
            ) from None
        if size != found.total:
            raise problem_error("take.changed", "This zip was packed again. Download the new one.")
        return data, size

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

    def close(self) -> None:
        """End the thread; what is under way is cancelled."""
        for entry in list(self._entries):
            self.cancel(entry.job.id)
        self._worker.close()
        self._looker.close()

    # ------------------------------------------------------------ on the threads

    def _submit(
        self,
        kind: Literal["zip", "merged", "push"],
        run: str,
        work: Callable[["job_work.Here"], dict[str, Any]],
    ) -> str:
        with self._lock:
            for job, _ in self._entries:
                if (job.kind, job.run) == (kind, run) and job.state in _OPEN:
                    return job.id  # a second click
            made = Job(id=secrets.token_hex(6), kind=kind, run=run, message="Waiting")
            # The folder of the control is one that is not there: its file is for runs.
            self._entries.append(_Entry(made, Control(self._home / "jobs" / made.id)))
            del self._entries[: max(0, len(self._entries) - _KEPT)]
        self._worker.submit(lambda: self._do(made.id, work))
        self._worker.start()
        self._changed()
        return made.id

    def _do(self, job: str, work: Callable[["job_work.Here"], dict[str, Any]]) -> None:
        with self._lock:
            entry = next((e for e in self._entries if e.job.id == job), None)
        if entry is None or entry.job.state != "waiting":
            return
        self._update(job, state="working", message="Beginning")

        def tell(done: float | None, total: float | None, said: str) -> None:
            entry.control.check()
            if time.monotonic() - self._told >= _TELL_SECONDS:
                self._update(job, done=done, total=total, message=said)

        try:
            result = work(job_work.Here(entry.control, tell))
        except (Stopped, job_work.Ended) as ended:
            said = str(ended) if isinstance(ended, job_work.Ended) else "Cancelled."
            self._update(job, state="cancelled", message=said, done=None)
        except StudioError as error:
            self._fail(job, error.problems[0])
        except Exception as error:  # noqa: BLE001  the job says so, and the next one may do better
            _log.debug("job failed", exc_info=True)
            said = redact(f"{type(error).__name__}: {error}").split("\n", 1)[0]
            why = f"Something went wrong inside EasyModel ({self._hidden(said)})."
            self._fail(job, Problem(code="job.failed", message=why))
        else:
            self._update(job, state="done", **result)

    def _look(self, key: str, run: Run, params: PushParams) -> None:
        try:
            found = job_work.planned(run, params, self._token())
        except StudioError as error:
            found = PushPlanResult(
                repo=params.repo, private=params.private, problems=error.problems
            )
        except Exception as error:  # noqa: BLE001  whoever asked must hear back
            _log.debug("look failed", exc_info=True)
            why = self._hidden(redact(f"{type(error).__name__}: {error}").split("\n", 1)[0])
            problem = Problem(code="job.failed", message=f"It could not be looked at ({why}).")
            found = PushPlanResult(repo=params.repo, private=params.private, problems=[problem])
        with self._lock:
            self._looks[key] = time.monotonic(), found

    # ------------------------------------------------------------ helpers

    def _fail(self, job: str, problem: Problem) -> None:
        told = problem.model_copy(update={"message": self._hidden(problem.message)})
        self._update(job, state="failed", problem=told, message=told.message)

    def _hidden(self, text: str) -> str:
        token = self._token()
        return redact(text.replace(token, "[redacted]") if token else text)

    def _update(self, job: str, **changes: Any) -> None:
        with self._lock:
            self._entries = [
                entry._replace(job=entry.job.model_copy(update=changes))
                if entry.job.id == job
                else entry
                for entry in self._entries
            ]
            self._told = time.monotonic()
        self._changed()

    def _with_model(self, run: str) -> Run:
        folder = runs_folder(self._home) / run
        if Path(run).name != run or not (folder / "events.jsonl").exists():
            raise problem_error("run.unknown", f"There is no run {run!r} in this home.")
        found = Run(folder)
        if found.model_path is None:
            raise problem_error(
                "run.no_model", f"This run has no model to take away: it is {found.status}."
            )
        return found
