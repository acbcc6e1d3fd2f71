"""The course of a number over the epochs in a few words, as far as its intervals carry it."""

import itertools
from collections.abc import Sequence

from easymodel_nb.report import numbers as write
from easymodel_nb.report.paired import Compare, Verdict, comparing
from easymodel_nb.report.points import Value, known, values
from easymodel_nb.runlog.headline import PERPLEXITY, Metric
from easymodel_nb.runlog.scores import Scores
from easymodel_nb.runlog.view import RunView

_TRAIN = "perplexity.train"
_MOST = 8  # epochs that are compared with the last one, text by text


def course(view: RunView, metric: Metric, scores: Sequence[Scores] = ()) -> str:
    """The course of a number, or an empty text where nothing can be said.

    Epochs are compared by paired intervals: with the base by the changes of the log, with each
    other by `scores` where they are given. Without a paired interval only what two intervals
    that are apart carry is told, and never that nothing changed.
    """
    whole = [v for v in values(view, metric.key) if known(v.measured) and _is_whole(v)]
    if len(whole) < 2:  # noqa: PLR2004
        return ""
    name = metric.title
    worse: Verdict = "fell" if metric.higher else "rose"
    compare = comparing(view, metric.key, scores)
    best, last = _best(whole, metric), whole[-1]
    if best is not last and compare(best.epoch, last.epoch) == worse:
        most = "highest" if metric.higher else "lowest"
        when = f"at epoch {write.epoch(best.epoch)}" if best.epoch else "before training"
        return f"{name} was {most} {when} and {worse} after it"
    trained = [v for v in whole if v.epoch > 0]
    told = [compare(0, v.epoch) for v in trained] if whole[0].epoch == 0 else []
    if told and all(says == "unclear" for says in told):
        return f"{name} did not change clearly"
    if len(trained) > 1:
        return _later(view, metric, scores, trained, told)
    return ""


def _later(
    view: RunView,
    metric: Metric,
    scores: Sequence[Scores],
    trained: Sequence[Value],
    told: Sequence[Verdict],
) -> str:
    """What the last of several epochs says; `told` is what became of each since the base."""
    name, last = metric.title, trained[-1]
    better: Verdict = "rose" if metric.higher else "fell"
    compare = comparing(view, metric.key, scores)
    if compare(trained[-2].epoch, last.epoch) == better:
        return _moving(name, compare, trained, better, steady=bool(told) and told[0] == better)
    level = _level(compare, trained)
    if level is None or not told or told[trained.index(level)] != better:
        return _since(name, trained, told, better)
    text = f"{name} did not change clearly after epoch {write.epoch(level.epoch)}"
    falling = comparing(view, _TRAIN, scores)(level.epoch, last.epoch) == "fell"
    return f"{text}, train kept falling" if metric is PERPLEXITY and falling else text


def _moving(
    name: str, compare: Compare, trained: Sequence[Value], better: Verdict, *, steady: bool
) -> str:
    """The last epoch was clearly better than the one before it; so was each, perhaps."""
    pairs = itertools.pairwise(trained)
    if steady and all(compare(a.epoch, b.epoch) == better for a, b in pairs):
        return f"{name} {better} in every epoch"
    moving = "rising" if better == "rose" else "falling"
    return f"{name} was still {moving} at epoch {write.epoch(trained[-1].epoch)}"


def _is_whole(value: Value) -> bool:
    return float(value.epoch).is_integer()


def _best(found: Sequence[Value], metric: Metric) -> Value:
    sign = -1.0 if metric.higher else 1.0
    return min(found, key=lambda v: sign * (v.measured.value or 0.0))


def _level(compare: Compare, trained: Sequence[Value]) -> Value | None:
    """The first trained epoch since which none differs clearly from the last one, by pairs."""
    last, found = trained[-1], None
    for value in list(reversed(trained[:-1]))[:_MOST]:
        if compare(value.epoch, last.epoch) != "unclear":
            return found
        found = value
    return found


def _since(name: str, trained: Sequence[Value], told: Sequence[Verdict], better: Verdict) -> str:
    """Since when it is on one side of the base model."""
    if not told or told[-1] not in {"rose", "fell"}:
        return ""
    first = len(told) - 1
    while first and told[first - 1] == told[-1]:
        first -= 1
    side = "better" if told[-1] == better else "worse"
    epoch = write.epoch(trained[first].epoch)
    return f"{name} is {side} than the base model\u2019s from epoch {epoch} on"
