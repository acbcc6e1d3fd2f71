"""The panel of the task's own metrics by epoch, with the majority class or the base model."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from easymodel_nb.measured import Measured
from easymodel_nb.report import numbers as write
from easymodel_nb.report.content import DataTable, PanelContent
from easymodel_nb.report.course import course
from easymodel_nb.report.figures import Empty, Line, LineFigure, LineStyle
from easymodel_nb.report.gains import gain_text
from easymodel_nb.report.html import Row, number, table
from easymodel_nb.report.lines import (
    constant_line,
    finite,
    kept_line,
    measured_line,
    reasons,
)
from easymodel_nb.report.paired import change_at
from easymodel_nb.report.points import Value, at_epoch, kept_epoch, known, outcome, values
from easymodel_nb.report.scale import Axis, evenly, linear_axis, step_axis
from easymodel_nb.runlog.headline import PERPLEXITY, Metric, kind_of, metrics_of
from easymodel_nb.runlog.scores import Scores
from easymodel_nb.runlog.view import RunView

# All three are of the tuned model: dash and marker tell them apart, and their labels.
STYLES = {
    "reference": LineStyle("base", dash="dashed"),
    "reference 2": LineStyle("base", dash="dotted"),
    "kept": LineStyle("text3", dash="dotted", note=True, width=1.25),
    "third": LineStyle("tuned", dash="dotted", marker="circle"),
    "second": LineStyle("tuned", dash="dashed", marker="triangle-up"),
    "first": LineStyle("tuned", marker="diamond", band=True),
}
_PLACES = ("first", "second", "third")
_MOST_ROWS = 60
_LOW = 0.16  # the share of the axis where the name of the kept epoch stands
_LOSS = Metric("task.loss", "loss", higher=False)


class _Words(NamedTuple):
    title: str
    caption: str
    axis: str
    how: str
    drawn: int  # how many of the metrics have a line
    columns: tuple[str, ...]


_WORDS = {
    "classification": _Words(
        "Macro-F1 and accuracy by epoch",
        "Macro-F1 and accuracy",
        "share, higher is better",
        "Accuracy is the share of validation rows whose label is predicted rightly. Macro-F1 is "
        "the plain mean of the F1 of every class, so a rare class counts as much as a common one. "
        "The majority class is what always answering the commonest label of the training rows "
        "gets on the same validation rows.",
        2,
        ("macro-F1", "accuracy"),
    ),
    "token_classification": _Words(
        "Entity F1 by epoch",
        "Entity F1, precision and recall",
        "share, higher is better",
        "An entity is right when its type and both its ends are. Precision is the share of the "
        "predicted entities that are right, recall the share of the true entities that are found, "
        "F1 their harmonic mean over all types.",
        3,
        ("F1", "precision", "recall"),
    ),
    "word_tags": _Words(
        "Word accuracy and macro-F1 by epoch",
        "Share of words with the right tag, and macro-F1",
        "share, higher is better",
        "The tags mark no entities, so words are scored: accuracy is the share of validation words "
        "whose tag is predicted rightly, macro-F1 the plain mean of the F1 of every tag. The "
        "majority class is what always answering the commonest tag of the training words gets.",
        2,
        ("accuracy", "macro-F1"),
    ),
    "seq2seq": _Words(
        "chrF, BLEU and ROUGE-L by epoch",
        "Generated answers against the references",
        "score, higher is better",
        "The model writes an answer to each validation source; chrF compares it with the reference "
        "by runs of characters, BLEU by runs of words, ROUGE-L by the longest common sequence of "
        "words. The base model is measured on the same sources before training.",
        3,
        ("chrF", "BLEU", "ROUGE-L"),
    ),
}


def task_content(view: RunView, scores: Sequence[Scores] = ()) -> PanelContent:
    """What the panel shows of a run whose task has metrics of its own."""
    words = _WORDS[kind_of(view)]
    metrics = [metric for metric in metrics_of(view) if metric is not PERPLEXITY]
    drawn = metrics[: words.drawn]
    found = {metric.key: values(view, metric.key) for metric in [*drawn, _LOSS]}
    if not any(known(v.measured) for metric in drawn for v in found[metric.key]):
        return PanelContent(
            title=words.title,
            caption=words.caption,
            how=words.how,
            figures=(_nothing(view, [v.measured for metric in drawn for v in found[metric.key]]),),
        )
    last = max(view.epochs, *(v.epoch for metric in drawn for v in found[metric.key]))
    lines = {
        place: measured_line(
            _short(metric), [(v.epoch, v.measured) for v in found[metric.key]], write.score
        )
        for place, metric in zip(_PLACES, drawn, strict=False)
    }
    lines |= _references(view, drawn, found, last)
    axis = linear_axis(finite(lines.values()), parts=5)
    first = [(v.epoch, v.measured) for v in found[drawn[0].key]]
    lines |= _kept(view, first, axis, lines)
    return PanelContent(
        title=course(view, drawn[0], scores) or words.title,
        caption=_caption(view, words, drawn, found),
        how=words.how,
        figures=(
            LineFigure(
                styles=STYLES,
                y_name=words.axis,
                x_name="epoch",
                lines=lines,
                x=step_axis(last),
                y=axis,
            ),
        ),
        table=_table(view, words, [found[m.key] for m in drawn], found[_LOSS.key]),
        data=_data(view, metrics),
    )


def _data(view: RunView, metrics: Sequence[Metric]) -> DataTable:
    """Every number of the task at every point, with its paired change from the base."""
    rows = []
    for metric in (*metrics, _LOSS):
        for v in values(view, metric.key):
            m, change = v.measured, change_at(view, metric.key, v.epoch)
            ends = (change.value, change.low, change.high) if change is not None else (None,) * 3
            name = metric.key.partition(".")[2]
            rows.append((v.epoch, v.step, name, m.value, m.low, m.high, m.n, *ends, m.reason))
    columns = ["epoch", "step", "number", "value", "low", "high", "n"]
    return DataTable("task", [*columns, "change", "change_low", "change_high", "reason"], rows)


def _short(metric: Metric) -> str:
    return metric.name.removeprefix("entity ").removeprefix("word ")


def _references(
    view: RunView, drawn: Sequence[Metric], found: dict[str, list[Value]], last: float
) -> dict[str, Line]:
    """What a constant guess gets, or the base model: levels to compare with."""
    lines: dict[str, Line | None] = {}
    for place, metric in zip(("reference", "reference 2"), drawn, strict=False):
        if metric.baseline:
            guess = at_epoch(view, metric.baseline, None)
            name = "majority F1" if metric.key == "task.macro_f1" else "majority acc."
            lines[place] = constant_line(name, guess, last, write.score)
    if not any(metric.baseline for metric in drawn):
        start = next((v.measured for v in found[drawn[0].key] if v.epoch == 0), None)
        lines["reference"] = constant_line("base", start, last, write.score)
    return {place: line for place, line in lines.items() if line is not None}


def _kept(
    view: RunView,
    first: Sequence[tuple[float, Measured | None]],
    axis: Axis,
    lines: dict[str, Line],
) -> dict[str, Line]:
    """The kept epoch; its name stands low in the chart, unless a reference runs through there."""
    found = kept_line(view, first, axis.low)
    levels = [axis.share(line.y[0]) for name, line in lines.items() if "reference" in name]
    if any(share < _LOW for share in levels):
        found = {name: replace(line, label="") for name, line in found.items()}
    return found


def _caption(
    view: RunView, words: _Words, drawn: Sequence[Metric], found: dict[str, list[Value]]
) -> str:
    every = [v.measured for metric in drawn for v in reversed(found[metric.key])]
    parts = [words.caption]
    after = outcome(view, found[drawn[0].key])
    change = change_at(view, drawn[0].key, after.epoch) if after is not None else None
    if said := gain_text(change, write.change):
        parts.append(f"{_short(drawn[0])} from the base {said}")
    n = next((m.n for m in every if m.n), None)
    if n:
        parts.append(f"{write.count(n)} validation texts")
    if any(v.measured.low is not None for v in found[drawn[0].key]):
        parts.append(f"band 95 % of {_short(drawn[0])}")
    why = reasons(every)
    return ", ".join(parts) + (f". n/a: {why[0]}" if why else "")


def _table(
    view: RunView, words: _Words, columns: Sequence[Sequence[Value]], losses: Sequence[Value]
) -> str:
    kept = kept_epoch(view)
    due = [v for column in columns for v in column]
    epochs = sorted({v.epoch for v in due})
    if len(epochs) > 12:  # noqa: PLR2004
        epochs = [e for e in epochs if float(e).is_integer() or e == kept]
    names = ["epoch", *words.columns, "95 %"] + ["val. loss"] * bool(losses)
    rows = []
    for epoch in (epochs[i] for i in evenly(len(epochs), _MOST_ROWS)):
        at = [_at(column, epoch) for column in columns]
        interval = write.level(at[0], write.score) if at[0] is not None else ""
        cells = [
            "base" if epoch == 0 else write.epoch(epoch),
            *(_cell(m, write.score) for m in at),
            interval.replace(" to ", "&nbsp;to ") or "&ndash;",
        ]
        if losses:
            cells.append(_cell(_at(losses, epoch), write.significant))
        rows.append(Row(cells, marked=epoch == kept, quiet=not float(epoch).is_integer()))
    caption = f"{words.title}; epoch 0 is the base model; the interval is of {words.columns[0]}"
    return table(caption, names, rows, strong=1)


def _at(column: Sequence[Value], epoch: float) -> Measured | None:
    return next((v.measured for v in column if v.epoch == epoch), None)


def _cell(m: Measured | None, written: Callable[[float], str]) -> str:
    shown = written(m.value) if m is not None and m.value is not None else ""
    return number(m, shown, "only measured at the end of an epoch")


def _nothing(view: RunView, due: Sequence[Measured]) -> Empty:
    """The dashed box: why there is no number yet, or at all."""
    why = reasons(due)
    if view.active:
        when = (
            "At the end of epoch 1." if kind_of(view) == "seq2seq" else "From the first point on."
        )
        base = f" Of the base model: {why[0].rstrip('.')}." if why else ""
        return Empty("The task's numbers come here", when + base)
    ends = {
        "failed": "The run failed before the first measured point.",
        "stopped": "The run was stopped before the first measured point.",
        "interrupted": "The run was interrupted before the first measured point.",
    }
    told = why[0] if why else ends.get(view.status, "Nothing was measured.")
    return Empty("There are no numbers of the task", told)
