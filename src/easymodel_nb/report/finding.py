"""The one sentence of a run, and only what its intervals carry."""

from collections.abc import Sequence

from easymodel_nb.measured import Measured
from easymodel_nb.report import numbers as write
from easymodel_nb.report.points import (
    Point,
    Value,
    at_epoch,
    base,
    constant,
    known,
    outcome,
    points,
    result,
    values,
    verdict,
)
from easymodel_nb.runlog.headline import PERPLEXITY, Metric, metrics_of
from easymodel_nb.runlog.view import RunView

NAME = "Validation perplexity"


def finding(view: RunView) -> str:
    """The one sentence, saying only what the intervals carry."""
    metric = metrics_of(view)[0]
    if metric is not PERPLEXITY:
        return _of_task(view, metric)
    found = points(view)
    before, after = base(found), result(view, found)
    if after is None or after.validation is None or after.validation.value is None:
        return _before_training(view, NAME, before)
    now = write.perplexity(after.validation.value)
    span = _span(after.epoch) + (" so far" if view.status == "running" else "")
    if before is None or before.value is None:
        return f"{NAME} is {now} after {span}"
    was = write.perplexity(before.value)
    says = verdict(before, after.validation)
    if says == "unclear":
        return f"No clear change in validation perplexity: {was} before, {now} after {span}"
    if says == "unknown":
        return f"{NAME} is {now} after {span}, {was} before"
    return f"{NAME} {says} from {was} to {now} in {span}{_lowest(found, after)}"


def _span(epoch: float) -> str:
    return "1 epoch" if epoch == 1 else f"{write.epoch(epoch)} epochs"


def _lowest(found: Sequence[Point], after: Point) -> str:
    """Where it was lowest, if that was clearly lower than at the end."""
    trained = [p for p in found if p.epoch > 0 and p.validation is not None and known(p.validation)]
    best = min(trained, key=lambda p: getattr(p.validation, "value", None) or float("inf"))
    clearly = verdict(best.validation, after.validation) == "rose"
    return f", lowest at epoch {write.epoch(best.epoch)}" if clearly else ""


def _of_task(view: RunView, metric: Metric) -> str:
    """The sentence of a task that is judged by another number than perplexity."""
    found = values(view, metric.key)
    name = metric.title
    after = outcome(view, found)
    start = next((v.measured for v in found if v.epoch == 0 and known(v.measured)), None)
    if after is None or after.measured.value is None:
        return _before_training(view, name, start)
    now = write.score(after.measured.value)
    span = _span(after.epoch) + (" so far" if view.status == "running" else "")
    best = _highest(found, after)
    if start is not None and start.value is not None:
        was, says = write.score(start.value), verdict(start, after.measured)
        if says in {"rose", "fell"}:
            return f"{name} {says} from {was} to {now} in {span}{best}"
        if says == "unclear":
            return f"No clear change in {metric.name}: {was} before, {now} after {span}"
        return f"{name} is {now} after {span}, {was} before"
    return f"{name} is {now} after {span}{_versus(view, metric, after)}{best}"


def _versus(view: RunView, metric: Metric, after: Value) -> str:
    """How it stands to always answering the commonest class."""
    guess = constant(at_epoch(view, metric.baseline, after.epoch)) if metric.baseline else None
    if guess is None or guess.value is None:
        return ""
    level = write.score(guess.value)
    return {
        "rose": f", above the majority class ({level})",
        "fell": f", below the majority class ({level})",
        "unclear": f", not clearly different from the majority class ({level})",
        "unknown": f"; the majority class gets {level}",
    }[verdict(guess, after.measured)]


def _highest(found: Sequence[Value], after: Value) -> str:
    """Where it was highest, if that was clearly higher than at the end."""
    trained = [v for v in found if v.epoch > 0 and known(v.measured)]
    best = max(trained, key=lambda v: v.measured.value or 0.0)
    clearly = verdict(best.measured, after.measured) == "fell"
    return f", highest at epoch {write.epoch(best.epoch)}" if clearly else ""


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
