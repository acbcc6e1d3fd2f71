"""Projects: opened, made, renamed, deleted."""

from easymodel_nb.errors import problem_error
from easymodel_nb.widgets.commands.group import Group
from easymodel_nb.widgets.methods import (
    ProjectNewParams,
    ProjectParams,
    ProjectRenameParams,
    ProjectResult,
)
from easymodel_nb.widgets.templates import options, title_of, workflow_of
from easymodel_nb.workflow.document import Workflow


class ProjectCommands(Group):
    """Projects: opened, made, renamed, deleted."""

    shown = (
        "project_new",
        "project_rename",
        "project_switch",
        "project_duplicate",
        "project_delete",
    )

    def project_new(self, params: ProjectNewParams) -> ProjectResult:
        """Create a project and open it."""
        workflow = Workflow() if params.template is None else workflow_of(params.template)
        if workflow is None:
            known = ", ".join(option.name for option in options())
            raise problem_error(
                "template.unknown",
                f"There is no template {params.template!r}; there are {known}.",
            )
        title = "Untitled" if params.template is None else title_of(params.template)
        wanted = params.name or title
        with self._store.transaction():
            project = self._store.create(self._store.free_name(wanted), workflow)
        return self._opened(project.id)

    def project_rename(self, params: ProjectRenameParams) -> None:
        """Give a project another name."""
        self._store.rename(params.project_id, params.name)

    def project_switch(self, params: ProjectParams) -> ProjectResult:
        """Open a project."""
        return self._opened(params.project_id)

    def project_duplicate(self, params: ProjectParams) -> ProjectResult:
        """Copy a project and open the copy."""
        return self._opened(self._store.duplicate(params.project_id).id)

    def project_delete(self, params: ProjectParams) -> ProjectResult:
        """Move a project to the trash."""
        views = self._session.manager.views()
        if any(view.active for view in views if view.project_id == params.project_id):
            raise problem_error(
                "project.training", "This project is training. Stop its runs, then delete it."
            )
        self._store.delete(params.project_id)
        return self._opened(self._session.project().id)

    def _opened(self, project_id: str) -> ProjectResult:
        return ProjectResult(project_id=self._session.open(project_id).id)
