"""The panel of the training loss by step, with the learning rate in its table."""

from easymodel_nb.runlog.view import CurvePoint, RunView
from easymodel_nb.widgets import dashboard_numbers as write
from easymodel_nb.widgets.charts_line import Line, LineStyle
from easymodel_nb.widgets.charts_scale import evenly, linear_axis, step_axis, thin
from easymodel_nb.widgets.dashboard_html import Row, empty, missing, table
from easymodel_nb.widgets.dashboard_panel import PanelContent

STYLES = {"loss": LineStyle("train", width=1.25)}
_MOST_POINTS, _MOST_ROWS = 500, 8
_HOW = (
    "The running training loss: cross-entropy in nats a token, averaged over the scored tokens "
    "since the point before, while the weights move and dropout is on. It is no measure of the "
    "finished model; validation perplexity is."
)


def loss_content(view: RunView) -> PanelContent:
    """What the panel shows of a run."""
    curve = [(point, point.loss) for point in view.curve if point.loss is not None]
    if not curve:
        return PanelContent(
            title="Training loss",
            caption="Nats a token, by step",
            how=_HOW,
            empty=_nothing(view),
        )
    values = [loss for _, loss in curve]
    kept = thin(values, _MOST_POINTS)
    return PanelContent(
        title="Training loss",
        caption=_caption(view, len(curve)),
        how=_HOW,
        y_name="loss, nats a token",
        x_name="step",
        lines={
            "loss": Line(
                x=[curve[i][0].step for i in kept],
                y=[values[i] for i in kept],
                label=f"loss {write.significant(values[-1])}",
            )
        },
        x=step_axis(max(view.max_steps, curve[-1][0].step)),
        y=linear_axis(values),
        table=_table([point for point, _ in curve]),
    )


def _caption(view: RunView, count: int) -> str:
    parts = ["Running loss in nats a token", write.plural(count, "point")]
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


def _nothing(view: RunView) -> str:
    if view.active:
        return empty("Training loss comes here", "From the first step on.")
    ends = {
        "failed": "The run failed before the first step.",
        "stopped": "The run was stopped before the first step.",
        "interrupted": "The run was interrupted before the first step.",
    }
    return empty("There is no training loss", ends.get(view.status, "No step reported one."))
