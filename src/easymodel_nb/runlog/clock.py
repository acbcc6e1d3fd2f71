"""When a run was at which step: minutes since its training began, pauses left out."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from easymodel_nb.runlog.events import Epoch, Event, Progress, RunResumed, RunStarted, Stage
from easymodel_nb.runlog.log import RunReader


class Tick(NamedTuple):
    """A step, and the minutes of training and measuring until its end."""

    step: int
    minutes: float


def ticks(folder: Path) -> list[Tick]:
    """Steps and minutes of a run, in their order.

    The time between an attempt's end and the next one's training is left out, and so is what was
    trained after the step that a resumed attempt went on from.
    """
    return ticks_of(RunReader(folder).events())


def ticks_of(events: Iterable[Event]) -> list[Tick]:
    """As `ticks`, from the events of the log."""
    found: list[Tick] = []
    began: datetime | None = None  # of this attempt's training
    before, resumed = 0.0, 0  # minutes, and the step, at which it began
    for event in events:
        if isinstance(event, RunStarted):
            began, resumed = None, 0
        elif isinstance(event, RunResumed):
            resumed = event.step
        elif isinstance(event, Stage) and event.stage == "training" and began is None:
            began = _when(event)
            found = [tick for tick in found if tick.step <= resumed]
            before = found[-1].minutes if found else 0.0
            if not found:
                found = [Tick(0, 0.0)]
        elif isinstance(event, (Progress, Epoch)) and began is not None:
            minutes = before + (_when(event) - began).total_seconds() / 60
            if event.step >= found[-1].step:
                found.append(Tick(event.step, max(minutes, found[-1].minutes)))
    return found


def minutes_at(found: Sequence[Tick], step: float) -> float | None:
    """The minutes at a step, between two ticks in proportion; None outside of them."""
    for first, second in pairwise(found):
        if first.step <= step <= second.step:
            span = second.step - first.step
            share = (step - first.step) / span if span else 0.0
            return first.minutes + share * (second.minutes - first.minutes)
    return found[0].minutes if found and step == found[0].step else None


def _when(event: Event) -> datetime:
    return datetime.fromisoformat(event.time)
