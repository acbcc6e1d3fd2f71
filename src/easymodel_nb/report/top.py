"""The header bar and the top of the dashboard as HTML: status, finding, values, problems."""

from collections.abc import Sequence
from html import escape

from easymodel_nb.report import numbers as write
from easymodel_nb.report.answers import sentence as as_sentence
from easymodel_nb.report.cells import Cell, cells
from easymodel_nb.report.finding import finding
from easymodel_nb.report.html import icon, strip, tag, text
from easymodel_nb.report.story import METHODS, facts, settings
from easymodel_nb.runlog.view import RunView
from easymodel_nb.workflow.sweeps import spelled

_STATUS = {
    "queued": ("clock", "Queued"),
    "running": ("play", "Running"),
    "finished": ("check", "Finished"),
    "stopped": ("stop", "Stopped"),
    "failed": ("cross", "Failed"),
    "interrupted": ("triangle", "Interrupted"),
}
_STOPPED = {
    "user": "You stopped it",
    "signal": "The process was told to end",
    "time_budget": "The time budget was used up",
    "sentinel": "A check stopped it",
    "cancelled": "Cancelled before it began",
}
_MOST_WARNINGS = 3


def header_html(view: RunView, others: Sequence[RunView]) -> str:
    """The bar: status, which run, and how far it is."""
    name = tag(
        "span",
        escape(run_label(view, others))
        + ", "
        + text("time", write.moment(view.created), datetime=view.created),
        "emnb-run",
    )
    right = text("span", progress(view), "emnb-progress-text")
    return tag("div", status_html(view) + name + right, "emnb-bar")


def status_html(view: RunView) -> str:
    """The status of a run: an icon and a word."""
    mark, word = _STATUS[view.status]
    if view.request.get("recorded"):  # it is played again: nothing trains
        word = f"{word}, recorded"
    return tag("span", icon(mark) + escape(word), f"emnb-status emnb-is-{view.status}")


def run_label(view: RunView, others: Sequence[RunView]) -> str:
    """Which run it is: its number by time among the project's, method and learning rate."""
    ids = sorted({view.id, *(other.id for other in others)})
    parts = [f"Run {ids.index(view.id) + 1}"]
    known = settings(view)
    if variant := view.request.get("variant"):  # of a sweep: what differs says which it is
        return f"{parts[0]}, {spelled(variant)}"
    if method := METHODS.get(known["method"] or ""):
        parts.append(method)
    if rate := known["learning_rate"]:
        parts.append(f"lr {write.learning_rate(rate)}")
    return ", ".join(parts)


def progress(view: RunView) -> str:
    """How far it is, or why it ended early."""
    if view.status == "running":
        parts = []
        if view.max_steps and view.step:
            parts.append(f"step {view.step:,} of {view.max_steps:,}")
        if view.seconds_left is not None:
            parts.append(f"about {write.about(view.seconds_left)} left")
        elif view.stage.seconds_left is not None:  # of the run nothing is known yet
            parts.append(f"about {write.about(view.stage.seconds_left)} left of this stage")
        return ", ".join(parts)
    if view.status == "stopped":
        return _STOPPED.get(view.reason or "", "")
    if view.status in {"interrupted", "failed"} and view.max_steps:
        return f"at step {view.step:,} of {view.max_steps:,}"
    return ""


def top_html(view: RunView) -> str:
    """Finding, facts, problem and warnings, headline values."""
    sentence = finding(view)
    parts = [text("div", sentence, "emnb-finding", role="heading", aria_level="2")]
    if line := facts(view):
        parts.append(text("p", line.replace(" %", "\u00a0%"), "emnb-facts"))
    if view.status == "running" and view.stage.message not in {"", sentence}:
        parts.append(text("p", view.stage.message, "emnb-stage"))
    if view.problem is not None:
        parts.append(strip("err", "Failed.", view.problem.message))
    parts += [strip("warn", "Note.", w.message) for w in view.warnings[:_MOST_WARNINGS]]
    if len(view.warnings) > _MOST_WARNINGS:
        rest = write.plural(len(view.warnings) - _MOST_WARNINGS, "more note")
        parts.append(text("p", f"{rest} in the run's log.", "emnb-caption"))
    values = cells(view)
    if values:
        parts.append(tag("div", "".join(_cell(cell) for cell in values), "emnb-values"))
    return "".join(parts)


def _cell(cell: Cell) -> str:
    value = text("span", cell.value, "emnb-value")
    notes = "".join(text("div", note, "emnb-note") for note in cell.notes)
    if cell.reason:  # stands in sight: this is the first that is read of a run
        value = text("span", "n/a", "emnb-na")
        notes = text("div", as_sentence(cell.reason), "emnb-note emnb-why", title=cell.reason)
    aside = text("span", cell.aside, f"emnb-aside emnb-{cell.mood}") if cell.aside else ""
    return tag(
        "div",
        text("div", cell.label, "emnb-note") + tag("div", value + aside) + notes,
        "emnb-cell4",
    )
