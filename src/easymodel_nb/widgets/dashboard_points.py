"""The measured points of a run, and what their intervals allow to say of them."""

import itertools
from collections.abc import Sequence
from typing import Literal, NamedTuple

from easymodel_nb.measured import Measured
from easymodel_nb.runlog.view import RunView

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


def shape(found: Sequence[Point]) -> str:
    """The course of the validation perplexity in a few words, as far as the intervals carry it."""
    whole = [p for p in found if p.whole and known(p.validation)]
    if len(whole) < 2 or any(p.validation is None or p.validation.low is None for p in whole):  # noqa: PLR2004
        return "Perplexity by epoch"
    last = whole[-1]
    best = min(whole, key=lambda p: _value(p.validation))
    if verdict(best.validation, last.validation) == "rose":
        lowest = f"at epoch {best.epoch:.0f}" if best.epoch else "before training"
        return f"Validation was lowest {lowest} and rose after it"
    level = next(
        p
        for i, p in enumerate(whole)
        if all(verdict(p.validation, q.validation) == "unclear" for q in whole[i + 1 :])
    )
    if level is last:
        return f"Validation was still falling at epoch {last.epoch:.0f}"
    if level.epoch == 0:
        return "Validation did not change clearly"
    values = [_value(p.validation) for p in whole]
    falling = all(later < earlier for earlier, later in itertools.pairwise(values))
    if falling and values[-1] < _STILL * _value(level.validation):
        # The intervals overlap, yet they are of the same texts: no sign of having levelled off.
        return "Validation fell in every epoch"
    text = f"Validation levelled off after epoch {level.epoch:.0f}"
    train_fell = verdict(level.train, last.train) == "fell"
    return f"{text} while train kept falling" if train_fell else text


def _value(measured: Measured | None) -> float:
    return measured.value if measured is not None and measured.value is not None else float("inf")
