"""Which of its numbers a run is judged by, for each task: what cards, charts and terminal name."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from easymodel_nb.measured import Measured
from easymodel_nb.runlog.events import Analytics
from easymodel_nb.runlog.view import RunView


class Metric(NamedTuple):
    """A measured number by its dotted name in the analytics.

    `baseline` is the dotted name of what always answering the commonest class gets.
    """

    key: str
    name: str
    higher: bool = True  # whether more is better
    baseline: str = ""

    @property
    def title(self) -> str:
        """The name at the beginning of a sentence."""
        return self.name if self.name == "chrF" else self.name[:1].upper() + self.name[1:]


PERPLEXITY = Metric("perplexity.validation", "validation perplexity", higher=False)

# The first one is the headline; perplexity is not defined for the tasks that lack it here.
METRICS: dict[str, tuple[Metric, ...]] = {
    "generation": (PERPLEXITY,),
    "seq2seq": (
        PERPLEXITY,
        Metric("task.chrf", "chrF"),
        Metric("task.bleu", "BLEU"),
        Metric("task.rouge_l", "ROUGE-L"),
    ),
    "classification": (
        Metric("task.macro_f1", "macro-F1", baseline="task.majority_macro_f1"),
        Metric("task.accuracy", "accuracy", baseline="task.majority_accuracy"),
        Metric("task.mcc", "MCC"),
    ),
    "token_classification": (
        Metric("task.f1", "entity F1"),
        Metric("task.precision", "precision"),
        Metric("task.recall", "recall"),
    ),
}


def task_of(view: RunView) -> str:
    """The task of a run: as planned, before that as drawn."""
    drawn = (view.request.get("node") or {}).get("data") or {}
    planned = (view.plan or {}).get("finetune") or {}
    task = planned.get("task") or drawn.get("task")
    return task if task in METRICS else "generation"


def metrics_of(view: RunView) -> tuple[Metric, ...]:
    """The metrics of a run's task, the headline first."""
    return METRICS[task_of(view)]


def measured_at(analytics: Analytics, key: str) -> Measured | None:
    """The number of that dotted name, or None where it was not due."""
    group, _, name = key.partition(".")
    found = (analytics.perplexity if group == "perplexity" else analytics.task).get(name)
    return found if isinstance(found, Measured) else None


def details(analytics: Analytics) -> dict[str, Any]:
    """The tables of a point, such as the confusion matrix; empty where there are none."""
    found = (analytics.model_extra or {}).get("details")
    return found if isinstance(found, dict) else {}


def task_numbers(analytics: Analytics) -> Iterator[tuple[Metric, Measured]]:
    """The metrics of a point beside perplexity, whatever its task, the headline first."""
    for metric in (metric for task in METRICS.values() for metric in task):
        found = measured_at(analytics, metric.key)
        if found is not None and metric is not PERPLEXITY:
            yield metric, found
