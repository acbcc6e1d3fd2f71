"""What the next run begins with, ready before it is asked for: its data and its model.

One thing at most is held in a process. It is handed over, never copied: whoever takes it owns it.
It goes when a run of another request begins, when nobody asks for a while, and when memory gets
short. It imports no PyTorch, because the queue of runs asks it.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from easymodel_nb.errors import Problem
from easymodel_nb.train import cores
from easymodel_nb.train.control import Control

IDLE_SECONDS = 600.0
_LOOK_SECONDS = 5.0  # between two looks at the memory that is left
_WAIT_SECONDS = 0.1
_PARTS = ("node", "model", "dataset")


@dataclass
class Warm:
    """A prepared request and, where it takes a small part of what is free, its model."""

    key: str
    ready: Any  # a `preparation.Preparation`
    begin_at: int  # where among the choices those stand that a run makes when it begins
    model: Any = None
    load_seconds: float = 0.0
    size: int = 0  # bytes
    problems: list[Problem] = field(default_factory=list)  # what was warned of meanwhile, in order


Short = Callable[[Warm], bool]


class Keeper:
    """Holds what is warm, and knows what is being made so."""

    def __init__(self, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._changed = threading.Condition()
        self._idle_seconds = idle_seconds
        self._held: Warm | None = None
        self._until = 0.0
        self._left = False  # whether what was dropped may still lie in memory
        self._making: tuple[str, Control] | None = None
        self._watch: threading.Thread | None = None

    @property
    def key(self) -> str | None:
        """Of what is held."""
        with self._changed:
            return self._held.key if self._held is not None else None

    def makes(self, key: str) -> bool:
        """Whether just this is being made."""
        with self._changed:
            return self._making is not None and self._making[0] == key

    def make(
        self, key: str, control: Control, work: Callable[[], Warm | None], short: Short
    ) -> bool:
        """Make something warm by `work`, in this thread, and hold it; whatever was held goes.

        `short` is asked now and then whether memory got too short to hold it. False where the
        work gave nothing, or it was given up meanwhile.

        Raises
        ------
        Stopped
            As `work` raises it.

        """
        with self._changed:
            while self._making is not None:
                self._making[1].stop("cancelled")
                self._changed.wait()
            self._left, self._held = self._left or self._held is not None, None
            self._making = key, control
        found = None
        try:
            found = work()
        finally:
            with self._changed:
                self._making = None
                self._left = self._left or found is None or control.stopping
                if found is not None and not control.stopping:
                    self._held = found
                    self._until = time.monotonic() + self._idle_seconds
                    self._guard(short)
                self._changed.notify_all()
        return self._held is found and found is not None

    def take(self, key: str | None, tick: Callable[[], None] = lambda: None) -> Warm | None:
        """What is held, where it has this key; nothing is held afterwards.

        What is being made under the key is waited for; anything else that is being made is
        given up. `tick` is called while it waits, and may raise.
        """
        while True:
            with self._changed:
                making = self._making
                if making is None:
                    found, self._held = self._held, None
                    self._changed.notify_all()
                    return found if found is not None and found.key == key else None
                if making[0] != key:
                    making[1].stop("cancelled")
                self._changed.wait(_WAIT_SECONDS)
            try:
                tick()
            except BaseException:
                making[1].stop("cancelled")
                raise

    def drop(self, *, collect: bool = True) -> bool:
        """Hold nothing any more, and give up what is being made; whether something was held.

        Without `collect` it returns at once, and the memory is free after `collect()`.
        """
        with self._changed:
            held = self._held is not None
            self._left, self._held = self._left or held, None
            if self._making is not None:
                self._making[1].stop("cancelled")
            self._changed.notify_all()
        if collect:
            self.collect()
        return held

    def collect(self) -> None:
        """Give back the memory of what was dropped; it takes a moment where there was something."""
        with self._changed:
            left, self._left = self._left, False
        if left:
            _give_back()

    # ------------------------------------------------------------ while it is held

    def _guard(self, short: Short) -> None:
        if self._watch is None:
            self._watch = threading.Thread(
                target=self._watched, args=(short,), name="easymodel-warm-memory", daemon=True
            )
            self._watch.start()

    def _watched(self, short: Short) -> None:
        while True:
            with self._changed:
                if self._held is None:
                    self._watch = None
                    return
                cores.look()  # so that the run need not
                self._changed.wait(_LOOK_SECONDS)
                held, over = self._held, time.monotonic() >= self._until
            if held is None:
                continue
            if over or short(held):
                with self._changed:
                    mine = self._held is held
                    if mine:
                        self._held = None
                del held
                if mine:
                    _give_back()


KEEPER = Keeper()


def _give_back() -> None:
    if "torch" in sys.modules:  # else nothing of it was ever held
        from easymodel_nb.train.fitting.memory import give_back  # noqa: PLC0415

        give_back()


def told(request: dict[str, Any]) -> str:
    """The nodes of a request as text, to tell an edit by."""
    parts = [request.get(part) or {} for part in _PARTS]
    return json.dumps([[part.get("id"), part.get("data")] for part in parts], default=str)
