"""The bar at the top of the dashboard: status, which run, how far it is, and what to do with it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from easymodel_nb.report import numbers as write
from easymodel_nb.report.controls import Option, form, select
from easymodel_nb.report.html import icon, tag, text
from easymodel_nb.report.top import progress, run_label, status_html
from easymodel_nb.runlog.view import RunView
from easymodel_nb.widgets.dashboard.boxes import html_box, plain_box, put


class Header:
    """The bar; how far the run is stands in HTML of its own, as it changes all the time."""

    def __init__(self) -> None:
        self._run = html_box("emnb-bar-run")
        self._progress = html_box("emnb-bar-progress")
        self._actions = html_box("emnb-bar-actions")
        bar = plain_box("emnb-bar", self._run, self._progress, self._actions)
        self.box = plain_box("emnb-dash-header", bar)

    def show(self, view: RunView, others: Sequence[RunView], *, comparing: bool = False) -> None:
        """Show this run among the project's others."""
        put(self._run, run_html(view, others))
        put(self._progress, text("span", progress(view), "emnb-progress-text"))
        put(self._actions, actions_html(view, others, comparing=comparing))


def run_html(view: RunView, others: Sequence[RunView]) -> str:
    """Status, and the menu of the project's runs; one run alone needs no menu."""
    status = status_html(view)
    runs = sorted([view, *others], key=lambda run: run.id, reverse=True)
    if len(runs) == 1:
        return status + text("span", _named(view, others), "emnb-run")
    options = [Option(run.id, _named(run, [o for o in runs if o is not run])) for run in runs]
    menu = select("run", options, view.id, label="Run that is shown")
    return status + form("shown-run", menu, command="show_run", label="Run", classes="emnb-run")


def _named(view: RunView, others: Sequence[RunView]) -> str:
    return f"{run_label(view, others)}, {write.moment(view.created)}"


def actions_html(view: RunView, others: Sequence[RunView], *, comparing: bool = False) -> str:
    """What can be done with the run that is shown; what cannot be done is not there."""
    run = {"run": view.id}
    parts = []
    if others:
        parts.append(
            _action(
                "compare", "Compare", "compare_view", {"open": not comparing}, pressed=comparing
            )
        )
    if view.points or view.curve:
        parts.append(_action("file", "Report", "report", run))
    if view.model_path:
        zip_it = "Download the model as a zip"
        parts.append(_action("download", "", "take", {**run, "what": "zip"}, name=zip_it))
    if view.model_path and view.status == "finished":
        parts.append(_action("upload", "Push to Hub", "open_push", run, quiet=False))
    return "".join(parts)


def _action(
    mark: str,
    label: str,
    command: str,
    params: Mapping[str, Any],
    *,
    name: str = "",
    quiet: bool = True,
    pressed: bool | None = None,
) -> str:
    """A button with an icon; the workbench's script hears what it commands."""
    shown = icon(mark) + (text("span", label) if label else "")
    return tag(
        "button",
        shown,
        "emnb-button emnb-action" + (" emnb-quiet" if quiet else ""),
        type="button",
        data_em_command=command,
        data_em_params=json.dumps(params),
        data_em_key=f"action-{mark}",
        data_lm_suppress_shortcuts="true",
        aria_label=name,
        title=name,
        aria_pressed="" if pressed is None else str(pressed).lower(),
    )
