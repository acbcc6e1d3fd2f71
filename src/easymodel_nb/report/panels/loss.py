"""The panel of the training loss by step, with the learning rate in its table."""

from dataclasses import replace

from easymodel_nb.report import numbers as write
from easymodel_nb.report.content import PanelContent
from easymodel_nb.report.figures import Empty, Line, LineFigure, LineStyle
from easymodel_nb.report.html import Row, missing, table
from easymodel_nb.report.lines import finite, measured_line
from easymodel_nb.report.points import Value, known, values
from easymodel_nb.report.scale import evenly, linear_axis, step_axis, thin
from easymodel_nb.runlog.headline import metrics_of, task_of
from easymodel_nb.runlog.view import CurvePoint, RunView

STYLES = {
    "loss": LineStyle("train", width=1.25),
    "validation": LineStyle("validation", marker="square"),
}
_MOST_POINTS, _MOST_ROWS = 240, 8
_SCORED = {"classification": ("text", "texts"), "token_classification": ("word", "words")}


def _how(view: RunView) -> str:
    """What the loss is, for the panel's question mark."""
    one, many = _SCORED.get(task_of(view), ("token", "tokens"))
    judged = metrics_of(view)[0].name
    return (
        f"The running training loss: cross-entropy in nats a {one}, averaged over the scored "
        f"{many} since the point before, while the weights move and dropout is on. It is no "
        f"measure of the finished model; {judged} is."
    )


def _unit(view: RunView) -> str:
    return f"nats a {_SCORED.get(task_of(view), ('token', ''))[0]}"


def loss_content(view: RunView) -> PanelContent:
    """What the panel shows of a run."""
    curve = [(point, point.loss) for point in view.curve if point.loss is not None]
    if not curve:
        return PanelContent(
            title="Training loss",
            caption=f"{_unit(view).capitalize()}, by step",
            how=_how(view),
            figures=(_nothing(view),),
        )
    losses = [loss for _, loss in curve]
    kept = thin(losses, _MOST_POINTS)
    measured = _validation(view)
    judged = any(known(v.measured) for v in measured)
    lines = {
        "loss": Line(
            x=[curve[i][0].step for i in kept],
            y=[losses[i] for i in kept],
            label=f"{'train' if judged else 'loss'} {write.significant(losses[-1])}",
        )
    }
    if judged:
        line = measured_line("validation", [(float(v.step), v.measured) for v in measured])
        lines["validation"] = replace(line, tips=[_tip(v) for v in measured])
    return PanelContent(
        title="Training and validation loss" if "validation" in lines else "Training loss",
        caption=_caption(view, len(curve)),
        how=_how(view),
        figures=(
            LineFigure(
                styles=STYLES,
                y_name=f"loss, {_unit(view)}",
                x_name="step",
                lines=lines,
                x=step_axis(max(view.max_steps, curve[-1][0].step)),
                y=linear_axis(finite(lines.values())),
            ),
        ),
        table=_table([point for point, _ in curve]),
    )


def _validation(view: RunView) -> list[Value]:
    """The validation loss of a task that is not judged by perplexity, which says the same."""
    return values(view, "task.loss") if task_of(view) in _SCORED else []


def _tip(value: Value) -> str:
    if value.measured.value is None:
        return ""
    return f"validation, step {value.step:,}: {write.significant(value.measured.value)}"


def _caption(view: RunView, count: int) -> str:
    parts = [f"Running loss in {_unit(view)}", write.plural(count, "point")]
    rates = [p.learning_rate for p in view.curve if p.learning_rate is not None]
    if rates:
        parts.append(f"highest learning rate {write.learning_rate(max(rates))}")
    return ", ".join(parts)


def _table(curve: list[CurvePoint]) -> str:
    return table(
        "Training loss and learning rate at some steps",
        ["step", "loss", "learning rate", "tokens/s"],
        [_row(curve[i]) for i in evenly(len(curve), _MOST_ROWS)],
        strong=1,
    )


def _row(point: CurvePoint) -> Row:
    unknown = missing("not reported at this step")
    return Row(
        [
            f"{point.step:,}",
            write.significant(point.loss) if point.loss is not None else unknown,
            write.learning_rate(point.learning_rate)
            if point.learning_rate is not None
            else unknown,
            write.rate(point.tokens_per_second) if point.tokens_per_second is not None else unknown,
        ]
    )


def _nothing(view: RunView) -> Empty:
    if view.active:
        return Empty("Training loss comes here", "From the first step on.")
    ends = {
        "failed": "The run failed before the first step.",
        "stopped": "The run was stopped before the first step.",
        "interrupted": "The run was interrupted before the first step.",
    }
    return Empty("There is no training loss", ends.get(view.status, "No step reported one."))
