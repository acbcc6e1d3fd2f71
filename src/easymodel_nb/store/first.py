"""The first project: a built-in model and data set, connected, ready to train."""

from easymodel_nb.errors import StudioError
from easymodel_nb.store.projects import Project, ProjectStore
from easymodel_nb.store.templates import FIRST, generation
from easymodel_nb.workflow.document import Workflow

NAME = FIRST


def first_workflow() -> Workflow:
    """The first project's workflow: the template of generation."""
    return generation()


def ensure_project(store: ProjectStore) -> Project:
    """The project to open: the remembered one, else any, else the first one, made now."""
    with store.transaction():
        settings = store.settings.read()
        ids = [info.id for info in store.list_projects()]
        for project_id in (settings.active, *ids):
            if project_id in ids:
                try:
                    project = store.load(project_id)
                except StudioError:  # from a newer version: kept, listed, not opened
                    continue
                store.settings.remember(active=project.id)
                return project
        project = store.create(NAME, first_workflow())
        store.settings.remember(active=project.id, first_project=project.id)
        return project
