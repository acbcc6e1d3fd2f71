"""The state of a run: a pure fold of its events, overlaid by live.json while it is alive."""

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from easymodel_nb.errors import Problem
from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.runlog.events import (
    Checkpoint,
    Epoch,
    Event,
    MeasuredLater,
    Progress,
    RunCreated,
    RunFailed,
    RunFinished,
    RunResumed,
    RunStarted,
    RunStopped,
    Samples,
    Stage,
    StageName,
    Unit,
    Warned,
)

Status = Literal["queued", "running", "finished", "stopped", "failed", "interrupted"]
ACTIVE: frozenset[str] = frozenset({"queued", "running"})


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class StageView(_Frozen):
    """What the run is doing, as a sentence, and how far it is with it."""

    stage: StageName = "queued"
    message: str = "Waiting in the queue"
    done: float | None = None
    total: float | None = None
    unit: Unit | None = None
    seconds_left: float | None = None


class CurvePoint(NamedTuple):
    """One progress line; a log may have 100,000, so that it is no more than its numbers."""

    step: int
    epoch: float
    loss: float | None = None
    learning_rate: float | None = None
    grad_norm: float | None = None
    tokens_per_second: float | None = None
    memory_bytes: int | None = None


class EpochPoint(_Frozen):
    """One measured point."""

    step: int
    epoch: float
    analytics: Analytics


class Live(BaseModel):
    """live.json: written whole, at most 4 times a second, by the process that owns the run."""

    run_id: str
    attempt: int = 1
    pid: int
    pid_started: float
    host: str
    boot_id: str
    beat: str
    stage: StageView = StageView()
    step: int = 0
    max_steps: int = 0
    epoch: float = 0.0
    loss: float | None = None
    learning_rate: float | None = None
    tokens_per_second: float | None = None
    seconds_left: float | None = None
    memory_bytes: int | None = None


class RunView(_Frozen):
    """Everything a reader may want to know of a run."""

    id: str = ""
    project_id: str | None = None
    node_id: str = ""
    request: dict[str, Any] = {}
    created: str = ""
    started: str | None = None
    ended: str | None = None
    status: Status = "queued"
    attempt: int = 1
    stage: StageView = StageView()
    plan: dict[str, Any] | None = None
    environment: dict[str, Any] | None = None
    step: int = 0
    max_steps: int = 0
    epoch: float = 0.0
    epochs: float = 0.0
    loss: float | None = None
    learning_rate: float | None = None
    tokens_per_second: float | None = None
    seconds_left: float | None = None
    memory_bytes: int | None = None
    curve: list[CurvePoint] = []
    points: list[EpochPoint] = []
    samples: list[dict[str, Any]] = []
    checkpoints: list[dict[str, Any]] = []
    warnings: list[Problem] = []
    resumed: list[dict[str, Any]] = []
    problem: Problem | None = None
    detail: str = ""
    reason: str | None = None
    summary: dict[str, Any] = {}
    model_path: str | None = None

    @property
    def active(self) -> bool:
        """Whether the run is waiting or under way."""
        return self.status in ACTIVE

    @property
    def resumable(self) -> int | None:
        """The step it would go on from; None where there is nothing to resume."""
        if self.active or self.status == "finished":
            return None
        return max((int(found["step"]) for found in self.checkpoints), default=0)

    @property
    def resumed_from(self) -> int | None:
        """The step its last attempt went on from; None for a first attempt."""
        if not self.resumed or self.resumed[-1]["attempt"] != self.attempt:
            return None
        return int(self.resumed[-1]["step"])


def step(view: RunView, event: Event) -> RunView:
    """One step of the fold: the view after one more event."""
    return fold([event], view)


def fold(events: Iterable[Event], view: RunView | None = None) -> RunView:
    """The view of a log; the status of a run without an end is `queued` or `running`.

    The view that is given stays as it is. Its lists are copied once a fold, not once an event:
    100,000 events take half a second, not an hour.
    """
    draft = (view or RunView()).model_copy()
    fields, fresh = draft.__dict__, set[str]()
    for event in events:
        if type(event) is Progress:  # nearly all there are
            read = event.__dict__
            fields.update(zip(_LATEST, _latest_in(read), strict=True))
            if "curve" not in fresh:
                fields["curve"] = [*fields["curve"]]
                fresh.add("curve")
            fields["curve"].append(CurvePoint._make(_point_in(read)))
            continue
        changes = _changes(draft, event)
        for name, item in changes.pop(_MORE, ()):
            if name in fresh:
                fields[name].append(item)
            else:
                fields[name] = [*fields[name], item]
                fresh.add(name)
        fields.update(changes)
        fresh.difference_update(changes)
    return draft


_MORE = "+"  # of the changes: what is added to which list


_LATEST = (
    "step",
    "max_steps",
    "epoch",
    "epochs",
    "loss",
    "learning_rate",
    "tokens_per_second",
    "seconds_left",
    "memory_bytes",
)
_latest_in, _point_in = itemgetter(*_LATEST), itemgetter(*CurvePoint._fields)


def _changes(view: RunView, event: Event) -> dict[str, Any]:  # noqa: C901, PLR0911, PLR0912  one case an event type
    match event:
        case RunCreated():
            return {
                "id": event.run_id,
                "project_id": event.project_id,
                "node_id": event.node_id,
                "request": event.request,
                "created": event.time,
            }
        case Stage():
            # A stage after an end belongs to the next attempt, and so does the queue after any
            # other stage: a run that was cut off is resumed.
            return {
                **_reopened(view, again=event.stage == "queued" and view.stage.stage != "queued"),
                "stage": StageView(**event.model_dump(include=set(StageView.model_fields))),
                "status": "queued" if event.stage == "queued" else "running",
            }
        case RunStarted():
            return {
                **_reopened(view),
                "status": "running",
                "attempt": event.attempt,
                "plan": event.plan,
                "environment": event.environment,
                "started": view.started or event.time,
                "epochs": event.plan.get("epochs", view.epochs),
                "max_steps": event.plan.get("max_steps") or view.max_steps,
            }
        case Progress():
            return {}  # the fold has done it
        case Epoch():
            measured = EpochPoint(step=event.step, epoch=event.epoch, analytics=event.analytics)
            return {_MORE: [("points", measured)]}
        case MeasuredLater():
            return {
                "points": [
                    p.model_copy(update={"analytics": p.analytics.merged(event.analytics)})
                    if p.step == event.step
                    else p
                    for p in view.points
                ]
            }
        case Samples():
            return {_MORE: [("samples", _plain(event))]}
        case Checkpoint():
            return {_MORE: [("checkpoints", _plain(event))]}
        case Warned():
            return {_MORE: [("warnings", event.problem)]}
        case RunResumed():
            return {
                "attempt": event.attempt,
                "step": event.step,
                _MORE: [("resumed", _plain(event))],
                **{
                    name: [item for item in getattr(view, name) if _step_of(item) <= event.step]
                    for name in ("curve", "points", "samples", "checkpoints")
                },
            }
        case RunFinished():
            return {
                "status": "finished",
                "ended": event.time,
                "summary": event.summary,
                "model_path": event.model_path,
                "seconds_left": None,
            }
        case RunStopped():
            return {
                "status": "stopped",
                # A long run does not tell each step; the last ones may not have been told.
                "step": max(view.step, event.summary.get("steps") or 0),
                "ended": event.time,
                "reason": event.reason,
                "summary": event.summary,
                # What an attempt before it kept lies there still.
                "model_path": event.model_path or view.model_path,
                "seconds_left": None,
            }
        case RunFailed():
            return {
                "status": "failed",
                "ended": event.time,
                "problem": event.problem,
                "detail": event.detail,
                "seconds_left": None,
            }


def _reopened(view: RunView, *, again: bool = False) -> dict[str, Any]:
    if view.ended is None and not again:
        return {}
    return {
        "ended": None,
        "problem": None,
        "detail": "",
        "reason": None,
        "summary": {},
        "attempt": view.attempt + 1,
    }


def _plain(event: Event) -> dict[str, Any]:
    return event.model_dump(mode="json", exclude={"seq", "run_id", "type"})


def _step_of(item: Any) -> int:
    return int(item["step"] if isinstance(item, dict) else item.step)


def overlay(view: RunView, live: Live | None, alive: Callable[[Live], bool]) -> RunView:
    """The view of an unended run with what its owner last said, or as interrupted."""
    if view.status not in ACTIVE:
        return view
    if live is None or not alive(live):
        return view.model_copy(update={"status": "interrupted", "seconds_left": None})
    if live.attempt < view.attempt or (live.max_steps and live.step < view.step):
        return view
    update: dict[str, Any] = {
        "stage": live.stage,
        "status": "queued" if live.stage.stage == "queued" else "running",
        "memory_bytes": live.memory_bytes or view.memory_bytes,
    }
    if live.max_steps:  # else it has not come to its steps: those of the attempt before stand
        update |= live.model_dump(
            include={
                "step",
                "max_steps",
                "epoch",
                "learning_rate",
                "tokens_per_second",
                "seconds_left",
            }
        )
        update["loss"] = live.loss if live.loss is not None else view.loss
    return view.model_copy(update=update)
