"""The one sentence of a run, and only what its intervals carry."""

from collections.abc import Sequence

from easymodel_nb.measured import Measured
from easymodel_nb.report import numbers as write
from easymodel_nb.report.paired import comparing, over_guess, since_base
from easymodel_nb.report.points import Value, at_epoch, known, outcome, values
from easymodel_nb.runlog.headline import PERPLEXITY, Metric, metrics_of
from easymodel_nb.runlog.scores import Scores
from easymodel_nb.runlog.view import RunView

NAME = "Validation perplexity"


def finding(view: RunView, scores: Sequence[Scores] = ()) -> str:
    """The one sentence: what became of the number that judges a run.

    That it fell or rose is said by its paired interval from the base model; that it did not
    change clearly too. `scores`, where given, compare two epochs text by text.
    """
    metric = metrics_of(view)[0]
    written = write.perplexity if metric is PERPLEXITY else write.score
    found = values(view, metric.key)
    start = next((v.measured for v in found if v.epoch == 0 and known(v.measured)), None)
    after = outcome(view, found)
    if after is None or after.measured.value is None:
        return _before_training(view, metric.title, start)
    now = written(after.measured.value)
    span = _span(after.epoch) + (" so far" if view.status == "running" else "")
    if start is None or start.value is None:
        guess = _versus(view, metric, after)
        return f"{metric.title} is {now} after {span}{guess}{_best(view, metric, found, scores)}"
    was = written(start.value)
    says = since_base(view, metric.key, after.epoch).says
    if says == "unclear":
        return f"No clear change in {metric.name}: {was} before, {now} after {span}"
    if says == "unknown":
        return f"{metric.title} is {now} after {span}, {was} before"
    best = _best(view, metric, found, scores)
    if best:  # it may be an epoch before the last one that was trained
        span = _span(found[-1].epoch) + (" so far" if view.status == "running" else "")
    return f"{metric.title} {says} from {was} to {now} in {span}{best}"


def _span(epoch: float) -> str:
    return "1 epoch" if epoch == 1 else f"{write.epoch(epoch)} epochs"


def _best(view: RunView, metric: Metric, found: Sequence[Value], scores: Sequence[Scores]) -> str:
    """Where it was best, if that was clearly better than at the end of the training."""
    trained = [v for v in found if v.epoch > 0 and known(v.measured)]
    sign = -1.0 if metric.higher else 1.0
    best, last = min(trained, key=lambda v: sign * (v.measured.value or 0.0)), trained[-1]
    if best is last:
        return ""
    worse = "fell" if metric.higher else "rose"
    clearly = comparing(view, metric.key, scores)(best.epoch, last.epoch) == worse
    most = "highest" if metric.higher else "lowest"
    return f", {most} at epoch {write.epoch(best.epoch)}" if clearly else ""


def _versus(view: RunView, metric: Metric, after: Value) -> str:
    """How it stands to always answering the commonest class."""
    guess = at_epoch(view, metric.baseline, after.epoch) if metric.baseline else None
    if guess is None or guess.value is None:
        return ""
    level = write.score(guess.value)
    return {
        "rose": f", above the majority class ({level})",
        "fell": f", below the majority class ({level})",
        "unclear": f", not clearly different from the majority class ({level})",
        "unknown": f"; the majority class gets {level}",
    }[over_guess(view, metric, after.epoch)]


def _before_training(view: RunView, name: str, before: Measured | None) -> str:
    if view.status == "queued":
        return "Waiting for its turn"
    if view.status == "running":
        return view.stage.message
    if before is not None and before.value is not None:
        return f"{name} of the base model is {write.perplexity(before.value)}"
    return {
        "finished": "The run finished before anything was measured",
        "failed": "The run failed before anything was measured",
        "stopped": "The run was stopped before anything was measured",
    }.get(view.status, "The run was interrupted before anything was measured")
