"""The lines of the panels by epoch: a measured series, a constant, the epoch that was kept."""

import math
from collections.abc import Callable, Iterable, Sequence

from easymodel_nb.measured import Measured
from easymodel_nb.report import numbers as write
from easymodel_nb.report.figures import Line
from easymodel_nb.report.points import kept_epoch
from easymodel_nb.runlog.view import RunView


def measured_line(
    name: str,
    measured: Sequence[tuple[float, Measured | None]],
    number: Callable[[float], str] = write.significant,
) -> Line:
    """The points (epoch, number) that were due; one without a value leaves a gap.

    `number` writes the values.
    """
    due = [(epoch, m) for epoch, m in measured if m is not None]
    last = next((m.value for _, m in reversed(due) if m.value is not None), None)
    return Line(
        x=[epoch for epoch, _ in due],
        y=[_or_gap(m.value) for _, m in due],
        low=[_or_gap(m.low) for _, m in due],
        high=[_or_gap(m.high) for _, m in due],
        label=f"{name} {number(last)}" if last is not None else "",
        tips=[_tip(name, epoch, m, number) for epoch, m in due],
    )


def constant_line(
    name: str,
    measured: Measured | None,
    last: float,
    number: Callable[[float], str] = write.significant,
) -> Line | None:
    """A level from epoch 0 to the last one, where there is a value."""
    if measured is None or measured.value is None:
        return None
    return Line(x=(0.0, last), y=(measured.value,) * 2, label=f"{name} {number(measured.value)}")


def kept_line(
    view: RunView, found: Iterable[tuple[float, Measured | None]], bottom: float
) -> dict[str, Line]:
    """A dotted line down from the point whose model was kept, named where there is room."""
    kept = kept_epoch(view)
    due = [(epoch, m.value) for epoch, m in found if m is not None]
    at = next((value for epoch, value in due if epoch == kept), None)
    if kept is None or at is None:
        return {}
    named = kept < max(view.epochs, due[-1][0])  # at the right edge stand the names of the lines
    label = f"kept: epoch {write.epoch(kept)}" if named else ""
    return {"kept": Line(x=(kept, kept), y=(at, bottom), label=label)}


def reasons(measured: Iterable[Measured | None]) -> list[str]:
    """Why values are missing, each reason once, in the order given."""
    return list(dict.fromkeys(m.reason for m in measured if m is not None and m.reason))


def finite(lines: Iterable[Line]) -> list[float]:
    """Every number of these lines that an axis has to hold."""
    return [v for line in lines for v in (*line.y, *line.low, *line.high) if math.isfinite(v)]


def _or_gap(value: float | None) -> float:
    return math.nan if value is None else value


def _tip(name: str, epoch: float, m: Measured, number: Callable[[float], str]) -> str:
    if m.value is None:
        return ""
    parts = [f"{name}, epoch {write.epoch(epoch)}: {number(m.value)}"]
    if interval := write.level(m, number):
        parts.append(f"95 %: {interval}")
    if m.n is not None:
        parts.append(write.plural(m.n, "text"))
    return ", ".join(parts)
