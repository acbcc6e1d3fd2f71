"""Answers of the Hub: asked once, waited for a short while, and a reason when there is none."""

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from easymodel_nb.errors import Fix, Problem, StudioError
from easymodel_nb.train.addresses import bad_source
from easymodel_nb.train.control import with_ticks
from easymodel_nb.train.hub.refusals import NoAnswer, guarded
from easymodel_nb.train.hub.repository import Repo

T = TypeVar("T")
TIMEOUT = 6.0  # seconds for one request
PATIENCE = 12.0  # for all that one question takes
_KEPT = 64
AGAIN = Fix(label="Look again", command="look_again", params={})


class _Slot:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.answer: Any = None
        self.error: StudioError | None = None
        self.asked = False


class Answers:
    """What was asked once is known; two who ask the same at once ask it once."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._lock = threading.Lock()
        self._kept = kept
        self._slots: OrderedDict[Hashable, _Slot] = OrderedDict()

    def once(self, key: Hashable, ask: Callable[[], T]) -> T:
        """The answer, or the refusal, that was given before or is given now."""
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            while len(self._slots) > self._kept:
                self._slots.popitem(last=False)
        with slot.lock:
            if not slot.asked:
                try:
                    slot.answer = ask()
                except StudioError as error:
                    slot.error = error
                slot.asked = True
        if slot.error is not None:
            raise slot.error
        answer: T = slot.answer
        return answer

    def forget(self, doubtful: Callable[[Any], bool] = lambda _: False) -> None:
        """Forget the refusals, and the answers that are doubtful: they are asked for anew."""
        with self._lock:
            known = [(key, slot) for key, slot in self._slots.items() if slot.asked]
            for key, slot in known:
                if slot.error is not None or doubtful(slot.answer):
                    del self._slots[key]


def within(seconds: float, work: Callable[[], T]) -> T:
    """Do work that may hang; after so many seconds it is left behind, unwaited."""
    ends = time.monotonic() + seconds

    def look() -> None:
        if time.monotonic() > ends:
            raise TimeoutError

    return with_ticks(work, look)


def asked(work: Callable[[], T], repo: Repo, token: str | None, patience: float = PATIENCE) -> T:
    """Ask the Hub; whatever is in the way becomes a problem on the source.

    Raises
    ------
    StudioError
        `hub.offline` also for a page that is none of the Hub's, as a hotel's network gives.

    """
    from huggingface_hub.errors import HFValidationError  # noqa: PLC0415

    refuse_offline_mode()

    def ask() -> T:
        try:
            return within(patience, work)
        except json.JSONDecodeError as error:
            raise ConnectionError("The answer is none of the Hub's.") from error
        except HFValidationError:
            raise bad_source(repo.type, repo.id) from None

    return guarded(ask, repo, token)


def refuse_offline_mode() -> None:
    """Ask nothing where the user has switched the network off."""
    from huggingface_hub import constants  # noqa: PLC0415

    if constants.HF_HUB_OFFLINE:
        raise NoAnswer(
            Problem(
                code="hub.offline",
                message="Offline mode is on (HF_HUB_OFFLINE).",
                field="source",
            )
        )


def why_local(error: StudioError) -> str:
    """In one line, why only what is on this machine can be told."""
    why = _why(error)
    return f"{why[0].upper()}{why[1:]}; what is on this machine still works."


def _why(error: StudioError) -> str:
    from huggingface_hub import constants  # noqa: PLC0415

    if constants.HF_HUB_OFFLINE:
        return "offline mode is on (HF_HUB_OFFLINE)"
    code = error.problems[0].code
    said = {"hub.busy": "the Hub asks to wait a minute", "hub.error": "the Hub answers an error"}
    return said.get(code, "the Hub cannot be reached")


def not_here(repo: Repo, error: StudioError) -> Problem:
    """A repository that is not on this machine either; not an error, the run may find it."""
    return Problem(
        code=error.problems[0].code,
        severity="note",
        message=f"{repo.id} is not on this machine, and {_why(error)}.",
        field="source",
        fix=AGAIN,
    )
