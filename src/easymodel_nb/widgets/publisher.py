"""Writes the workbench's traits: only what changed, at most 4 Hz, at once on a change of stage.

It has two drivers: a thread of its own, which sleeps while nothing is under way,
and the view's pull, answered in the message handler, which alone must be enough
where pushes from a thread do not arrive.

What it costs, the run beside it pays, because one interpreter runs both: so the pause between two
publications is at least `REST` times the CPU time of the last one, and where nobody sees the studio
it looks as often as it shows a sign of life.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from easymodel_nb.runlog.events import now
from easymodel_nb.runlog.view import ACTIVE
from easymodel_nb.widgets.state import Beat, RunsState, Snapshot, dump

_log = logging.getLogger(__name__)

PERIOD = 0.25
SLOWEST = 1.0
REST = 150
TOLD = 1.0
BEAT = 5.0
RESEND_AFTER = 1.0
_AFTER_ERROR = 5.0
_ENDED = ("runs", "projects", "beat")


class Publisher:
    """Publishes what `build` returns through `write`; `resend` repeats traits by name.

    `moving` returns those snapshots alone that change by themselves while a run is under
    way: the thread asks for them when nobody poked it, and for all at each beat. `after`
    runs at the end of each publication, in the same thread: the dashboard. `watched` says whether
    anyone sees what is published.
    """

    def __init__(
        self,
        *,
        build: Callable[[], dict[str, Snapshot]],
        write: Callable[[Mapping[str, dict[str, Any]]], None],
        resend: Callable[[list[str]], None],
        moving: Callable[[], dict[str, Snapshot]] | None = None,
        after: Callable[[], None] = lambda: None,
        watched: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.monotonic,
        stamp: Callable[[], str] = now,
    ) -> None:
        self._build, self._write, self._resend, self._after = build, write, resend, after
        self._moving, self._watched = moving, watched
        self._clock, self._stamp = clock, stamp
        self._spent = time.thread_time  # seconds of CPU that the calling thread has used
        self._period = PERIOD
        self._wrote_at = self._stepped_at = float("-inf")
        self.states: dict[str, Snapshot] = {}
        self._publishing = threading.Lock()
        self._condition = threading.Condition()
        self._poked = self._urgent = self._closed = False
        self._published_at = self._beat_at = self._built_at = float("-inf")
        self._resend_at: float | None = None
        self.thread: threading.Thread | None = None

    # ------------------------------------------------------------ drivers

    def start(self) -> None:
        """Start the thread."""
        self.thread = threading.Thread(target=self._loop, name="easymodel-publisher", daemon=True)
        self.thread.start()

    def step(self) -> None:
        """A run got on: shown at once where nothing was for a while, else with a later step.

        For the thread that trains: mostly it is a comparison.
        """
        self._stepped_at = self._clock()
        if self._stepped_at - self._wrote_at >= self._pause():
            with self._condition:
                self._urgent = True
                self._condition.notify_all()

    def poke(self, *, urgent: bool = False) -> None:
        """Something changed; `urgent` does not wait for the next quarter of a second."""
        with self._condition:
            self._poked = True
            self._urgent = self._urgent or urgent
            self._condition.notify_all()

    def pull(self, seen: Mapping[str, int]) -> None:
        """Publish now and send the view what it has not got."""
        wrote = self.publish(beat=True)
        with self._publishing:
            missing = [
                name
                for name, state in self.states.items()
                if name not in wrote and seen.get(name) != state.seq
            ]
            if missing:
                self._resend(missing)

    def close(self) -> None:
        """End the thread and write nothing more."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        if self.thread is not None and self.thread is not threading.current_thread():
            self.thread.join(timeout=2)

    # ------------------------------------------------------------ one publication

    def collect(self, *, beat: bool = False, moving: bool = False) -> dict[str, Snapshot]:
        """The snapshots that changed, each with its next `seq`; they count as published."""
        changed = {}
        for name, state in self._look(moving=moving).items():
            known = self.states.get(name)
            fresh = self._timed(state, known, beat=beat) if isinstance(state, Beat) else state
            if known is None or fresh.model_copy(update={"seq": known.seq}) != known:
                changed[name] = fresh.model_copy(update={"seq": known.seq + 1 if known else 1})
        if _has_ended(self.states.get("runs"), changed.get("runs")):
            self._resend_at = self._clock() + RESEND_AFTER
        self.states.update(changed)
        self._published_at = self._clock()
        return changed

    def _look(self, *, moving: bool) -> dict[str, Snapshot]:
        if moving and self._moving is not None:
            return self._moving()
        self._built_at = self._clock()
        return self._build()

    def publish(self, *, beat: bool = False, moving: bool = False) -> set[str]:
        """Write what changed; answers the names of the traits written."""
        with self._publishing:
            if self._closed:
                return set()
            began = self._spent()
            changed = self.collect(beat=beat, moving=moving)
            self._write({name: dump(state) for name, state in changed.items()})
            self._after()
            self._period = min(max(PERIOD, REST * (self._spent() - began)), SLOWEST)
            if changed:
                self._wrote_at = self._clock()
        with self._condition:  # the thread may have slept while nothing was under way
            self._condition.notify_all()
        return set(changed)

    def _timed(self, fresh: Beat, known: Snapshot | None, *, beat: bool) -> Beat:
        due = fresh.active and self._clock() - self._beat_at >= BEAT
        if not isinstance(known, Beat) or beat or due or fresh.active != known.active:
            self._beat_at = self._clock()
            return fresh.model_copy(update={"time": self._stamp()})
        return fresh.model_copy(update={"time": known.time})

    # ------------------------------------------------------------ the thread

    def _loop(self) -> None:
        while True:
            with self._condition:
                while not self._closed and (wait := self._seconds_to_wait()) != 0:
                    self._condition.wait(wait)
                if self._closed:
                    return
                poked = self._poked
                self._poked = self._urgent = False
            try:
                self._tick(poked=poked)
            except Exception:  # noqa: BLE001  the thread outlives a bad moment
                _log.exception("publishing failed")
                self._published_at = self._clock() + _AFTER_ERROR

    def _tick(self, *, poked: bool = True) -> None:
        resend_due = self._resend_at is not None and self._clock() >= self._resend_at
        self.publish(moving=not poked and self._clock() - self._built_at < BEAT)
        if resend_due:  # a message may have been dropped, and nothing would follow it
            self._resend_at = None
            with self._publishing:
                self._resend([name for name in _ENDED if name in self.states])

    def _pause(self) -> float:
        """Seconds between two publications."""
        return self._period if self._watched() else BEAT

    def _patience(self) -> float:
        """Seconds until it looks by itself: not soon while steps tell of themselves."""
        told = self._clock() - self._stepped_at < 2 * TOLD
        return max(TOLD, self._pause()) if told and not self._poked else self._pause()

    def _seconds_to_wait(self) -> float | None:
        """Seconds until there is something to do; None is until poked, 0 is now."""
        if self._urgent:
            return 0
        times = []
        beat = self.states.get("beat")
        if self._poked or (isinstance(beat, Beat) and beat.active):
            times.append(self._published_at + self._patience())
        if self._resend_at is not None:
            times.append(self._resend_at)
        return max(0.0, min(times) - self._clock()) if times else None


def _has_ended(known: Snapshot | None, fresh: Snapshot | None) -> bool:
    """Whether a run that was under way has ended between two snapshots."""
    if not isinstance(known, RunsState) or not isinstance(fresh, RunsState):
        return False
    under_way = {card.id for card in known.items if card.status in ACTIVE}
    return any(card.id in under_way and card.status not in ACTIVE for card in fresh.items)
