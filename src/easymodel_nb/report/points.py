"""The measured points of a run: which there are, and which one is spoken of."""

from collections.abc import Sequence
from typing import NamedTuple

from easymodel_nb.measured import Measured
from easymodel_nb.runlog.headline import details, measured_at
from easymodel_nb.runlog.view import EpochPoint, RunView


class Point(NamedTuple):
    """Perplexity at one point; a split that was not due there is None."""

    epoch: float
    step: int
    train: Measured | None
    validation: Measured | None

    @property
    def whole(self) -> bool:
        """Whether it is the end of an epoch, or epoch 0, the base model."""
        return float(self.epoch).is_integer()


def points(view: RunView) -> list[Point]:
    """Every point at which perplexity was due, by epoch."""
    found = [
        Point(
            p.epoch,
            p.step,
            p.analytics.perplexity.get("train"),
            p.analytics.perplexity.get("validation"),
        )
        for p in view.points
        if p.analytics.perplexity
    ]
    return sorted(found, key=lambda point: point.epoch)


def known(measured: Measured | None) -> bool:
    """Whether there is a value."""
    return measured is not None and measured.value is not None


def base(found: Sequence[Point]) -> Measured | None:
    """The validation perplexity before training."""
    return next((p.validation for p in found if p.epoch == 0 and known(p.validation)), None)


def kept_epoch(view: RunView) -> float | None:
    """The epoch whose model was kept, where the summary names one."""
    kept = view.summary.get("kept_epoch")
    return float(kept) if isinstance(kept, int | float) else None


def result(view: RunView, found: Sequence[Point]) -> Point | None:
    """The point the headline speaks of: the kept epoch, else the last one after the base."""
    trained = [p for p in found if p.epoch > 0 and known(p.validation)]
    kept = kept_epoch(view)
    at_kept = next((p for p in trained if p.epoch == kept), None)
    return at_kept or (trained[-1] if trained else None)


class Value(NamedTuple):
    """One number at one point."""

    epoch: float
    step: int
    measured: Measured


def values(view: RunView, key: str) -> list[Value]:
    """A number by its dotted name wherever it was due, by epoch."""
    found = [(p, measured_at(p.analytics, key)) for p in view.points]
    due = [Value(p.epoch, p.step, m) for p, m in found if m is not None]
    return sorted(due, key=lambda value: value.epoch)


def outcome(view: RunView, found: Sequence[Value]) -> Value | None:
    """The value a run is judged by: of the kept epoch, else the last one after the start."""
    trained = [value for value in found if value.epoch > 0 and known(value.measured)]
    kept = kept_epoch(view)
    return next((v for v in trained if v.epoch == kept), trained[-1] if trained else None)


def at_epoch(view: RunView, key: str, epoch: float | None) -> Measured | None:
    """A number at an epoch, else its latest one."""
    found = values(view, key)
    exact = next((v.measured for v in found if v.epoch == epoch), None)
    return exact or (found[-1].measured if found else None)


def tables(view: RunView) -> EpochPoint | None:
    """The point whose tables are shown: of the kept epoch, else the last that has some."""
    found = [p for p in view.points if details(p.analytics)]
    kept = kept_epoch(view)
    return next((p for p in found if p.epoch == kept), found[-1] if found else None)


def constant(measured: Measured | None) -> Measured | None:
    """A number that no training changes: without an interval of its own it is taken as exact."""
    if measured is None or measured.value is None or measured.low is not None:
        return measured
    return measured.model_copy(update={"low": measured.value, "high": measured.value})
