"""Whether the process that owns a run lives: exactly where it can be asked, else by its beat."""

import time
from datetime import UTC, datetime
from typing import Protocol

from easymodel_nb import environment

STALE_SECONDS = 30.0


class Owned(Protocol):
    """What an owner last wrote of itself: a run's live.json, the lease of a project."""

    pid: int
    pid_started: float
    host: str
    boot_id: str
    beat: str


class Pulse:
    """What one reader has seen of the owner of one run, or of one project.

    On the same host and boot it lives exactly while that process exists. Seen from elsewhere it
    lives while its beat is younger than 30 seconds. Two machines rarely have one clock: the
    time in the beat counts at first sight alone; after that, when it was last seen to change.
    """

    def __init__(self) -> None:
        self._beat: str | None = None
        self._heard = float("-inf")

    def alive(self, live: Owned) -> bool:
        """Whether it lives, by what it last wrote."""
        if live.host == environment.hostname() and live.boot_id == environment.boot_id():
            return environment.process_alive(live.pid, live.pid_started)
        now = time.monotonic()
        if live.beat != self._beat:
            self._heard = now - _age(live.beat) if self._beat is None else now
            self._beat = live.beat
        return now - self._heard < STALE_SECONDS


def _age(beat: str) -> float:
    """Seconds since the beat by this clock; of one that is to come, for ever."""
    try:
        age = (datetime.now(UTC) - datetime.fromisoformat(beat)).total_seconds()
    except (ValueError, TypeError):  # no time, or one of no zone: nobody of ours wrote it
        return float("inf")
    return abs(age)
