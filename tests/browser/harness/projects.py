"""Puts a project into a home before any studio opens it."""

from pathlib import Path
from typing import Any

from easymodel_nb.runlog.log import RunReader, runs_folder
from easymodel_nb.runlog.view import RunView
from easymodel_nb.store.first import ensure_project
from easymodel_nb.store.projects import ProjectStore

QUICK = {
    "epochs": 3,
    "subset_size": 60,
    "max_length": 32,
    "batch_size": 8,
    "max_new_tokens": 4,
    "accept": ["rows.cut"],
}
"""The first project, so small that a run takes seconds; it still has six measured points.

Most rows are longer than that, which the gate asks about: it is accepted.
"""

WHOLE = {**QUICK, "max_length": 128, "accept": []}
"""The same with its rows whole."""

LONG = {**QUICK, "epochs": 1000}
"""One that does not end by itself."""


def prepare(home: Path, finetune: dict[str, Any], dataset: dict[str, Any] | None = None) -> str:
    """Make the first project with these fields changed; its id."""
    store = ProjectStore(home)
    project = ensure_project(store)
    workflow = project.workflow
    for node in workflow.nodes:
        node.data |= {"finetune": finetune, "dataset": dataset or {}}.get(node.type, {})
    return store.save(project.id, workflow, project.revision).id


def saved(home: Path, project_id: str) -> dict[str, Any]:
    """A project's document as it is on disk."""
    return ProjectStore(home).load(project_id).workflow.dump()


def runs(home: Path) -> list[RunView]:
    """The runs of a home, oldest first."""
    return [RunReader(folder).view() for folder in sorted(runs_folder(home).glob("*"))]
