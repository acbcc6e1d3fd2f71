"""The panel of the training by step: its loss, its learning rate, the norm of its gradient."""

from dataclasses import replace

from easymodel_nb.report import numbers as write
from easymodel_nb.report.content import PanelContent
from easymodel_nb.report.figures import Figure, LineFigure, LineStyle
from easymodel_nb.report.lines import finite, measured_line
from easymodel_nb.report.points import Value, known, values
from easymodel_nb.report.scale import linear_axis
from easymodel_nb.report.steps import (
    nothing,
    readings,
    small_figure,
    step_line,
    steps,
    steps_data,
    steps_table,
)
from easymodel_nb.runlog.headline import metrics_of, task_of
from easymodel_nb.runlog.view import RunView

STYLES = {
    "loss": LineStyle("train", width=1.25),
    "validation": LineStyle("validation", marker="square"),
}
_STYLE = LineStyle("train", width=1.25)
_SCORED = {"classification": ("text", "texts"), "token_classification": ("word", "words")}
_HEIGHT = 226
_NO_NORM = "This run did not report the norm of its gradient."
_NO_RATE = "This run did not report its learning rate."


def _how(view: RunView) -> str:
    """What the numbers are, for the panel's question mark."""
    one, many = _SCORED.get(task_of(view), ("token", "tokens"))
    judged = metrics_of(view)[0].name
    return (
        f"The running training loss: cross-entropy in nats a {one}, averaged over the scored "
        f"{many} since the point before, while the weights move and dropout is on. It is no "
        f"measure of the finished model; {judged} is. The learning rate is that of the step. The "
        "gradient norm is the square root of the summed squares of all gradients, before it is "
        "clipped. The charts keep at most 500 points, every spike among them; the table for "
        "download has all."
    )


def _unit(view: RunView) -> str:
    return f"nats a {_SCORED.get(task_of(view), ('token', ''))[0]}"


def loss_content(view: RunView) -> PanelContent:
    """What the panel shows of a run."""
    found = readings(view, "loss")
    loss = _loss(view)
    judged = isinstance(loss, LineFigure) and "validation" in loss.lines
    return PanelContent(
        title=_title(found, judged=judged),
        caption=_caption(view, len(found)),
        how=_how(view),
        figures=(
            loss,
            small_figure(
                view,
                "learning_rate",
                "Learning rate",
                write.learning_rate,
                style=_STYLE,
                height=_HEIGHT,
                why=_NO_RATE,
            ),
            small_figure(
                view,
                "grad_norm",
                "Gradient norm",
                write.significant,
                style=_STYLE,
                height=_HEIGHT,
                why=_NO_NORM,
            ),
        )
        if view.curve
        else (loss,),
        details=_table(view) if view.curve else "",
        data=steps_data(view, "loss", ("loss", "learning_rate", "grad_norm"))
        if view.curve
        else None,
        layout="row",
    )


def _loss(view: RunView) -> Figure:
    found = readings(view, "loss")
    if not found:
        return nothing(view, "Training loss", "No step reported one.", height=_HEIGHT)
    measured = _validation(view)
    judged = any(known(v.measured) for v in measured)
    label = f"{'train' if judged else 'loss'} {write.significant(found[-1][1])}"
    lines = {"loss": step_line(found, label, "loss", write.significant, live=view.active)}
    if judged:
        line = measured_line("validation", [(float(v.step), v.measured) for v in measured])
        lines["validation"] = replace(line, tips=[_tip(v) for v in measured])
    return LineFigure(
        styles=STYLES,
        y_name=f"loss, {_unit(view)}",
        x_name="step",
        lines=lines,
        x=steps(view),
        y=linear_axis(finite(lines.values())),
        height=_HEIGHT,
    )


def _title(found: list[tuple[int, float]], *, judged: bool) -> str:
    name = "Training and validation loss" if judged else "Training loss"
    return f"{name}, learning rate and gradient norm by step" if found else name


def _validation(view: RunView) -> list[Value]:
    """The validation loss of a task that is not judged by perplexity, which says the same."""
    return values(view, "task.loss") if task_of(view) in _SCORED else []


def _tip(value: Value) -> str:
    if value.measured.value is None:
        return ""
    return f"validation, step {value.step:,}: {write.significant(value.measured.value)}"


def _caption(view: RunView, count: int) -> str:
    if not count:
        return f"{_unit(view).capitalize()}, by step"
    parts = [f"Running loss in {_unit(view)}", write.plural(count, "point")]
    if rates := [v for _, v in readings(view, "learning_rate")]:
        parts.append(f"highest learning rate {write.learning_rate(max(rates))}")
    if norms := [v for _, v in readings(view, "grad_norm")]:
        parts.append(f"largest gradient norm {write.significant(max(norms))}")
    if view.resumed_from is not None:
        parts.append(f"resumed from step {view.resumed_from:,}")
    return ", ".join(parts)


def _table(view: RunView) -> str:
    columns = [
        ("loss", "loss", write.significant),
        ("learning_rate", "learning rate", write.learning_rate),
        ("grad_norm", "gradient norm", write.significant),
        ("tokens_per_second", "tokens/s", write.rate),
    ]
    return steps_table(
        view, "Training loss, learning rate and gradient norm at some steps", columns
    )
