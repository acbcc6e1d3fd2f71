"""The queue: one run after the other, one manager a home and process, outliving every view."""

import contextlib
import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock

from easymodel_nb.errors import Problem, StudioError, problem_error
from easymodel_nb.runlog.events import Event, StopReason
from easymodel_nb.runlog.log import RunLog, new_run, run_folder, runs_folder, write_live
from easymodel_nb.runlog.readers import Readers
from easymodel_nb.runlog.run import Run
from easymodel_nb.runlog.view import RunView
from easymodel_nb.secrets import redact
from easymodel_nb.train import turns, waiting
from easymodel_nb.train.control import STOP_FILE, Control, ask_to_stop
from easymodel_nb.train.distributed.runner import ASKED as PROCESSES
from easymodel_nb.train.distributed.runner import runner_for
from easymodel_nb.train.distributed.world import here
from easymodel_nb.train.requests import asked, source_run, title_of
from easymodel_nb.train.runner import Runner, ThreadRunner, read_log
from easymodel_nb.train.warm import KEEPER
from easymodel_nb.workflow.check import check, training_order
from easymodel_nb.workflow.check_training import NOT_HERE
from easymodel_nb.workflow.document import Workflow

_logger = logging.getLogger(__name__)
_POLL_SECONDS = 0.25
_BEAT_SECONDS = 5.0
_RESUME_LOCK = ".resume.lock"
_PATIENCE_SECONDS = 5.0
_ENDED = {
    "failed": "it failed",
    "stopped": "it was stopped",
    "interrupted": "it was interrupted, and can be resumed",
}
Token = Callable[[], str | None]
OnEvent = Callable[[Event], None]


class MakeRunner(Protocol):
    """Makes a runner: `ThreadRunner` or `ProcessRunner`."""

    def __call__(
        self, *, token: Token, redact: Callable[[str], str], on_event: OnEvent | None
    ) -> Runner:
        """A fresh runner for one run."""


@dataclass(frozen=True)
class _Job:
    folder: Path
    token: Token
    on_event: OnEvent | None
    after: str = ""  # the run whose model it begins with
    processes: int | None = None  # None: as its request says


class RunManager:
    """Queues runs of one home and starts them one by one on a thread of its own."""

    def __init__(self, home: Path, make_runner: MakeRunner = ThreadRunner) -> None:
        self.home = home
        self._make_runner = make_runner
        self._waiting: deque[_Job] = deque()
        self._current: tuple[_Job, Runner] | None = None
        self._submitted: list[str] = []
        self._readers = Readers(runs_folder(home))
        self._listeners: list[Callable[[], None]] = []
        self._followers: list[Callable[[], None]] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    # ------------------------------------------------------------ asking

    def submit(
        self,
        workflow: Workflow,
        node: str | None = None,
        *,
        project_id: str | None = None,
        token: Token | None = None,
        on_event: OnEvent | None = None,
        processes: int | None = None,
    ) -> list[Run]:
        """Queue one finetune node, or every one in topological order; returns at once.

        `processes`: on so many, whatever the nodes say and the machine has.

        Raises
        ------
        StudioError
            With everything check() finds, before anything is created.

        """
        free = processes is not None or here() is not None  # the nodes do not say on how many
        errors = [
            p
            for p in check(workflow, node)
            if p.severity == "error" and not (free and p.code == NOT_HERE)
        ]
        if errors:
            raise StudioError(errors)
        order = [node] if node is not None else training_order(workflow)
        folders, requests = list[Path](), list[dict[str, Any]]()
        run_of: dict[str, str] = {}
        for request, continues in asked(workflow, order, project_id, self._here()):
            folders.append(new_run(self.home))
            if continues is not None:
                request["model"] = {**request["model"], "run": run_of[continues]}
            name = request["node"]["id"]
            run_of.setdefault(name, folders[-1].name)
            if "variant" in request:
                request["sweep"] = run_of[name]  # the first of them: they belong together
            if processes is not None:
                request[PROCESSES] = processes
            requests.append(request)
        return [
            self._queue(folder, request, project_id, token, on_event)
            for folder, request in zip(folders, requests, strict=True)
        ]

    def submit_request(
        self,
        request: dict[str, Any],
        *,
        token: Token | None = None,
        on_event: OnEvent | None = None,
    ) -> Run:
        """Queue a request as it is, such as one made from a plan."""
        return self._queue(new_run(self.home), request, None, token, on_event)

    def resume(
        self,
        run_id: str,
        *,
        token: Token | None = None,
        on_event: OnEvent | None = None,
        processes: int | None = None,
    ) -> Run:
        """Queue the next attempt of a run that has not finished; returns at once.

        `processes`: on so many; None: as the run was asked for.

        Raises
        ------
        StudioError
            When there is nothing to resume.

        """
        folder = self._folder(run_id)
        after = source_run(self.view(run_id).request)
        job = _Job(folder, token or (lambda: None), on_event, after, processes)
        with self._changed, _alone(folder):
            _check_resumable(self.view(run_id))
            (folder / STOP_FILE).unlink(missing_ok=True)  # it was meant for the attempt before
            for left in folder.glob(".live-*.tmp"):  # by one that was killed while it wrote
                left.unlink(missing_ok=True)
            return self._enqueue(job)

    def stop(self, run_id: str | None = None, reason: StopReason = "user") -> None:
        """Ask one run, or all that are active here, to stop; returns at once."""
        with self._changed:
            ids = [run_id] if run_id is not None else self.queue() + self._current_id()
            for name in ids:
                self._stop_one(name, reason)
            self._skip_orphans()
            self._changed.notify_all()
        self._tell()

    def move(self, run_id: str, place: int) -> None:
        """Put a waiting run at another place of the queue, 0 being the next one.

        A run that needs the model of another one stays behind it, and is taken along.

        Raises
        ------
        StudioError
            When it does not wait here.

        """
        with self._changed:
            jobs = {job.folder.name: job for job in self._waiting}
            if run_id not in jobs:
                raise problem_error(
                    "run.not_waiting",
                    f"Run {run_id} does not wait in this queue any more, so it has no place in it.",
                )
            after = {name: job.after for name, job in jobs.items()}
            order = waiting.moved(list(jobs), run_id, place, after)
            self._waiting = deque(jobs[name] for name in order)
        self._tell()

    def _stop_one(self, run_id: str, reason: StopReason) -> None:
        job = next((j for j in self._waiting if j.folder.name == run_id), None)
        if job is not None:
            self._waiting.remove(job)
            why: StopReason = "cancelled" if reason == "user" else reason
            self._append(job, "run_stopped", reason=why)
        elif self._current is not None and self._current[0].folder.name == run_id:
            self._current[1].stop(reason)
        elif self.view(run_id).active:  # another kernel's
            ask_to_stop(self._folder(run_id), reason)

    # ------------------------------------------------------------ looking

    def views(self) -> list[RunView]:
        """Every run in the home, newest first; what is long of ended ones is read on demand."""
        root = runs_folder(self.home)
        names = sorted(p.name for p in root.iterdir()) if root.exists() else []
        views = [self._readers.outline(name) for name in names]  # the newest stay whole longest
        return [view for view in reversed(views) if view.created]

    def view(self, run_id: str) -> RunView:
        """One run as it is now."""
        return self._readers.view(self._folder(run_id).name)

    def run(self, run_id: str) -> Run:
        """One run for Python code."""
        return Run(self._folder(run_id))

    def queue(self) -> list[str]:
        """The ids of the waiting runs, next first."""
        return [job.folder.name for job in list(self._waiting)]

    def active(self) -> bool:
        """Whether a run of this process waits or is under way."""
        return bool(self._waiting) or self._current is not None

    @property
    def warms(self) -> bool:
        """Whether a run can take what waits in this process's memory."""
        return self._make_runner is ThreadRunner

    def wait(self, run_id: str | None = None, timeout: float | None = None) -> Run:
        """Block until a run has ended; None is the last one that was submitted.

        Raises
        ------
        TimeoutError
            When it has not ended in time (seconds).

        """
        if run_id is None:
            if not self._submitted:
                raise problem_error("run.none", "No run was started in this session yet.")
            run_id = self._submitted[-1]
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            # Its last event is in the log before it is told: wait for the telling as well.
            while self.view(run_id).active or run_id in self._current_id():
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    msg = f"Run {run_id} has not ended after {timeout:g} seconds."
                    raise TimeoutError(msg)
                self._changed.wait(min(_POLL_SECONDS, left) if left is not None else _POLL_SECONDS)
        return self.run(run_id)

    def log_lines(self, run_id: str) -> list[str]:
        """The last lines a run logged, redacted."""
        current = self._current
        if current is not None and current[0].folder.name == run_id:
            return current[1].log_lines()
        return read_log(self._folder(run_id))

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener`, from any thread, when a run starts, changes stage or ends."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def follow(self, stepped: Callable[[], None]) -> Callable[[], None]:
        """Call `stepped` after each progress line, from the thread that wrote it: it waits."""
        self._followers.append(stepped)
        return lambda: self._followers.remove(stepped) if stepped in self._followers else None

    # ------------------------------------------------------------ the queue

    def _queue(
        self,
        folder: Path,
        request: dict[str, Any],
        project_id: str | None,
        token: Token | None,
        on_event: OnEvent | None,
    ) -> Run:
        job = _Job(folder, token or (lambda: None), on_event, source_run(request))
        node_id = request["node"]["id"]
        self._append(job, "run_created", project_id=project_id, node_id=node_id, request=request)
        return self._enqueue(job)

    def _enqueue(self, job: _Job) -> Run:
        self._append(job, "stage", stage="queued", message="Waiting in the queue")
        self._say_queued(job.folder)
        with self._changed:
            self._waiting.append(job)
            self._submitted.append(job.folder.name)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._work, name="easymodel-queue", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()
        self._tell()
        return Run(job.folder)

    def _say_queued(self, folder: Path) -> None:
        write_live(folder, attempt=self._readers.reader(folder.name).folded().attempt)

    def _append(self, job: _Job, type: str, **fields: Any) -> None:  # noqa: A002
        _inform(job, RunLog(job.folder).append(type, **fields))

    def _work(self) -> None:
        beat = time.monotonic()
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                job = self._waiting.popleft()
                runner = self._begun(job)
                self._current = (job, runner) if runner is not None else None
            if runner is None:
                self._tell()
                continue
            self._tell()
            while runner.alive():
                runner.join(_POLL_SECONDS)
                if time.monotonic() - beat > _BEAT_SECONDS:
                    beat = time.monotonic()
                    for held in list(self._waiting):
                        self._say_queued(held.folder)
                self._cancel_where_asked()
            self._close(job)
            with self._changed:
                self._current = None
                self._skip_orphans()
                self._changed.notify_all()
            self._tell()

    def _cancel_where_asked(self) -> None:
        """Another process asks a waiting run to stop through its folder."""
        for job in list(self._waiting):
            if Control(job.folder).stopping:
                self.stop(job.folder.name)

    def _begun(self, job: _Job) -> Runner | None:
        """The started runner, or None when there is nothing to wait for: the log says why."""
        try:
            return self._begin(job)
        except Exception as error:  # noqa: BLE001  the queue goes on, whatever happened
            self._fail(job, "run.start", f"The run could not be started: {error}", error)
            return None

    def _close(self, job: _Job) -> None:
        """A run whose runner has gone must not look as if it still ran."""
        if self.view(job.folder.name).active:
            self._fail(job, "run.died", "The run ended without a word. Its log may say more.")

    def _fail(self, job: _Job, code: str, why: str, error: Exception | None = None) -> None:
        problem = Problem(
            code=code, message=redact(why), node=self.view(job.folder.name).node_id or None
        )
        detail = redact("".join(traceback.format_exception(error))) if error else ""
        with contextlib.suppress(OSError):  # such as a full disk, which may be the reason
            self._append(job, "run_failed", problem=problem, detail=detail)

    def _begin(self, job: _Job) -> Runner | None:
        missing = self._missing_model(job)
        if missing is not None:
            self._skip(job, missing)
            return None

        def on_event(event: Event) -> None:
            _inform(job, event)
            if event.type not in {"progress", "checkpoint"}:
                self._tell()
            elif event.type == "progress":
                for stepped in list(self._followers):
                    stepped()

        def hide(text: str) -> str:
            secret = job.token()
            return redact(text.replace(secret, "[redacted]") if secret else text)

        request = self.view(job.folder.name).request
        if job.processes is not None:
            request = {**request, PROCESSES: job.processes}
        make = runner_for(request, self._make_runner)
        runner: Runner = make(token=job.token, redact=hide, on_event=on_event)
        turns.make_way()  # a fit check waits, and goes on after the run
        if not isinstance(runner, ThreadRunner):
            KEEPER.drop()  # only a run of this process could take it
        runner.start(job.folder)
        return runner

    def _missing_model(self, job: _Job) -> Problem | None:
        """Why a run cannot begin: the one whose model it needs has ended without."""
        if not job.after:
            return None
        before = self.view(job.after)
        if before.status == "finished":
            return None
        how = _ENDED.get(before.status, "it has not ended")
        return Problem(
            code="run.skipped",
            message=f"Not started: it continues the model of {title_of(before)}, whose run did not "
            f"finish: {how}.",
            node=self.view(job.folder.name).node_id,
            field="model",
        )

    def _skip(self, job: _Job, why: Problem) -> None:
        self._append(job, "warning", problem=why)
        self._append(job, "run_stopped", reason="cancelled", summary={"why": why.message})

    def _skip_orphans(self) -> None:
        """What waits for a run that ended without a model does not wait for its turn to say so."""
        for job in list(self._waiting):
            with contextlib.suppress(StudioError):  # a run that is gone is told at its turn
                if job.after and not self.view(job.after).active:
                    missing = self._missing_model(job)
                    if missing is not None:
                        self._waiting.remove(job)
                        self._skip(job, missing)

    # ------------------------------------------------------------ helpers

    def _here(self) -> list[RunView]:
        """Every run that another can begin with: ended, or of this process's queue."""
        mine = {*self.queue(), *self._current_id()}
        return [view for view in self.views() if not view.active or view.id in mine]

    def _current_id(self) -> list[str]:
        return [self._current[0].folder.name] if self._current is not None else []

    def _folder(self, run_id: str) -> Path:
        folder = run_folder(self.home, run_id)
        if folder is None:
            raise problem_error("run.unknown", f"There is no run {run_id!r} in this home.")
        return folder

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two kernels may ask at once; where a file system has no locks, there is none."""
    lock = FileLock(folder / _RESUME_LOCK, timeout=_PATIENCE_SECONDS)
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError, NotImplementedError):  # a Timeout is an OSError
            held.enter_context(lock)
        yield


def _check_resumable(view: RunView) -> None:
    if view.active:
        raise problem_error(
            "run.active", f"Run {view.id} is {view.status}: there is nothing to resume."
        )
    if view.status == "finished":
        raise problem_error(
            "run.finished",
            f"Run {view.id} has finished: there is nothing to resume. To train its model further, "
            "connect it to another Finetuning node.",
        )


def _inform(job: _Job, event: Event) -> None:
    """Tell whoever asked; what goes wrong there must not cost the run."""
    if job.on_event is None:
        return
    try:
        job.on_event(event)
    except Exception:
        _logger.exception("on_event failed for %s of run %s", event.type, job.folder.name)


_managers: dict[Path, RunManager] = {}
_managers_lock = threading.Lock()


def manager_of(home: Path) -> RunManager:
    """This process's manager of a home."""
    home = home.resolve()
    with _managers_lock:
        if home not in _managers:
            _managers[home] = RunManager(home)
        return _managers[home]


def training_here() -> bool:
    """Whether a run of any home waits or is under way in this process."""
    return any(manager.active() for manager in list(_managers.values()))


def stop_all(reason: StopReason) -> None:
    """Ask every run of this process to stop."""
    for manager in list(_managers.values()):
        manager.stop(reason=reason)
