"""Fit checks of the open project's nodes: asked by a button, done when no run is under way."""

import contextlib
import logging
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from pydantic import ValidationError

from easymodel_nb import environment, whole
from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.secrets import redact
from easymodel_nb.train import turns
from easymodel_nb.train.auditing.audited import Audit, Fit
from easymodel_nb.train.control import Control, Stopped
from easymodel_nb.train.heavy import import_trainer
from easymodel_nb.train.warm import KEEPER

Token = Callable[[], str | None]
State = Literal["none", "waiting", "checking", "done", "failed"]
_LOOK_SECONDS = 0.5  # between two looks whether the last run has ended
_KEPT = 64

_log = logging.getLogger(__name__)


class Asked(Protocol):
    """What is asked of a node: a key of everything it depends on, and the request itself."""

    @property
    def key(self) -> str:
        """Names the question."""

    @property
    def request(self) -> dict[str, Any]:
        """The node with its model and its data, as a run has them."""

    @property
    def lasting(self) -> bool:
        """Whether the answer holds for another session."""


class Check(Protocol):
    """Measures a request, as `train.fit.fit_check` does."""

    def __call__(
        self, request: dict[str, Any], home: Path, token: Token, control: Control, *, fresh: bool
    ) -> Fit:
        """The fit; raises Stopped when `control` was asked to stop."""


class _Answer(NamedTuple):
    state: State
    fit: Fit | None = None
    problem: Problem | None = None


class Fits:
    """Measures one node after the other on a thread that lives while there is something to do."""

    def __init__(
        self,
        home: Path,
        changed: Callable[[], None],
        *,
        token: Token = lambda: None,
        busy: Callable[[], bool] = lambda: False,
        check: Check | None = None,
    ) -> None:
        self._home, self._changed, self._token, self._busy = home, changed, token, busy
        self._check = check or _fit_check
        self._state = threading.Condition()
        self._known: dict[str, _Answer] = {}
        self._asked: dict[str, tuple[Asked, bool]] = {}  # and whether what is kept is no answer
        self._current: tuple[str, Control] | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    # ------------------------------------------------------------ asking

    def of(self, asked: Asked, audit: Audit) -> Audit:
        """The audit of a node with what is known of its fit."""
        with self._state:
            found = self._answer(asked)
        if found.state == "none":
            return audit
        return audit.model_copy(
            update={"fit": found.fit, "fit_state": found.state, "fit_problem": found.problem}
        )

    def follow(self, wanted: Collection[str]) -> None:
        """Forget what was asked of nodes that were edited since; `wanted` are today's keys."""
        with self._state:
            self._asked = {key: asked for key, asked in self._asked.items() if key in wanted}
            if self._current is not None and self._current[0] not in wanted:
                self._current[1].stop("cancelled")
            self._state.notify_all()

    def measure(self, asked: Asked) -> None:
        """Measure a node as soon as no run is under way; returns at once.

        What was measured before is measured again when its answer was shown already.
        """
        with self._state:
            if self._closed or asked.key in self._asked:
                return
            again = self._answer(asked).fit is not None
            self._known.pop(asked.key, None)
            self._asked[asked.key] = asked, again
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="easymodel-fit", daemon=True
                )
                self._thread.start()
        self._changed()

    def close(self) -> None:
        """End what is measured; the rest is forgotten."""
        with self._state:
            self._closed = True
            self._asked.clear()
            if self._current is not None:
                self._current[1].stop("cancelled")
            self._state.notify_all()

    # ------------------------------------------------------------ what is known

    def _answer(self, asked: Asked) -> _Answer:
        if asked.key in self._asked:
            now = self._current is not None and self._current[0] == asked.key
            return _Answer("checking" if now else "waiting")
        if asked.key not in self._known and asked.lasting:
            kept = self._read(asked.key)
            self._keep(asked.key, _Answer("done", kept) if kept is not None else _Answer("none"))
        return self._known.get(asked.key, _Answer("none"))

    def _keep(self, key: str, answer: _Answer) -> None:
        self._known.pop(key, None)
        self._known[key] = answer
        while len(self._known) > _KEPT:
            del self._known[next(iter(self._known))]

    def _path(self, key: str) -> Path:
        return self._home / "cache" / "fit" / f"node-{key}.json"

    def _read(self, key: str) -> Fit | None:
        """What an earlier session measured on this device."""
        with contextlib.suppress(OSError, ValidationError, ValueError):
            fit = Fit.model_validate_json(self._path(key).read_text(encoding="utf-8"))
            here = environment.device()
            # Before PyTorch is imported, only that there is some GPU is known.
            if fit.device == here.name or not (here.known or fit.device.startswith("CPU")):
                return fit
        return None

    def _write(self, key: str, fit: Fit) -> None:
        """Keep it for the next session, unless memory ran out: there may be more of it then."""
        if any(problem.severity == "error" for problem in fit.problems):
            self._path(key).unlink(missing_ok=True)
            return
        with contextlib.suppress(OSError):
            path = self._path(key)
            path.parent.mkdir(parents=True, exist_ok=True)
            whole.replace(path, fit.model_dump_json(indent=1), shared=True)

    # ------------------------------------------------------------ the thread

    def _work(self) -> None:
        while (found := self._turn()) is not None:
            asked, again, control = found
            self._changed()
            answer = self._measured(asked, control, fresh=again)
            with self._state:
                self._current = None
                if answer is not None:
                    self._asked.pop(asked.key, None)
                    self._keep(asked.key, answer)
            if answer is not None and answer.fit is not None and asked.lasting:
                self._write(asked.key, answer.fit)
            self._changed()

    def _turn(self) -> tuple[Asked, bool, Control] | None:
        """The next question, once no run is under way; None when there is none left."""
        while True:
            with self._state:
                if not self._asked:
                    self._thread = None
                    return None
            busy = self._busy()  # it reads files, so nobody waits for it
            with self._state:
                if busy:
                    self._state.wait(_LOOK_SECONDS)
                elif self._asked:
                    asked, again = next(iter(self._asked.values()))
                    control = Control(self._home / "cache" / "fit")
                    self._current = asked.key, control
                    return asked, again, control

    def _measured(self, asked: Asked, control: Control, *, fresh: bool) -> _Answer | None:
        """The answer; None when it was stopped, by an edit or for a run that came first."""
        try:
            with turns.measuring(control):
                if self._busy():  # it may have come in between
                    return None
                KEEPER.take(None)  # it would be in the memory that is measured
                fit = self._check(asked.request, self._home, self._token, control, fresh=fresh)
        except Stopped:
            return None
        except StudioError as error:
            return _Answer("failed", problem=error.problems[0])
        except Exception as error:  # noqa: BLE001  whatever it was, the node says so
            _log.exception("a fit check failed")
            why = redact(str(error)).strip() or type(error).__name__
            message = f"Time and memory could not be measured here: {why}"
            return _Answer("failed", problem=Problem(code="fit.error", message=message))
        return _Answer("done", fit)


def _fit_check(
    request: dict[str, Any], home: Path, token: Token, control: Control, *, fresh: bool
) -> Fit:
    import_trainer()
    from easymodel_nb.train.fit import fit_check  # noqa: PLC0415  it imports PyTorch, on the thread

    return fit_check(request, home, token, control, fresh=fresh)
