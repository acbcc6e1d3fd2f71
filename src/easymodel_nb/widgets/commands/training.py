"""Runs: queued, stopped, resumed; the gate before them and code instead of them."""

from pathlib import Path

from pydantic import BaseModel

from easymodel_nb.errors import StudioError
from easymodel_nb.runlog import destinations
from easymodel_nb.store.projects import Project
from easymodel_nb.train.auditing.asking import source_of
from easymodel_nb.train.auditing.audited import Audit
from easymodel_nb.train.requests import begun_from
from easymodel_nb.widgets.cards import card
from easymodel_nb.widgets.commands.group import Group
from easymodel_nb.widgets.methods import (
    AuditResult,
    CompareViewParams,
    ExportParams,
    ExportResult,
    NodeParams,
    NodeRunsParams,
    NodeRunsResult,
    QueueMoveParams,
    ResumeParams,
    RunDestination,
    RunDestinations,
    RunDetails,
    RunParams,
    SamplesViewParams,
    StopParams,
    TrainParams,
    TrainResult,
    TryParams,
)
from easymodel_nb.workflow.check import check, training_order

_LOG_LINES = 200
_OLDER = 20


class TrainingCommands(Group):
    """Runs: queued, stopped, resumed; the gate before them and code instead of them."""

    silent = ("audit", "export", "run_details", "node_runs")
    shown = (
        "train",
        "stop",
        "queue_move",
        "resume",
        "fit_check",
        "show_run",
        "samples_view",
        "compare_view",
        "try_prompt",
        "try_stop",
    )

    def train(self, params: TrainParams) -> TrainResult:
        """Queue one node, or all."""
        project = self._session.at(params.rev)
        self._bring_models(project, params.node)
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

    def _bring_models(self, project: Project, node: str | None) -> None:
        """Refuse to go on from a model that is on the mirror alone; it is brought first."""
        mirroring, workflow = self._session.mirroring, project.workflow
        if mirroring is None or any(p.severity == "error" for p in check(workflow, node)):
            return
        order = [node] if node is not None else training_order(workflow)
        views = self._session.views()
        for feeding in (source_of(workflow, name, "model") for name in order):
            if feeding.type == "finetune" and feeding.id not in order:
                run = begun_from(feeding, views)
                if run is not None:
                    mirroring.refuse_model_away(run, feeding.title)

    def stop(self, params: StopParams) -> None:
        """Stop one run, those of a project, or all."""
        manager = self._session.manager
        if params.project_id is None or params.run is not None:
            manager.stop(params.run)
            return
        active = [v for v in manager.views() if v.active and v.project_id == params.project_id]
        # What waits goes first, so that none of it begins when the one under way ends.
        for view in sorted(active, key=lambda view: (view.status != "queued", view.id)):
            manager.stop(view.id)

    def queue_move(self, params: QueueMoveParams) -> None:
        """Put a waiting run at another place."""
        self._session.manager.move(params.run, params.place)

    def node_runs(self, params: NodeRunsParams) -> NodeRunsResult:
        """Earlier runs of a node."""
        queue = self._session.manager.queue()
        mine = [view for view in self._session.views() if view.node_id == params.node]
        older = [view for view in mine if params.before is None or view.id < params.before]
        shown = [card(view, queue, spark=False) for view in older[:_OLDER]]
        return NodeRunsResult(runs=shown, more=len(older) > _OLDER)

    def resume(self, params: ResumeParams) -> TrainResult:
        """Go on with a run."""
        run = self._session.manager.resume(params.run, token=self._session.tokens.token)
        self._session.chosen_run = None
        return TrainResult(runs=[run.id])

    def audit(self, params: NodeParams) -> AuditResult:
        """What the gate says of a node now."""
        audits = self._session.audits.of(self._session.at(params.rev).workflow)
        return AuditResult(audit=audits.get(params.node, Audit()))

    def fit_check(self, params: NodeParams) -> None:
        """Measure a node on this machine."""
        self._session.audits.measure(self._session.at(params.rev).workflow, params.node)

    def export(self, params: ExportParams) -> ExportResult:
        """A node as plain code."""
        workflow = self._session.at(params.rev).workflow
        return self._session.exports.ask(workflow, params.node, params.to)

    def run_details(self, params: RunParams) -> RunDetails:
        """The plan, log and numbers of a run."""
        run = self._session.manager.run(params.run)
        return RunDetails(
            request=run.view.request,
            plan=run.plan,
            detail=run.view.detail,
            log=self._session.manager.log_lines(params.run)[-_LOG_LINES:],
            metrics=run.metric_rows(),
            destinations=_destinations(run.folder),
        )

    def show_run(self, params: RunParams) -> None:
        """Show a run in the dashboard."""
        self._session.manager.view(params.run)
        self._session.chosen_run = params.run

    def samples_view(self, params: SamplesViewParams) -> None:
        """Choose what is shown of a run's samples."""
        self._session.manager.view(params.run)
        changes = params.model_dump(exclude={"run"}, exclude_none=True)
        self._session.choices.see_samples(params.run, changes)

    def compare_view(self, params: CompareViewParams) -> None:
        """Choose which runs are compared, and how."""
        changes = params.model_dump(exclude_none=True)
        self._session.choices.see_compare(self._session.project().id, changes)

    def try_prompt(self, params: TryParams) -> None:
        """Let base and tuned answer a text."""
        self._session.tries.ask(params.run, params.text, params.pair)

    def try_stop(self, _params: BaseModel) -> None:
        """Stop the answers to a text."""
        self._session.tries.stop()


def _destinations(folder: Path) -> RunDestinations | None:
    known = destinations.read(folder)
    if known is None:
        return None
    found = [RunDestination(where=d.where, said=destinations.said(d)) for d in known.found]
    return RunDestinations(sentence=known.sentence, found=found, unseen=known.unseen)
