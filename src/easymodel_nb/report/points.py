"""The measured points of a run, and what their intervals allow to say of them."""

import itertools
from collections.abc import Sequence
from typing import Literal, NamedTuple

from easymodel_nb.measured import Measured
from easymodel_nb.runlog.headline import Metric, details, measured_at
from easymodel_nb.runlog.view import EpochPoint, RunView

_STILL = 0.97  # a fall to less than this share of the value is no level
Verdict = Literal["fell", "rose", "unclear", "unknown"]


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


def verdict(before: Measured | None, after: Measured | None) -> Verdict:
    """What the two intervals carry: a clear fall or rise only where they do not overlap."""
    ends = [
        end for m in (before, after) for end in ((m.low, m.high) if m is not None else (None, None))
    ]
    if None in ends:
        return "unknown"
    low, high, low_after, high_after = (float(end or 0.0) for end in ends)
    if high_after < low:
        return "fell"
    return "rose" if low_after > high else "unclear"


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


def shape(found: Sequence[Point]) -> str:
    """The course of the validation perplexity in a few words, as far as the intervals carry it."""
    whole = [p for p in found if p.whole and known(p.validation)]
    return _course("Validation", whole, higher=False) or "Perplexity by epoch"


def course(metric: Metric, found: Sequence[Value]) -> str:
    """The course of a metric in a few words, as far as the intervals carry it, or nothing."""
    whole = [Point(v.epoch, v.step, None, v.measured) for v in found if known(v.measured)]
    return _course(metric.title, [p for p in whole if p.whole], higher=metric.higher)


def _course(name: str, whole: Sequence[Point], *, higher: bool) -> str:
    if len(whole) < 2 or any(p.validation is None or p.validation.low is None for p in whole):  # noqa: PLR2004
        return ""
    sign = -1.0 if higher else 1.0
    most, worse, worsened, improving, improved = (
        ("highest", "fell", "fell", "rising", "rose")
        if higher
        else ("lowest", "rose", "rose", "falling", "fell")
    )
    last = whole[-1]
    best = min(whole, key=lambda p: sign * _value(p.validation))
    if verdict(best.validation, last.validation) == worse:
        when = f"at epoch {best.epoch:.0f}" if best.epoch else "before training"
        return f"{name} was {most} {when} and {worsened} after it"
    level = next(
        p
        for i, p in enumerate(whole)
        if all(verdict(p.validation, q.validation) == "unclear" for q in whole[i + 1 :])
    )
    if level is last:
        return f"{name} was still {improving} at epoch {last.epoch:.0f}"
    if level.epoch == 0:
        return f"{name} did not change clearly"
    steps = [sign * _value(p.validation) for p in whole]
    steadily = all(later < earlier for earlier, later in itertools.pairwise(steps))
    if steadily and not higher and steps[-1] < _STILL * _value(level.validation):
        # The intervals overlap, yet they are of the same texts: no sign of having levelled off.
        return f"{name} {improved} in every epoch"
    text = f"{name} levelled off after epoch {level.epoch:.0f}"
    train_fell = verdict(level.train, last.train) == "fell"
    return f"{text} while train kept falling" if train_fell else text


def _value(measured: Measured | None) -> float:
    return measured.value if measured is not None and measured.value is not None else float("inf")
