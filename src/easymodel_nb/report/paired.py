"""What may be said of two measurements of one run: by their paired interval wherever there is one.

The texts of a run are the same at every point, so two points differ by far less noise than either
has. `changes` of a point are its paired differences from the base model. Two trained epochs are
compared text by text (`scores.jsonl`), or else by whether their intervals are apart: intervals
that are apart carry a difference however the two are correlated (the standard deviation of a
difference is at most the sum of theirs), intervals that overlap carry nothing, neither a change
nor that there was none.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from easymodel_nb.measured import Measured
from easymodel_nb.runlog.headline import Metric, details, measured_at
from easymodel_nb.runlog.scores import Scores
from easymodel_nb.runlog.view import EpochPoint, RunView

# fell, rose: the interval excludes no change. unclear: it holds it. unknown: there is none.
Verdict = Literal["fell", "rose", "unclear", "unknown"]
Likelihoods = tuple[tuple[float, int], ...]
Compare = Callable[[float, float], Verdict]  # what happened from one epoch to a later one

# What is compared text by text: the set of the scores and the name of its values.
_SCORED = {
    "task.accuracy": ("validation", "correct"),
    "quality.overall": ("prompts", "overall"),
    "semantics.consistency": ("prompts", "consistency"),
}
_PERPLEXITY = "perplexity.validation"


class Change(NamedTuple):
    """What became of a number since the base model, and the paired interval that says so.

    `paired` is None where there is none; then `says` rests on the two intervals alone.
    """

    says: Verdict
    paired: Measured | None


def direction(change: Measured | None, none: float = 0.0) -> Verdict:
    """What the interval of a change carries; `none` is the value that means no change."""
    if change is None or change.value is None or change.low is None or change.high is None:
        return "unknown"
    if change.high < none:
        return "fell"
    return "rose" if change.low > none else "unclear"


def apart(before: Measured | None, after: Measured | None) -> Verdict:
    """What two intervals carry without pairs: a change where they are apart, else nothing."""
    ends = [e for m in (before, after) for e in ((m.low, m.high) if m is not None else (None,))]
    low, high, low_after, high_after = [*ends, None, None, None, None][:4]
    if low is None or high is None or low_after is None or high_after is None:
        return "unknown"
    if high_after < low:
        return "fell"
    return "rose" if low_after > high else "unknown"


def against(level: Measured | None, after: Measured | None) -> Verdict:
    """How a number stands to a level that is exact, such as what a constant guess gets.

    A level with an interval of its own is no constant: then the intervals have to be apart.
    """
    if level is None or level.value is None or level.low is not None:
        return apart(level, after)
    return direction(after, level.value)


def over_guess(view: RunView, metric: Metric, epoch: float) -> Verdict:
    """How a number stands to what always answering the commonest class gets, at an epoch.

    By the paired interval of the log; in a log without one the guess counts as exact.
    """
    point = point_at(view, epoch)
    if point is None or not metric.baseline:
        return "unknown"
    told = details(point.analytics).get("over_majority")
    raw = told.get(metric.key.partition(".")[2]) if isinstance(told, Mapping) else None
    if isinstance(raw, Measured | Mapping):
        return direction(raw if isinstance(raw, Measured) else Measured.model_validate(raw))
    return against(_at(view, metric.baseline, epoch), _at(view, metric.key, epoch))


def point_at(view: RunView, epoch: float) -> EpochPoint | None:
    """The measured point of an epoch; of one that was measured again, the later."""
    return next((p for p in reversed(view.points) if p.epoch == epoch), None)


def change_at(view: RunView, key: str, epoch: float) -> Measured | None:
    """The paired change of a number since the base model; None where it was not due."""
    point = point_at(view, epoch)
    return point.analytics.changes.get(key) if point is not None else None


def since_base(view: RunView, key: str, epoch: float) -> Change:
    """What became of a number since the base model."""
    paired = change_at(view, key, epoch)
    says = direction(paired)
    if says != "unknown":
        return Change(says, paired)
    return Change(apart(_at(view, key, 0), _at(view, key, epoch)), None)


def comparing(view: RunView, key: str, scores: Sequence[Scores] = ()) -> Compare:
    """How a number is compared between two points of a run."""

    def compare(first: float, second: float) -> Verdict:
        if first == 0:
            return since_base(view, key, second).says
        by_text = direction(_by_text(view, key, (first, second), scores))
        if by_text != "unknown":
            return by_text
        changes = apart(change_at(view, key, first), change_at(view, key, second))
        if changes != "unknown":
            return changes
        return apart(_at(view, key, first), _at(view, key, second))

    return compare


def _at(view: RunView, key: str, epoch: float) -> Measured | None:
    point = point_at(view, epoch)
    return measured_at(point.analytics, key) if point is not None else None


def _by_text(
    view: RunView, key: str, epochs: tuple[float, float], scores: Sequence[Scores]
) -> Measured | None:
    """The paired change between two points, where the scores of the same texts are there."""
    kind, name = _SCORED.get(key, ("validation", "nll" if key == _PERPLEXITY else ""))
    steps = [p.step if (p := point_at(view, epoch)) is not None else None for epoch in epochs]
    found = [next((s for s in scores if s.set == kind and s.step == step), None) for step in steps]
    first, second = found
    if first is None or second is None or first.digest != second.digest or not name:
        return None
    before, after = first.values.get(name), second.values.get(name)
    if before is None or after is None or len(before) != len(after):
        return None
    if key == "quality.overall":
        from easymodel_nb.metrics.alike import WEIGHTS, alike_columns  # noqa: PLC0415  numpy

        if WEIGHTS.keys() <= first.values.keys() & second.values.keys():
            after, before = alike_columns(second.values, first.values)
    if key != _PERPLEXITY:
        return _difference(tuple(after), tuple(before))
    tokens = [s.values.get("tokens") for s in (first, second)]
    pairs = [_likelihoods(s.values[name], n) for s, n in zip((first, second), tokens, strict=True)]
    if pairs[0] is None or pairs[1] is None:
        return None
    return _ratio_change(pairs[1], pairs[0])


# A panel is made anew at each measured point, and compares the same epochs again.
@lru_cache(maxsize=256)
def _difference(after: tuple[float | None, ...], before: tuple[float | None, ...]) -> Measured:
    from easymodel_nb.metrics import stats  # noqa: PLC0415  numpy

    return stats.paired_difference(after, before)


@lru_cache(maxsize=256)
def _ratio_change(after: Likelihoods, before: Likelihoods) -> Measured:
    from easymodel_nb.metrics import stats  # noqa: PLC0415  numpy

    return stats.paired_ratio_change(after, before)


def _likelihoods(
    nll: Sequence[float | None], tokens: Sequence[float | None] | None
) -> Likelihoods | None:
    """(summed negative log-likelihood, tokens) of each text; None where some are not known."""
    if tokens is None or len(tokens) != len(nll) or None in nll or None in tokens:
        return None
    return tuple((float(a or 0.0), int(n or 0)) for a, n in zip(nll, tokens, strict=True))
