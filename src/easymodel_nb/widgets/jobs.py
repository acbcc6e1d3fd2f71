"""Long work on the models of runs, as one studio asks for it: packing, merging, sending."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from easymodel_nb.errors import StudioError, problem_error
from easymodel_nb.runlog.log import run_folder
from easymodel_nb.runlog.run import Run
from easymodel_nb.runlog.view import RunView
from easymodel_nb.widgets import job_work
from easymodel_nb.widgets.job_board import board_of, problem_of
from easymodel_nb.widgets.methods import PushParams, PushPlanResult
from easymodel_nb.widgets.state import Job
from easymodel_nb.widgets.worker import Worker

Token = Callable[[], str | None]
_PACKED = frozenset({"zip", "report"})
PART = 1 << 20  # bytes of a zip in one answer
_LOOK_SECONDS = 30.0  # an answer nobody fetched by then is asked for again


class Jobs:
    """Does one job after the other on a thread of its own; calls `changed` as they go on.

    A look at what a push would send has another thread, so that it does not wait behind an
    upload.
    """

    def __init__(self, home: Path, token: Token, changed: Callable[[], None]) -> None:
        self._home, self._token, self._changed = home, token, changed
        self._board = board_of(home)
        self._board.listen(changed)
        self._lock = threading.Lock()
        self._looks: dict[str, tuple[float, PushPlanResult | None]] = {}
        self._looker = Worker("easymodel-looks")

    def items(self) -> list[Job]:
        """The jobs of this process, newest first."""
        return self._board.items()

    @property
    def active(self) -> bool:
        """Whether a job waits or is under way."""
        return self._board.active

    def take(self, run: str, what: Literal["zip", "merged"]) -> str:
        """Pack a run's model for download, or merge it; returns the job's id at once.

        Raises
        ------
        StudioError
            When the run is unknown or has no model.

        """
        found = self._with_model(run)
        work = job_work.zipped if what == "zip" else job_work.merged
        return self._board.submit(what, run, "", lambda here: work(found, here), None)

    def report(self, run: str, others: Sequence[RunView] = ()) -> str:
        """Pack a run's report for download; `others` are the runs it is counted among.

        Raises
        ------
        StudioError
            When the run is unknown.

        """
        found = self.known(run)
        return self._board.submit(
            "report", run, "", lambda here: job_work.reported(found, others, here), None
        )

    def measure(self, run: str) -> str:
        """Judge the answers a run kept, with the judge downloaded where it is missing.

        Raises
        ------
        StudioError
            When the run is unknown or active.

        """
        found, token = self.known(run), self._token()
        if found.view.active:
            raise problem_error("measure.active", "Measure the answers when the run has ended.")
        return self._board.submit(
            "measure",
            run,
            "",
            lambda here: job_work.measured(found, self._home, token, here),
            token,
        )

    def judging(self, run: str) -> Job | None:
        """The last job on the answers of a run; None before there is one."""
        items = self._board.items()
        return next((job for job in items if (job.kind, job.run) == ("measure", run)), None)

    def push(self, params: PushParams) -> str:
        """Send a run's model to the Hub; returns the job's id at once.

        Raises
        ------
        StudioError
            When the run is unknown, has no model, or did not finish.

        """
        found, token = self._finished(params.run), self._token()
        return self._board.submit(
            "push",
            params.run,
            params.model_dump_json(),
            lambda here: job_work.pushed(found, params, token, here),
            token,
        )

    def plan(self, params: PushParams) -> PushPlanResult:
        """What a push would send, and where; `checking` while the Hub is being asked.

        Asked again, it answers once what was found; the next question looks anew.

        Raises
        ------
        StudioError
            When the run is unknown, has no model, or did not finish.

        """
        found, token = self._finished(params.run), self._token()
        key = params.model_dump_json()
        with self._lock:
            since, known = self._looks.get(key, (0.0, None))
            pending = key in self._looks and known is None
            if known is not None:
                del self._looks[key]
                if time.monotonic() - since < _LOOK_SECONDS:
                    return known
            if not pending:
                self._looks[key] = time.monotonic(), None
                self._looker.submit(lambda: self._look(key, found, params, token))
                self._looker.start()
        return PushPlanResult(repo=params.repo, private=params.private, checking=True)

    def part(self, job: str, offset: int) -> tuple[bytes, int]:
        """At most `PART` bytes of a finished zip, and the size of the whole.

        Raises
        ------
        StudioError
            When there is no such zip, or it was packed again meanwhile.

        """
        found = self._board.find(job)
        gone = problem_error("take.gone", "This zip is not there any more. Pack it again.")
        if found is None or found.kind not in _PACKED or found.state != "done" or not found.path:
            raise gone
        try:
            with Path(found.path).open("rb") as file:
                size = file.seek(0, 2)
                file.seek(offset)
                data = file.read(PART)
        except OSError:
            raise gone from None
        if size != found.total:
            raise problem_error("take.changed", "This zip was packed again. Download the new one.")
        return data, size

    def cancel(self, job: str) -> None:
        """End a job; what it has made so far is removed."""
        self._board.cancel(job)

    def close(self) -> None:
        """Leave; a job under way goes on, and its thread ends after it."""
        self._board.leave(self._changed)
        self._looker.close()

    # ------------------------------------------------------------ inside

    def _look(self, key: str, run: Run, params: PushParams, token: str | None) -> None:
        problems = []
        try:
            found = job_work.planned(run, params, token)
        except StudioError as error:
            problems = error.problems
        except Exception as error:  # noqa: BLE001  whoever asked must hear back
            problem = problem_of(error)
            hidden = problem.message.replace(token, "[redacted]") if token else problem.message
            problems = [problem.model_copy(update={"message": hidden})]
        if problems:
            found = PushPlanResult(repo=params.repo, private=params.private, problems=problems)
        with self._lock:
            self._looks[key] = time.monotonic(), found

    def known(self, run: str) -> Run:
        """A run of this home by its id.

        Raises
        ------
        StudioError
            When there is none.

        """
        folder = run_folder(self._home, run)
        if folder is None:
            raise problem_error("run.unknown", f"There is no run {run!r} in this home.")
        return Run(folder)

    def _with_model(self, run: str) -> Run:
        found = self.known(run)
        if found.model_path is None:
            raise problem_error(
                "run.no_model", f"This run has no model to take away: it is {found.status}."
            )
        return found

    def _finished(self, run: str) -> Run:
        found = self._with_model(run)
        job_work.refuse_unfinished(found)
        return found
