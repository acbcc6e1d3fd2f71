"""The gate of every finetune node, followed on a worker of its own.

An audit takes seconds, so it is made on a thread, keyed by everything it depends on: an answer
to what the nodes held a moment ago is never shown. Figures are kept in memory and in
HOME/cache/audits; the verdict is made anew from them at each look, since a tick, a fit check
and the free disk change it.
"""

import logging
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.secrets import redact
from easymodel_nb.train.auditing.asking import for_variant
from easymodel_nb.train.auditing.audited import Audit
from easymodel_nb.train.auditing.verdict import blocking, judged
from easymodel_nb.train.control import Control, Stopped
from easymodel_nb.train.heavy import import_trainer
from easymodel_nb.train.modest import be_modest
from easymodel_nb.widgets.audit_keys import Keys, Question
from easymodel_nb.widgets.audit_store import AuditStore
from easymodel_nb.widgets.fits import Fits
from easymodel_nb.workflow import sweeps
from easymodel_nb.workflow.check import check
from easymodel_nb.workflow.document import Node, Workflow

Token = Callable[[], str | None]

_KEPT = 64
_SETTLED_SECONDS = 0.4  # without an edit, before anything is begun
_LOOK_AGAIN_SECONDS = 30.0  # at what could not be reached
_MOST_PAUSE = 2.0

_log = logging.getLogger(__name__)


class Make(Protocol):
    """Makes the audit of a request, as `train.audit.audit` does."""

    def __call__(
        self,
        request: dict[str, Any],
        home: Path,
        token: Token,
        control: Control,
        *,
        on_stage: Callable[[str], None],
    ) -> Audit:
        """The audit; raises Stopped when `control` was asked to stop."""


class Audits:
    """Follows a workflow and calls `changed` when something new is known."""

    def __init__(
        self,
        home: Path,
        changed: Callable[[], None],
        *,
        token: Token = lambda: None,
        busy: Callable[[], bool] = lambda: False,
        training: Callable[[], bool] | None = None,
        make: Make | None = None,
    ) -> None:
        self._home, self._changed, self._token, self._busy = home, changed, token, busy
        self._make = make or _audit
        self._fits = Fits(home, changed, token=token, busy=training or busy)
        self._keys, self._store = Keys(), AuditStore(home)
        self._state = threading.Condition()
        self._known: dict[str, tuple[Audit, float]] = {}  # and when it was made
        self._wanted: dict[str, Question] = {}
        self._current: tuple[str, Control] | None = None
        self._message = ""
        self._asked_at = 0.0
        self._thread: threading.Thread | None = None
        self._closed = False

    # ------------------------------------------------------------ asking

    def of(self, workflow: Workflow) -> dict[str, Audit]:
        """What is known now, by finetune node; what is not known yet is asked."""
        nodes, asked = workflow.of_type("finetune"), self._keys.questions(workflow)
        questions = [question for of in asked.values() for question in of.values()]
        with self._state:
            self._want({question.key: question for question in questions})
            known = {question.key: self._answer(question) for question in questions}
        self._fits.follow({next(iter(of.values())).key for of in asked.values()})
        return {node.id: self._judged(node, asked.get(node.id, {}), known) for node in nodes}

    def _judged(self, node: Node, asked: dict[str, Question], known: dict[str, Audit]) -> Audit:
        """The audit of a node; of a sweep the worst of its runs', measured with the heaviest."""
        accept, swept = _accepted(node.data), sweeps.listed(node)
        found = []
        for name, question in asked.items():
            heaviest = next(iter(asked.values()))
            audit = self._fits.of(heaviest, known[question.key])
            made = judged(audit, accept, disk_free=_free(self._home, audit))
            if name:
                about = [for_variant(problem, name, swept) for problem in made.problems]
                made = made.model_copy(update={"variant": name, "problems": about})
            found.append(made)
        worst = min(found, key=_goodness, default=judged(Audit(), accept))
        return worst.model_copy(update={"runs": sweeps.count(swept)}) if swept else worst

    def blocking(self, workflow: Workflow, node: str | None) -> list[Problem]:
        """What is known to keep a node, or any where None, from being trained."""
        audits = self.of(workflow)
        chosen = audits.values() if node is None else filter(None, [audits.get(node)])
        return [problem for audit in chosen for problem in blocking(audit)]

    def refresh(self) -> None:
        """Ask again about what may have changed unseen: variables, what could not be reached."""
        with self._state:
            self._keys.turn()
            for key, (audit, _) in list(self._known.items()):
                if _may_change(audit):
                    del self._known[key]

    def measure(self, workflow: Workflow, node: str) -> None:
        """Measure time and memory of a node when no run is under way; returns at once.

        Raises
        ------
        StudioError
            With what keeps the node from being measured.

        """
        errors = [problem for problem in check(workflow, node) if problem.severity == "error"]
        if errors:
            raise StudioError(errors)
        self._fits.measure(self._keys.question(workflow, node))

    def start(self) -> None:
        """Begin; what was asked before waited."""
        with self._state:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(
                    target=self._work, name="easymodel-audits", daemon=True
                )
                self._thread.start()

    def close(self) -> None:
        """End the worker; the audit in progress is left."""
        self._fits.close()
        with self._state:
            self._closed = True
            if self._current is not None:
                self._current[1].stop()
            self._state.notify_all()

    # ------------------------------------------------------------ inside; the lock is held

    def _want(self, wanted: dict[str, Question]) -> None:
        if wanted.keys() != self._wanted.keys():
            self._asked_at = time.monotonic()
            if self._current is not None and self._current[0] not in wanted:
                self._current[1].stop()
        self._wanted = wanted
        for key, question in wanted.items():
            if key not in self._known and question.lasting:
                found = self._store.read(key, remote=question.remote)
                if found is not None:
                    self._keep(key, found)
        self._state.notify_all()

    def _answer(self, question: Question) -> Audit:
        known = self._known.get(question.key)
        if known is not None:
            return known[0]
        if self._current is not None and self._current[0] == question.key:
            return Audit(state="checking", message=self._message)
        return Audit(state="waiting")

    def _keep(self, key: str, audit: Audit) -> None:
        self._known.pop(key, None)
        self._known[key] = audit, time.monotonic()
        while len(self._known) > _KEPT:
            del self._known[next(iter(self._known))]

    def _next(self) -> Question | None:
        for key, question in self._wanted.items():
            known = self._known.get(key)
            old = known is not None and time.monotonic() - known[1] > _LOOK_AGAIN_SECONDS
            if known is None or (old and _may_change(known[0])):
                return question
        return None

    # ------------------------------------------------------------ the worker

    def _work(self) -> None:
        be_modest()
        while True:
            with self._state:
                question = self._settled()
                if question is None:
                    return
                control = _Gentle(self._home / "cache" / "audits", self._busy)
                self._current, self._message = (question.key, control), ""
            self._changed()
            audit = self._made(question, control)
            if audit is not None and _is_kept(question, audit):  # before it is shown
                self._store.write(question.key, audit)
            with self._state:
                self._current = None
                if audit is not None:
                    self._keep(question.key, audit)
            if audit is not None:
                self._changed()

    def _settled(self) -> Question | None:
        """The next question, once nothing was edited for a moment; None at the end."""
        while not self._closed:
            question = self._next()
            left = self._asked_at + _SETTLED_SECONDS - time.monotonic()
            if question is None:
                self._state.wait()
            elif left > 0:
                self._state.wait(left)
            else:
                return question
        return None

    def _made(self, question: Question, control: Control) -> Audit | None:
        try:
            return self._make(
                question.request, self._home, self._token, control, on_stage=self._tell
            )
        except Stopped:
            return None
        except StudioError as error:
            return Audit(state="done", problems=error.problems)
        except Exception as error:  # noqa: BLE001  whatever the data holds, the node says so
            _log.exception("an audit failed")
            why = redact(str(error)).strip() or type(error).__name__
            return Audit(state="unknown", message=f"This could not be checked here: {why}")

    def _tell(self, message: str) -> None:
        with self._state:
            self._message = message
        self._changed()


class _Gentle(Control):
    """Leaves the machine to a run that is under way: works half of the time at most."""

    def __init__(self, folder: Path, busy: Callable[[], bool]) -> None:
        super().__init__(folder)
        self._busy, self._worked_from = busy, time.monotonic()

    def check(self) -> None:
        """Raise Stopped when a stop was asked for; while a run is under way, rest first."""
        if self._busy():
            self._event.wait(min(_MOST_PAUSE, time.monotonic() - self._worked_from))
        self._worked_from = time.monotonic()
        super().check()


def _audit(
    request: dict[str, Any], home: Path, token: Token, control: Control, **more: Any
) -> Audit:
    import_trainer()
    from easymodel_nb.train.auditing.audit import audit  # noqa: PLC0415  it imports PyTorch, on the worker

    return audit(request, home, token, control, **more)


def _accepted(data: dict[str, Any]) -> list[str]:
    value = data.get("accept")
    return [str(code) for code in value] if isinstance(value, list) else []


def _may_change(audit: Audit) -> bool:
    """Whether the next look may find something else though nothing here was edited."""
    return audit.state == "unknown" or any(
        problem.code.startswith(("hub.", "source.url")) for problem in audit.problems
    )


def _is_kept(question: Question, audit: Audit) -> bool:
    return question.lasting and audit.state == "done" and not _may_change(audit)


def _goodness(audit: Audit) -> int:
    """What is certainly wrong comes first, then what is not known yet, then what is asked."""
    if audit.state != "done":
        return 1
    return {"red": 0, "amber": 2}.get(audit.verdict or "", 3)


def _free(home: Path, audit: Audit | None) -> int | None:
    """The free bytes where they change the verdict; else what the audit saw, which stays."""
    if audit is None or audit.disk_bytes is None or audit.disk_free is None:
        return None
    try:
        free = shutil.disk_usage(home).free
    except OSError:
        return None
    limits = (audit.disk_bytes, audit.model_bytes or 0)
    changed = any((free < limit) != (audit.disk_free < limit) for limit in limits)
    return free if changed else audit.disk_free
