"""How many cores nobody else keeps busy, looked at over a moment and, where it can be, beforehand.

What this process does itself does not count: it waits for the run. Where the load was looked at a
moment ago already, as it is while something waits for a run (`warm`), nobody waits for the answer.
"""

import os
import time
from typing import NamedTuple

import psutil

LOOK_SECONDS = 0.5  # that a look takes at least
_STALE_SECONDS = 15.0


class Look(NamedTuple):
    """Seconds: the time, what all cores were busy until then, and what of it was this process."""

    at: float
    busy: float
    own: float


_last: list[Look] = []  # the two last ones


def look() -> Look:
    """Remember how much was done until now; cheap."""
    times, own = psutil.cpu_times(), psutil.Process().cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    within = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # counted in others
    found = Look(time.monotonic(), sum(times) - idle - within, own.user + own.system)
    _last[:] = [*_last[-1:], found]
    return found


def free_cores() -> tuple[int, str]:
    """How many threads pay: as many as there are cores that nobody else keeps busy.

    One thread more than free cores is not a little slower but several times:
    every parallel region waits for the one that was put off.
    """
    cores = len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else 0
    cores = cores or os.cpu_count() or 1
    now = time.monotonic()
    known = [seen for seen in _last if LOOK_SECONDS <= now - seen.at <= _STALE_SECONDS]
    first = known[-1] if known else look()
    time.sleep(max(0.0, first.at + LOOK_SECONDS - time.monotonic()))
    last = look()
    others = (last.busy - first.busy) - (last.own - first.own)
    busy = others / max(1e-3, last.at - first.at) / (os.cpu_count() or 1)
    free = max(1, min(cores, round(cores * (1 - busy))))
    word = "core is" if free == 1 else "cores are"
    return free, f"{free} of {cores} {word} free"
