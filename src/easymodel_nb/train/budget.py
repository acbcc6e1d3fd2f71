"""A time budget: how many steps fit into the minutes the user has, and when a run must end.

The minutes count from the start of the attempt, loading, measuring and saving included; an
attempt that goes on with a run counts what those before it have taken.
"""

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from easymodel_nb.errors import FieldChange, Fix, StudioError, problem_error
from easymodel_nb.runlog.events import Event, Stage
from easymodel_nb.runlog.log import RunReader
from easymodel_nb.train import planning
from easymodel_nb.train.control import Control
from easymodel_nb.train.engine import FIRST_SENTENCE
from easymodel_nb.train.fitting.estimate import Estimate, analytics, estimate
from easymodel_nb.train.fitting.measurement import Measurement
from easymodel_nb.train.planning import Schedule
from easymodel_nb.train.preparation import Preparation

FIELD = "time_budget_minutes"
_USED = 0.9  # of the time: what was measured on three steps is no promise
_POINTS = 0.1  # of the time may go to measuring within epochs
_RESERVE = 0.25  # of the budget at most is held back for saving
_LEAST_RESERVE = 1.0  # seconds


def spent(events: Iterable[Event]) -> float:
    """Seconds that the attempts in a log have taken, waiting and pauses between them left out.

    Of an attempt that was cut off, what came after its last line is not known.
    """
    total, before = 0.0, None
    for event in events:
        at = datetime.fromisoformat(event.time)
        waits = isinstance(event, Stage) and event.stage == "queued"
        begins = isinstance(event, Stage) and event.message == FIRST_SENTENCE
        if before is not None and not begins:
            total += (at - before).total_seconds()
        before = None if waits or event.type == "run_created" else at
    return total


class TimeBudget:
    """The time budget of a run, looked at by one of its attempts."""

    def __init__(self, minutes: float, folder: Path) -> None:
        self.seconds = minutes * 60
        self._spent = spent(RunReader(folder).events())  # this attempt's first seconds as well
        self._since = time.monotonic()

    @property
    def used(self) -> float:
        """Seconds that are gone."""
        return self._spent + time.monotonic() - self._since

    def limit(self, control: Control, load_seconds: float) -> None:
        """Let the attempt end in time to save; reading its weights took `load_seconds`."""
        control.end_in(self.seconds - self.used - reserve(self.seconds, load_seconds))


def reserve(budget: float, load_seconds: float) -> float:
    """Seconds before the deadline at which a run ends to save: a checkpoint, then the model.

    Writing the weights and the optimizer's two numbers of each takes about four times what
    reading the weights took.
    """
    return min(_RESERVE * budget, _LEAST_RESERVE + 4 * load_seconds)


@dataclass(frozen=True)
class _Costs:
    """Seconds of what a run does, by its parts."""

    parts: Estimate
    fixed: float  # base model, both rounds of answers, saving
    epoch: float  # a whole one with its own measuring and checkpoint

    @classmethod
    def of(cls, parts: Estimate) -> "_Costs":
        fixed = parts.point + parts.answers + 2 * parts.samples + parts.save
        epoch = parts.epoch + parts.point + parts.answers + parts.checkpoint
        return cls(parts, fixed, epoch)

    def needed(self, seconds: float) -> float:
        """Of a budget, so that after everything fixed and the margin `seconds` are left."""
        return (seconds + self.fixed) / _USED


def schedule(ready: Preparation, found: Measurement, *, used: float) -> Schedule:
    """The steps that fit into the node's budget and where they are measured, with the reasons.

    `used`: seconds of the budget that are gone. Epochs are whole where one fits.

    Raises
    ------
    StudioError
        On the budget's field, when not even one step fits, with what would be needed.

    """
    chooser = ready.chooser
    data = chooser.data
    minutes = float(data.time_budget_minutes or 0)
    costs = _Costs.of(estimate(found, ready))
    parts = costs.parts
    left = minutes * 60 - used
    most = analytics(parts, data.epochs, left, limit=minutes * 60)
    room = left * _USED - costs.fixed - most
    per_epoch = planning.steps_per_epoch(data, len(ready.prepared.train))
    last = parts.point + parts.checkpoint
    steps = math.floor((room - last) / parts.step) if parts.step > 0 else per_epoch
    if steps < 1:
        raise _short(ready, costs, last, used, per_epoch)
    epochs = min(data.epochs, math.floor(room / costs.epoch))
    whole = f"an epoch of {per_epoch:,} steps takes about {duration(costs.epoch)}"
    budget = f"{minutes:g} minutes, of which {duration(max(0.0, left))} are left"
    if epochs >= data.epochs:
        chooser.note(FIELD, minutes, f"enough for {data.epochs} epochs: {whole}")
    elif epochs >= 1:
        chooser.replace("epochs", epochs, f"fits into {budget}: {whole}")
    else:
        steps = min(steps, per_epoch)
        chooser.replace("epochs", 1, f"no whole epoch fits into {budget}: {whole}")
        chooser.note(
            "max_steps", steps, f"fits into {budget}: a step takes about {duration(parts.step)}"
        )
    chooser.note(
        "checkpoints",
        "every epoch and every 10 minutes",
        f"one takes about {duration(parts.checkpoint)}, which is counted",
    )
    max_steps = steps if epochs < 1 else epochs * per_epoch
    return Schedule(max_steps, _points(ready, costs, max(1, epochs), max_steps, per_epoch, left))


def _points(
    ready: Preparation, costs: _Costs, epochs: int, max_steps: int, per_epoch: int, left: float
) -> list[int]:
    """Where the model is measured: within epochs too, where that takes little of the time."""
    ends = sorted({*range(per_epoch, max_steps + 1, per_epoch), max_steps})
    points = planning.measured_steps(epochs, min(per_epoch, max_steps))
    between = (len(points) - len(ends)) * costs.parts.point
    if between <= _POINTS * left:
        return points
    ready.chooser.note(
        "eval_steps",
        len(ends) + 1,
        "only before training and at the ends of epochs: measuring once takes about "
        f"{duration(costs.parts.point)}",
    )
    return ends


def _short(
    ready: Preparation, costs: _Costs, last: float, used: float, per_epoch: int
) -> StudioError:
    minutes = float(ready.chooser.data.time_budget_minutes or 0)
    one_step = used + costs.needed(costs.parts.step + last)
    one_epoch = used + costs.needed(costs.epoch)
    enough = minutes_up(one_epoch)
    return problem_error(
        "budget.short",
        f"{minutes:g} minutes are too few for a single step: reading, measuring the base model, "
        f"one step and saving take about {duration(one_step)}, an epoch of {per_epoch:,} steps "
        f"{duration(one_epoch)}.",
        node=ready.node,
        field=FIELD,
        fix=Fix(
            label=f"Set the time budget to {enough:g} minutes",
            set=[FieldChange(node=ready.node, field=FIELD, value=enough)],
        ),
    )


def minutes_up(seconds: float) -> float:
    """Minutes that hold so many seconds: whole ones, tenths where one is much."""
    minutes = seconds / 60
    return math.ceil(minutes) if minutes > 1 else math.ceil(minutes * 10) / 10


def duration(seconds: float) -> str:
    """Seconds in words of two figures."""
    if seconds >= 5400:  # noqa: PLR2004  an hour and a half
        return f"{seconds / 3600:.1f} hours"
    if seconds >= 90:  # noqa: PLR2004
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds:.2g} seconds"
