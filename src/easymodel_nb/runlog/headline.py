"""Which of its numbers a run is judged by, for each task: what cards, charts and terminal name."""

from typing import Any, NamedTuple

from easymodel_nb.measured import Measured
from easymodel_nb.runlog.analytics import Analytics
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
    # Token classification whose tags mark no entities, such as parts of speech.
    "word_tags": (
        Metric("task.accuracy", "word accuracy", baseline="task.majority_accuracy"),
        Metric("task.macro_f1", "macro-F1"),
    ),
}


def task_of(view: RunView) -> str:
    """The task of a run: as planned, before that as drawn."""
    drawn = (view.request.get("node") or {}).get("data") or {}
    planned = (view.plan or {}).get("finetune") or {}
    task = planned.get("task") or drawn.get("task")
    return task if task in METRICS and task != "word_tags" else "generation"


def kind_of(view: RunView) -> str:
    """The key of a run's metrics: its task, or "word_tags"."""
    task = task_of(view)
    words = task == "token_classification" and any(
        "macro_f1" in p.analytics.task for p in view.points
    )
    return "word_tags" if words else task


def metrics_of(view: RunView) -> tuple[Metric, ...]:
    """The metrics of a run's task, the headline first."""
    return METRICS[kind_of(view)]


def headline_of(task: str, analytics: Analytics) -> Metric:
    """The metric that judges a run, from its task and one of its points."""
    words = task == "token_classification" and "macro_f1" in analytics.task
    return METRICS["word_tags" if words else task][0]


def measured_at(analytics: Analytics, key: str) -> Measured | None:
    """The number of that dotted name, or None where it was not due."""
    group, _, name = key.partition(".")
    holder = getattr(analytics, group, None)
    found = holder.get(name) if isinstance(holder, dict) else getattr(holder, name, None)
    return found if isinstance(found, Measured) else None


def details(analytics: Analytics) -> dict[str, Any]:
    """The tables of a point, such as the confusion matrix; empty where there are none."""
    found = (analytics.model_extra or {}).get("details")
    return found if isinstance(found, dict) else {}


def task_numbers(analytics: Analytics) -> list[tuple[Metric, Measured]]:
    """The metrics of a point beside perplexity, told by what it has, the headline first."""
    has = analytics.task.keys()
    kind = "seq2seq" if "chrf" in has else "classification" if "macro_f1" in has else "generation"
    if "f1" in has:
        kind = "word_tags" if "macro_f1" in has else "token_classification"
    found = [(m, measured_at(analytics, m.key)) for m in METRICS[kind] if m is not PERPLEXITY]
    return [(metric, measured) for metric, measured in found if measured is not None]
