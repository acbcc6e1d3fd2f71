"""Projects: opened, made, renamed, laid in order, deleted and restored, as files."""

from easymodel_nb.errors import problem_error
from easymodel_nb.widgets import portable
from easymodel_nb.widgets.commands.group import Group
from easymodel_nb.widgets.methods import (
    ProjectExportParams,
    ProjectExportResult,
    ProjectImportParams,
    ProjectImportResult,
    ProjectMoveParams,
    ProjectNewParams,
    ProjectParams,
    ProjectRenameParams,
    ProjectResult,
    TrashParams,
)
from easymodel_nb.widgets.templates import options, title_of, workflow_of
from easymodel_nb.workflow.document import Workflow


class ProjectCommands(Group):
    """Projects: opened, made, renamed, laid in order, deleted and restored, as files."""

    silent = ("project_export",)
    shown = (
        "project_new",
        "project_rename",
        "project_switch",
        "project_duplicate",
        "project_move",
        "project_delete",
        "project_restore",
        "trash_empty",
        "project_import",
        "project_take",
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
        return self._opened(self._created(params.name or title, workflow))

    def project_rename(self, params: ProjectRenameParams) -> None:
        """Give a project another name."""
        self._session.holding.refuse(params.project_id)
        self._store.rename(params.project_id, params.name)

    def project_switch(self, params: ProjectParams) -> ProjectResult:
        """Open a project."""
        return self._opened(params.project_id)

    def project_duplicate(self, params: ProjectParams) -> ProjectResult:
        """Copy a project and open the copy."""
        return self._opened(self._store.duplicate(params.project_id).id)

    def project_move(self, params: ProjectMoveParams) -> None:
        """Change a project's place in the list."""
        self._store.move(params.project_id, params.before)

    def project_delete(self, params: ProjectParams) -> ProjectResult:
        """Move a project to the trash; when it is open, its neighbour in the list is opened."""
        gone = params.project_id
        views = self._session.manager.views()
        if any(view.active for view in views if view.project_id == gone):
            raise problem_error(
                "project.training", "This project is training. Stop its runs, then delete it."
            )
        open_now = self._session.project().id
        with self._store.transaction():
            self._session.holding.refuse(gone)
            shown = [info.id for info in self._store.list_projects()]
            self._store.delete(gone)
        if open_now != gone or len(shown) < 2 or gone not in shown:  # noqa: PLR2004  itself and one
            return self._opened(self._session.project().id)
        at = shown.index(gone)
        return self._opened(shown[at + 1] if at + 1 < len(shown) else shown[at - 1])

    def project_restore(self, params: ProjectParams) -> None:
        """Take a project out of the trash, back to its place in the list."""
        self._store.restore(params.project_id)

    def trash_empty(self, params: TrashParams) -> None:
        """Throw deleted projects away for good."""
        self._store.trash.empty(params.project_ids)

    def project_export(self, params: ProjectExportParams) -> ProjectExportResult:
        """Make one file of a project."""
        parcel = portable.pack(self._store.load(params.project_id), paths=params.paths)
        return ProjectExportResult(name=parcel.name, text=parcel.text, left_out=parcel.left_out)

    def project_import(self, params: ProjectImportParams) -> ProjectImportResult:
        """Make a project of an exported file, and open it."""
        workflow = portable.unpack(params.text)
        project_id = self._created(workflow.name, workflow)
        if params.open:
            self._session.open(project_id)
        return ProjectImportResult(project_id=project_id, missing=portable.missing(workflow))

    def project_take(self, params: ProjectParams) -> None:
        """Edit here what another notebook has open; it is read-only there from now on."""
        self._store.load(params.project_id)
        self._session.holding.take_over(params.project_id)

    def _created(self, wanted: str, workflow: Workflow) -> str:
        with self._store.transaction():
            name = self._store.free_name(" ".join(wanted.split())[:110] or "Untitled")
            return self._store.create(name, workflow).id

    def _opened(self, project_id: str) -> ProjectResult:
        return ProjectResult(project_id=self._session.open(project_id).id)
