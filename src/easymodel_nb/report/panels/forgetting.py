"""The forgetting meter: perplexity on general text beside the task's own."""

from collections.abc import Sequence

from easymodel_nb.measured import Measured
from easymodel_nb.report import numbers as write
from easymodel_nb.report.answers import base_of, fully, nothing, shown
from easymodel_nb.report.content import DataTable, PanelContent
from easymodel_nb.report.figures import LineFigure, LineStyle
from easymodel_nb.report.gains import gain_html
from easymodel_nb.report.html import Row, number, table
from easymodel_nb.report.lines import finite, measured_line
from easymodel_nb.report.paired import change_at, since_base
from easymodel_nb.report.points import points as perplexities
from easymodel_nb.report.scale import evenly, ratio_axis, step_axis
from easymodel_nb.runlog.view import RunView

KEY, TASK = "semantics.forgetting", "perplexity.validation"
STYLES = {
    "task": LineStyle("validation", marker="square", band=True),
    "general": LineStyle("tuned", dash="dashed", marker="triangle-up", band=True),
}
_MOST_ROWS = 60
_HOW = (
    "The same model also reads a small, fixed set of general English texts that has nothing to do "
    "with the task. Its perplexity there is computed as on the task's own validation texts: the "
    "exponential of the summed negative log-likelihood divided by the number of tokens. If it "
    "rises while the task's falls, the model forgets. The change is paired over the same texts: "
    "100 x (exp(mean NLL after - mean NLL before) - 1), with a 95 % interval from 2,000 bootstrap "
    "resamples of the texts. The slice is small: it tells of forgetting, not of how much is known."
)
_UNPAIRED = "there is no paired interval for this point"


def forgetting_content(view: RunView) -> PanelContent:
    """What the panel shows of a run."""
    found = [
        (p.epoch, p.analytics.semantics.forgetting)
        for p in fully(view, "semantics")
        if p.analytics.semantics is not None
    ]
    if not any(m.value is not None for _, m in found):
        due = [m for _, m in reversed(found)]
        return PanelContent(
            title="Perplexity on general text",
            caption="What the model may forget, lower is better",
            how=_HOW,
            figures=(nothing(view, "Perplexity on general text", "semantics", due),),
        )
    task = [(p.epoch, p.validation) for p in perplexities(view)]
    last = max([view.epochs, *(epoch for epoch, _ in (*found, *task))])
    lines = {
        "general": measured_line("general", found),
        "task": measured_line("task", task),
    }
    axis = ratio_axis(finite(lines.values()))
    return PanelContent(
        title=_title(view),
        caption=_caption([m for _, m in found]),
        how=_HOW,
        figures=(
            LineFigure(
                styles=STYLES,
                lines=lines,
                x=step_axis(last),
                y=axis,
                x_name="epoch",
                y_name=f"perplexity{', log' if axis.log else ''}, lower is better",
            ),
        ),
        table=_table(view, found),
        data=_data(view, found),
        layout="stack",
    )


def _title(view: RunView) -> str:
    at, start = shown(view, "semantics"), base_of(view, "semantics")
    if at is None or at.analytics.semantics is None:
        return "Perplexity on general text, of the base model"
    now = at.analytics.semantics.forgetting
    if now.value is None:
        return "Perplexity on general text"
    change = since_base(view, KEY, at.epoch)
    before = start.analytics.semantics if start is not None else None
    was = before.forgetting if before is not None else None
    if was is None or was.value is None:
        return f"Perplexity on general text is {write.perplexity(now.value)}"
    levels = f"{write.perplexity(was.value)} to {write.perplexity(now.value)}"
    return {
        "rose": f"General text got harder: perplexity rose from {levels}",
        "fell": f"General text got easier: perplexity fell from {levels}",
        "unclear": f"No clear forgetting: general perplexity {levels.replace(' to ', ', then ')}",
        "unknown": f"Perplexity on general text: {levels.replace(' to ', ' before, ')} after",
    }[change.says]


def _caption(found: Sequence[Measured]) -> str:
    n = next((m.n for m in reversed(found) if m.n), None)
    parts = ["Token-weighted perplexity of general English"]
    if n:
        parts.append(write.plural(n, "text"))
    parts.append("beside the task's validation texts, band 95 %")
    return ", ".join(parts)


def _table(view: RunView, found: Sequence[tuple[float, Measured]]) -> str:
    rows = [
        Row(
            [
                "base" if epoch == 0 else write.epoch(epoch),
                number(m, write.perplexity(m.value) if m.value is not None else ""),
                _change(view, KEY, epoch),
                _change(view, TASK, epoch),
            ]
        )
        for epoch, m in (found[i] for i in evenly(len(found), _MOST_ROWS))
    ]
    return table(
        "Perplexity on general text and its paired change in percent, beside the task's change",
        ["epoch", "general", "change, 95 %", "task, change"],
        rows,
        strong=1,
    )


def _change(view: RunView, key: str, epoch: float) -> str:
    if not epoch:
        return "&ndash;"
    change = change_at(view, key, epoch)
    return gain_html(change, write.percents, _UNPAIRED, better="fell", unit=" %")


def _data(view: RunView, found: Sequence[tuple[float, Measured]]) -> DataTable:
    rows = []
    for epoch, m in found:
        change = change_at(view, KEY, epoch)
        ends = (change.value, change.low, change.high) if change is not None else (None,) * 3
        rows.append((epoch, m.value, m.low, m.high, m.n, *ends, m.reason))
    columns = ["epoch", "general_perplexity", "low", "high", "n"]
    columns += ["change_percent", "change_low", "change_high", "reason"]
    return DataTable("forgetting", columns, rows)
