"""What the workbench shows of runs and projects: pure functions from views to snapshots."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from easymodel_nb.report import numbers as write
from easymodel_nb.report.finding import finding
from easymodel_nb.report.points import outcome, values
from easymodel_nb.runlog.headline import PERPLEXITY, measured_at, metrics_of
from easymodel_nb.runlog.view import RunView
from easymodel_nb.store.projects import ProjectInfo
from easymodel_nb.store.trash import Deleted
from easymodel_nb.train.requests import source_run
from easymodel_nb.widgets.state import (
    Job,
    Keeping,
    ProjectItem,
    ProjectsState,
    QueueItem,
    RunCard,
    RunsState,
    TrashItem,
)
from easymodel_nb.workflow.document import FinetuneData
from easymodel_nb.workflow.labels import TASK_TITLES
from easymodel_nb.workflow.sweeps import spelled

SPARK_POINTS = 160
# The newest runs travel with each beat, and each node's latest; the rest is on disk.
_CARDS = 50

_STOPPED = {
    "user": "You stopped it.",
    "cancelled": "Cancelled before it started.",
    "signal": "The machine or the terminal asked it to end.",
    "time_budget": "Its time budget was used up.",
    "sentinel": "Training had gone wrong.",
}


# The cards of ended runs by id: the view and the sparkline they were made of, and the card.
Ended = dict[str, tuple[RunView, bool, RunCard]]


def runs_state(
    views: Sequence[RunView],
    project_id: str,
    queue: Sequence[str],
    shown: str | None,
    ended: Ended | None = None,
    jobs: Sequence[Job] = (),
    *,
    names: Mapping[str, str] | None = None,
    best: Collection[str] = (),
) -> RunsState:
    """The runs of one project, newest first, and what the dashboard shows of them.

    `ended` keeps the cards of runs that nothing changes any more from call to call, `names` are
    those of the projects, `best` the best runs of their sweeps.
    """
    known = {} if ended is None else ended
    mine = of_project(views, project_id)
    latest = latest_of_nodes(mine)
    sweeps = {view.request.get("sweep") for view in mine if view.id in latest} - {None}
    kept = [
        view
        for number, view in enumerate(mine)
        if number < _CARDS or view.id in latest or view.request.get("sweep") in sweeps
    ]
    titles = {view.id: title(view) for view in views if view.active}
    return RunsState(
        items=[
            _beside(_card(view, queue, known, spark=view.id in latest), view, titles, best)
            for view in kept
        ],
        jobs=list(jobs),
        shown=shown,
        queue=len(queue),
        **_everywhere(views, queue, titles, names or {}),
    )


def _beside(
    made: RunCard, view: RunView, titles: Mapping[str, str], best: Collection[str]
) -> RunCard:
    """The card with what other runs say of it."""
    if view.id in best:
        return made.model_copy(update={"best": True})
    if view.status == "queued" and (needed := titles.get(source_run(view.request))):
        return made.model_copy(update={"waits_for": needed})
    return made


def _everywhere(
    views: Sequence[RunView],
    queue: Sequence[str],
    titles: Mapping[str, str],
    names: Mapping[str, str],
) -> dict[str, list[QueueItem]]:
    """What waits and what is under way in every project of the home."""

    def item(view: RunView) -> QueueItem:
        done = fraction(view) if view.status == "running" else None
        variant = spelled(view.request.get("variant") or {})
        return QueueItem(
            run=view.id,
            node_id=view.node_id,
            project_id=view.project_id,
            project=names.get(view.project_id or "", ""),
            title=titles[view.id].removesuffix(f" · {variant}"),
            variant=variant,
            place=queue.index(view.id) if view.id in queue else None,
            waits_for=titles.get(source_run(view.request)) if view.status == "queued" else None,
            fraction=None if done is None else round(done, 2),
        )

    found = sorted((item(view) for view in views if view.active), key=lambda i: i.run)
    running = {view.id for view in views if view.status == "running"}
    waiting = [item for item in found if item.run not in running]
    return {
        "under_way": [item for item in found if item.run in running],
        "waiting": sorted(waiting, key=lambda i: len(queue) if i.place is None else i.place),
    }


def title(view: RunView) -> str:
    """The name of a run's node, with the variant of a sweep."""
    label = (view.request.get("node") or {}).get("label")
    return str(label or "Finetuning")


def _card(view: RunView, queue: Sequence[str], ended: Ended, *, spark: bool) -> RunCard:
    found = ended.get(view.id)
    if found is not None and found[0] is view and found[1] == spark:
        return found[2]
    made = card(view, queue, spark=spark)
    if not view.active:
        ended[view.id] = (view, spark, made)
    return made


def of_project(views: Sequence[RunView], project_id: str) -> list[RunView]:
    """The views of one project's runs, newest first."""
    mine = (view for view in views if view.project_id == project_id)
    return sorted(mine, key=lambda view: view.id, reverse=True)


def latest_of_nodes(views: Sequence[RunView]) -> set[str]:
    """The id of the run each node shows: the one under way, else its newest."""
    chosen: dict[str, RunView] = {}
    for view in views:
        known = chosen.get(view.node_id)
        if known is None or (view.status == "running" and known.status != "running"):
            chosen[view.node_id] = view
    return {view.id for view in chosen.values()}


def shown_run(views: Sequence[RunView], chosen: str | None) -> str | None:
    """The run of the dashboard: the one the user chose, else one under way, else the newest."""
    if any(view.id == chosen for view in views):
        return chosen
    for wanted in ({"running"}, {"finished", "stopped", "failed", "interrupted"}, {"queued"}):
        if found := next((view.id for view in views if view.status in wanted), None):
            return found
    return None


def projects_state(
    projects: Sequence[ProjectInfo],
    active: str,
    views: Sequence[RunView],
    trash: Sequence[Deleted] = (),
    keeping: Keeping | None = None,
) -> ProjectsState:
    """The project list with its last and active runs; one pass over the runs for all of them."""
    last: dict[str, RunView] = {}
    training: dict[str, float] = {}
    for view in views:
        project_id = view.project_id or ""
        if project_id not in last or view.id > last[project_id].id:
            last[project_id] = view
        if view.active:
            # Whole percents: the list is not sent again for less.
            share = round(fraction(view) or 0.0, 2)
            training[project_id] = max(training.get(project_id, 0.0), share)
    items = [
        ProjectItem(
            id=project.id,
            name=project.name,
            last_run=last[project.id].created if project.id in last else None,
            training=training.get(project.id),
        )
        for project in projects
    ]
    gone = [TrashItem(id=one.id, name=one.name, deleted=one.deleted) for one in trash]
    return ProjectsState(active=active, items=items, trash=gone, keeping=keeping or Keeping())


def card(view: RunView, queue: Sequence[str], *, spark: bool = True) -> RunCard:
    """One run as the node and the inspector show it."""
    return RunCard(
        id=view.id,
        node_id=view.node_id,
        status=view.status,
        created=view.created,
        started=view.started,
        ended=view.ended,
        stage=view.stage,
        fraction=fraction(view),
        step=view.step,
        max_steps=view.max_steps,
        epoch=view.epoch,
        epochs=view.epochs,
        loss=view.loss,
        tokens_per_second=view.tokens_per_second,
        seconds_left=view.seconds_left,
        memory_bytes=view.memory_bytes,
        queue_position=queue.index(view.id) if view.id in queue else None,
        spark=sparkline(view) if spark else [],
        summary=summary(view),
        headline=headline(view),
        reason=reason(view),
        problem=view.problem,
        warnings=view.warnings,
        model_path=view.model_path,
        method=method(view),
        resumable=view.resumable,
        resumed_from=view.resumed_from,
        variant=spelled(view.request.get("variant") or {}),
        sweep=view.request.get("sweep"),
        metric=metrics_of(view)[0].name,
        result="" if view.active else result(view),
    )


def fraction(view: RunView) -> float | None:
    """The share of all steps done; None before the number of steps is known."""
    if view.status == "finished":
        return 1.0
    if view.max_steps <= 0:
        return None
    return round(min(1.0, view.step / view.max_steps), 4)


def sparkline(view: RunView) -> list[float]:
    """The training loss, thinned to what a sparkline can show; first and last stay."""
    losses = [point.loss for point in view.curve if point.loss is not None]
    if len(losses) > SPARK_POINTS:
        last = len(losses) - 1
        places = (round(i * last / (SPARK_POINTS - 1)) for i in range(SPARK_POINTS))
        losses = [losses[place] for place in places]
    return [float(f"{loss:.4g}") for loss in losses]


def summary(view: RunView) -> str:
    """What was trained, in one line: "Generation, 3 epochs, batch 8, 900 rows, full"."""
    plan = view.plan or {}
    drawn: dict[str, Any] = view.request.get("node", {}).get("data", {})
    try:
        data = FinetuneData.model_validate(plan.get("finetune") or drawn)
    except ValidationError:
        return ""
    rows = plan.get("dataset", {}).get("train_rows") or data.subset_size
    parts = [
        TASK_TITLES[data.task],
        f"{data.epochs} epoch{'s' * (data.epochs != 1)}",
        f"batch {data.batch_size}",
        f"{rows:,} rows" if rows else "all rows",
        {"lora": "LoRA", "qlora": "QLoRA"}.get(data.method, data.method),
    ]
    return ", ".join(parts)


def method(view: RunView) -> str:
    """How it was trained: full, lora or qlora."""
    plan = view.plan or {}
    drawn = view.request.get("node", {}).get("data", {})
    return str((plan.get("finetune") or drawn).get("method") or "full")


def headline(view: RunView) -> str | None:
    """What came of an ended run, in the dashboard's own words; None before it was measured."""
    key = metrics_of(view)[0].key
    measured = any(p.epoch > 0 and measured_at(p.analytics, key) for p in view.points)
    if not measured or view.active:
        return None
    return f"{finding(view)}{kept(view)}"


def result(view: RunView) -> str:
    """The number a run is judged by with its interval: "13.2 (12.6 to 13.8)"; "" without one."""
    metric = metrics_of(view)[0]
    found = outcome(view, values(view, metric.key))
    if found is None or found.measured.value is None:
        return ""
    written = write.perplexity if metric is PERPLEXITY else write.score
    level = write.level(found.measured, written)
    return written(found.measured.value) + (f" ({level})" if level else "")


def kept(view: RunView) -> str:
    """Which epoch early stopping kept, where it had a say: what goes behind the headline."""
    epoch = view.summary.get("kept_epoch")
    if view.status != "finished" or epoch is None:
        return ""
    early = "stopped early, " if view.summary.get("stopped_early") else ""
    return f"; {early}epoch {epoch} is kept"


def reason(view: RunView) -> str | None:
    """Why it was stopped, and which epoch's model it kept where that is not the last step's."""
    if not view.reason:
        return None
    if isinstance(skipped := view.summary.get("why"), str):
        return skipped
    why = _STOPPED.get(view.reason, view.reason)
    if view.reason == "sentinel":  # in the words of what ended it
        why = next((w.message for w in reversed(view.warnings) if w.severity == "error"), why)
    epoch = view.summary.get("kept_epoch")
    return why if epoch is None else f"{why} The model of epoch {epoch} is kept."
