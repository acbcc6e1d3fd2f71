"""The panel of memory and speed by step."""

from statistics import median

from easymodel_nb.report import numbers as write
from easymodel_nb.report.content import PanelContent
from easymodel_nb.report.figures import LineStyle
from easymodel_nb.report.steps import readings, small_figure, steps_data, steps_table
from easymodel_nb.runlog.view import RunView

_STYLE = LineStyle("train", width=1.25)
_NO_MEMORY = "This run did not report how much memory it took."
_HOW = (
    "Tokens per second are all tokens trained on so far, divided by the time of the training "
    "steps so far; the time in which the model is measured or saved does not count. Memory is, on "
    "a GPU, the most that tensors have taken so far; else the resident memory of the process, the "
    "notebook's other objects among it. The chart keeps at most 500 points, every spike among "
    "them; the table for download has all."
)


def speed_content(view: RunView) -> PanelContent:
    """What the panel shows of a run."""
    speeds = [v for _, v in readings(view, "tokens_per_second")]
    held = [v for _, v in readings(view, "memory_bytes")]
    return PanelContent(
        title=_title(speeds, held),
        caption=_caption(view, len(view.curve)),
        how=_HOW,
        figures=(
            small_figure(
                view, "tokens_per_second", "Speed", write.rate, style=_STYLE, unit="tokens/s"
            ),
            small_figure(
                view,
                "memory_bytes",
                "Memory",
                write.memory,
                style=_STYLE,
                why=_NO_MEMORY,
            ),
        ),
        details=_table(view) if view.curve else "",
        data=steps_data(view, "speed", ("tokens_per_second", "memory_bytes"))
        if view.curve
        else None,
        layout="stack",
    )


def _title(speeds: list[float], held: list[float]) -> str:
    parts = [f"{write.rate(median(speeds))} tokens/s, median of the readings"] if speeds else []
    if held:
        parts.append(f"{write.memory(max(held))} at most")
    return ", ".join(parts) or "Speed and memory"


def _caption(view: RunView, lines: int) -> str:
    device = (view.environment or {}).get("device")
    parts = ["Tokens/s and memory by step"]
    if lines:
        parts.append(write.plural(lines, "reading"))
    if isinstance(device, str) and device:
        parts.append(f"on {device}")
    return ", ".join(parts)


def _table(view: RunView) -> str:
    columns = [
        ("tokens_per_second", "tokens/s", write.rate),
        ("memory_bytes", "memory", write.memory),
    ]
    return steps_table(view, "Speed and memory at some steps", columns)
