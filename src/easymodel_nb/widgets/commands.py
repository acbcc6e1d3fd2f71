"""What each command of the view does. Every handler returns within milliseconds."""

import json
from collections.abc import Callable
from typing import Protocol

from pydantic import BaseModel

from easymodel_nb.errors import Problem, StudioError, problem_error
from easymodel_nb.store.projects import Conflict, Project
from easymodel_nb.train.auditing.audited import Audit
from easymodel_nb.widgets.rpc import (
    AuditResult,
    CommitParams,
    CommitResult,
    CompareViewParams,
    DownloadPartParams,
    DownloadPartResult,
    ExportParams,
    ExportResult,
    Handler,
    JobParams,
    JobResult,
    NodeParams,
    ProjectNewParams,
    ProjectParams,
    ProjectRenameParams,
    ProjectResult,
    PullParams,
    PushParams,
    PushPlanResult,
    ResumeParams,
    RpcError,
    RunDetails,
    RunParams,
    SamplesViewParams,
    SettingsParams,
    StopParams,
    TakeParams,
    TokenParams,
    TrainParams,
    TrainResult,
    TryParams,
    UploadBeginParams,
    UploadBeginResult,
    UploadChunkParams,
    UploadChunkResult,
    UploadEndParams,
    UploadEndResult,
    UploadParams,
)
from easymodel_nb.widgets.session import Session
from easymodel_nb.widgets.state import Theme
from easymodel_nb.widgets.templates import options, title_of, workflow_of
from easymodel_nb.workflow.document import Workflow

_DOCUMENT_BYTES = 1_000_000
_LOG_LINES = 200


class Screen(Protocol):
    """What the commands need of the view's side."""

    def publish(self) -> None:
        """Show what changed, now."""

    def pull(self, seen: dict[str, int]) -> None:
        """Show what changed and send what was missed."""

    def theme(self, name: Theme) -> None:
        """Colour what Python colours."""


class Commands:
    """The handlers; `handlers` is what `rpc` calls."""

    def __init__(self, session: Session, screen: Screen) -> None:
        self._session, self._store, self._screen = session, session.store, screen
        silent: dict[str, Callable[..., object]] = {
            "pull": self._pull,
            "run_details": self._run_details,
            "variables": self._variables,
            "audit": self._audit,
            "export": self._export,
            "push_plan": self._push_plan,
            "download_part": self._download_part,
            "upload_begin": self._upload_begin,
            "upload_chunk": self._upload_chunk,
            "upload_end": self._upload_end,
            "upload_cancel": self._upload_cancel,
        }
        shown: dict[str, Callable[..., object]] = {
            "commit": self._commit,
            "train": self._train,
            "stop": self._stop,
            "project_new": self._project_new,
            "project_rename": self._project_rename,
            "project_switch": self._project_switch,
            "project_duplicate": self._project_duplicate,
            "project_delete": self._project_delete,
            "settings": self._settings,
            "token": self._token,
            "show_run": self._show_run,
            "samples_view": self._samples_view,
            "compare_view": self._compare_view,
            "try_prompt": self._try_prompt,
            "try_stop": self._try_stop,
            "fit_check": self._fit_check,
            "resume": self._resume,
            "take": self._take,
            "measure": self._measure,
            "report": self._report,
            "push": self._push,
            "job_cancel": self._job_cancel,
        }
        self.handlers: dict[str, Handler] = {
            **{name: self._handler(work, shown=False) for name, work in silent.items()},
            **{name: self._handler(work, shown=True) for name, work in shown.items()},
        }
        self.moved = False

    def _handler(self, work: Callable[..., object], *, shown: bool) -> Handler:
        def handle(params: BaseModel) -> BaseModel | None:
            if self.moved:
                raise RpcError("moved", "This studio moved to a newer cell; go on there.")
            result = work(params)
            if shown:
                self._screen.publish()
            return result if isinstance(result, BaseModel) else None

        return handle

    # ------------------------------------------------------------ document and runs

    def _pull(self, params: PullParams) -> None:
        self._screen.pull(params.seen)

    def _commit(self, params: CommitParams) -> CommitResult:
        text = json.dumps(params.document, ensure_ascii=False, default=str)
        # Half an emoji, which JavaScript can make, is no text and could not be sent back.
        content = text.encode("utf-8", "replace")
        if len(content) > _DOCUMENT_BYTES:
            raise problem_error(
                "workflow.large",
                f"This workflow takes {len(content) / 1e6:.1f} MB and can take 1 MB. Shorten its "
                "notes.",
            )
        workflow = Workflow.read(json.loads(content))
        try:
            saved = self._store.save(params.project_id, workflow, params.base_rev)
        except Conflict as conflict:
            raise RpcError(
                "conflict",
                str(conflict),
                {"rev": conflict.revision, "document": conflict.document},
            ) from None
        return CommitResult(rev=saved.revision)

    def _project_at(self, rev: int | None) -> Project:
        """The open project, where it has the revision that the view means."""
        project = self._session.project()
        if rev is not None and rev != project.revision:
            raise RpcError(
                "stale",
                f"The kernel has revision {project.revision} of this project, not {rev}; "
                "the changes have to be saved first.",
                {"rev": project.revision},
            )
        return project

    def _train(self, params: TrainParams) -> TrainResult:
        project = self._project_at(params.rev)
        if blocking := self._session.audits.blocking(project.workflow, params.node):
            raise StudioError(blocking)
        runs = self._session.manager.submit(
            project.workflow,
            params.node,
            project_id=project.id,
            token=self._session.tokens.token,
        )
        self._session.chosen_run = None  # the dashboard follows what is under way
        return TrainResult(runs=[run.id for run in runs])

    def _stop(self, params: StopParams) -> None:
        self._session.manager.stop(params.run)

    def _resume(self, params: ResumeParams) -> TrainResult:
        run = self._session.manager.resume(params.run, token=self._session.tokens.token)
        self._session.chosen_run = None
        return TrainResult(runs=[run.id])

    # ------------------------------------------------------------ the gate, code, models

    def _audit(self, params: NodeParams) -> AuditResult:
        audits = self._session.audits.of(self._project_at(params.rev).workflow)
        return AuditResult(audit=audits.get(params.node, Audit()))

    def _fit_check(self, params: NodeParams) -> None:
        self._session.audits.measure(self._project_at(params.rev).workflow, params.node)

    def _export(self, params: ExportParams) -> ExportResult:
        workflow = self._project_at(params.rev).workflow
        return self._session.exports.ask(workflow, params.node, params.to)

    def _measure(self, params: RunParams) -> JobResult:
        return JobResult(job=self._session.jobs.measure(params.run))

    def _take(self, params: TakeParams) -> JobResult:
        return JobResult(job=self._session.jobs.take(params.run, params.what))

    def _report(self, params: RunParams) -> JobResult:
        others = self._session.views()
        return JobResult(job=self._session.jobs.report(params.run, others))

    def _download_part(self, params: DownloadPartParams) -> DownloadPartResult:
        return DownloadPartResult.of(*self._session.jobs.part(params.job, params.offset))

    def _push_plan(self, params: PushParams) -> PushPlanResult:
        return self._session.jobs.plan(params)

    def _push(self, params: PushParams) -> JobResult:
        return JobResult(job=self._session.jobs.push(params))

    def _job_cancel(self, params: JobParams) -> None:
        self._session.jobs.cancel(params.job)

    # ------------------------------------------------------------ runs

    def _show_run(self, params: RunParams) -> None:
        self._session.manager.view(params.run)
        self._session.chosen_run = params.run

    def _samples_view(self, params: SamplesViewParams) -> None:
        self._session.manager.view(params.run)
        changes = params.model_dump(exclude={"run"}, exclude_none=True)
        self._session.choices.see_samples(params.run, changes)

    def _compare_view(self, params: CompareViewParams) -> None:
        changes = params.model_dump(exclude_none=True)
        self._session.choices.see_compare(self._session.project().id, changes)

    def _try_prompt(self, params: TryParams) -> None:
        self._session.tries.ask(params.run, params.text, params.pair)

    def _try_stop(self, _params: BaseModel) -> None:
        self._session.tries.stop()

    def _run_details(self, params: RunParams) -> RunDetails:
        run = self._session.manager.run(params.run)
        return RunDetails(
            plan=run.plan,
            detail=run.view.detail,
            log=self._session.manager.log_lines(params.run)[-_LOG_LINES:],
            metrics=run.metric_rows(),
        )

    # ------------------------------------------------------------ data of the user's

    def _variables(self, _params: BaseModel) -> None:
        self._session.look_at_variables()

    def _upload_begin(self, params: UploadBeginParams) -> UploadBeginResult:
        name, path = self._session.uploads.begin(params.name, params.size, params.sha256)
        return UploadBeginResult(id=name, path=str(path) if path else None)

    def _upload_chunk(self, params: UploadChunkParams) -> UploadChunkResult:
        received = self._session.uploads.chunk(params.id, params.offset, params.buffer)
        return UploadChunkResult(received=received)

    def _upload_end(self, params: UploadEndParams) -> UploadEndResult:
        return UploadEndResult(path=str(self._session.uploads.end(params.id, params.sha256)))

    def _upload_cancel(self, params: UploadParams) -> None:
        self._session.uploads.cancel(params.id)

    # ------------------------------------------------------------ projects

    def _project_new(self, params: ProjectNewParams) -> ProjectResult:
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

    def _project_rename(self, params: ProjectRenameParams) -> None:
        self._store.rename(params.project_id, params.name)

    def _project_switch(self, params: ProjectParams) -> ProjectResult:
        return self._opened(params.project_id)

    def _project_duplicate(self, params: ProjectParams) -> ProjectResult:
        return self._opened(self._store.duplicate(params.project_id).id)

    def _project_delete(self, params: ProjectParams) -> ProjectResult:
        views = self._session.manager.views()
        if any(view.active for view in views if view.project_id == params.project_id):
            raise problem_error(
                "project.training", "This project is training. Stop its runs, then delete it."
            )
        self._store.delete(params.project_id)
        return self._opened(self._session.project().id)

    def _opened(self, project_id: str) -> ProjectResult:
        return ProjectResult(project_id=self._session.open(project_id).id)

    # ------------------------------------------------------------ settings

    def _settings(self, params: SettingsParams) -> None:
        if params.theme is not None:
            self._store.settings.remember(theme=params.theme)
            self._screen.theme(params.theme)

    def _token(self, params: TokenParams) -> None:
        self._session.type_token(params.token)


def as_studio_error(error: RpcError) -> StudioError:
    """The error as Python code gets it."""
    return StudioError(Problem(code=error.code, message=str(error)))
