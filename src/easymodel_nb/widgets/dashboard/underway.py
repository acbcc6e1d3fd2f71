"""The job that judges a run's answers, told where it was asked for: beside the button."""

from dataclasses import replace

from easymodel_nb.report.content import PanelContent
from easymodel_nb.report.figures import Action, Empty
from easymodel_nb.report.html import text
from easymodel_nb.widgets.state import Job

MEASURE = "measure"
_OPEN = frozenset({"waiting", "working"})


def told(content: PanelContent | None, job: Job | None) -> PanelContent | None:
    """The content with what the job says in place of the button that began it."""
    if content is None or job is None:
        return content
    figures = tuple(
        replace(figure, action=_now(figure.action, job)) if isinstance(figure, Empty) else figure
        for figure in content.figures
    )
    return replace(content, figures=figures, action=_now(content.action, job))


def _now(action: Action | None, job: Job) -> Action | None:
    if action is None or action.command != MEASURE:
        return action
    if job.state in _OPEN:
        return Action("Cancel", "job_cancel", {"job": job.id}, note=_progress(job))
    failed = job.state == "failed"
    return replace(action, note="" if job.state == "done" else job.message, failed=failed)


def _progress(job: Job) -> str:
    if job.done is None or not job.total:
        return job.message
    return f"{job.message}, {min(1.0, job.done / job.total):.0%}"


def note_html(action: Action | None) -> str:
    """How far it is, or why it failed; of its own, so that a button is not made anew under a click.

    Empty where there is nothing to say.
    """
    if action is None or not action.note:
        return ""
    if action.failed:
        return text("p", action.note, "emnb-em-error", role="alert")
    return text("p", action.note, "emnb-remedy-note", role="status")
