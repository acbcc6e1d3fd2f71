"""The events of a run: one JSON object a line in `runs/<id>/events.jsonl`."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from easymodel_nb.errors import Problem
from easymodel_nb.runlog.analytics import Analytics

StageName = Literal[
    "queued", "loading", "preparing", "baseline", "training", "evaluating", "saving"
]
Unit = Literal["bytes", "rows", "texts", "steps"]
StopReason = Literal["user", "signal", "time_budget", "sentinel", "cancelled"]


class _Event(BaseModel):
    model_config = ConfigDict(extra="allow")

    seq: int
    time: str
    run_id: str


class RunCreated(_Event):
    """Line 0, written when the run is queued."""

    type: Literal["run_created"] = "run_created"
    project_id: str | None = None
    node_id: str
    request: dict[str, Any]


class Stage(_Event):
    """The run entered a stage, or its sentence changed for good."""

    type: Literal["stage"] = "stage"
    stage: StageName
    message: str
    done: float | None = None
    total: float | None = None
    unit: Unit | None = None
    seconds_left: float | None = None


class RunStarted(_Event):
    """An attempt begins; the plan is frozen from here."""

    type: Literal["run_started"] = "run_started"
    attempt: int
    plan: dict[str, Any]
    environment: dict[str, Any]


class Progress(_Event):
    """A training step; `loss` is the token-weighted mean since the last such line."""

    type: Literal["progress"] = "progress"
    step: int
    max_steps: int
    epoch: float
    epochs: float
    loss: float | None = None
    learning_rate: float | None = None
    grad_norm: float | None = None
    tokens_per_second: float | None = None
    seconds_left: float | None = None
    memory_bytes: int | None = None


class Epoch(_Event):
    """A measured point; `epoch` is a whole number, or between two for the points in between."""

    type: Literal["epoch"] = "epoch"
    step: int
    epoch: float
    analytics: Analytics


class MeasuredLater(_Event):
    """More was measured of a point of the run, from what it wrote down: its texts, its scores.

    It may follow the end of the run, which it does not reopen.
    """

    type: Literal["measured"] = "measured"
    step: int
    epoch: float
    analytics: Analytics


class Samples(_Event):
    """Generations were written to samples.jsonl; `rows` counts them."""

    type: Literal["samples"] = "samples"
    step: int
    epoch: float
    rows: int


class Checkpoint(_Event):
    """A checkpoint was written; `path` is relative to the run's folder."""

    type: Literal["checkpoint"] = "checkpoint"
    step: int
    path: str
    bytes: int


class Warned(_Event):
    """Something the user should know."""

    type: Literal["warning"] = "warning"
    problem: Problem


class RunResumed(_Event):
    """The attempt goes on from `step`; later lines of earlier attempts no longer count."""

    type: Literal["run_resumed"] = "run_resumed"
    attempt: int
    step: int
    loss_before: float | None = None


class RunFinished(_Event):
    """The attempt ended well."""

    type: Literal["run_finished"] = "run_finished"
    summary: dict[str, Any]
    model_path: str


class RunStopped(_Event):
    """The attempt was stopped; what was trained is in `model_path` when it was kept."""

    type: Literal["run_stopped"] = "run_stopped"
    reason: StopReason
    summary: dict[str, Any] = {}
    model_path: str | None = None


class RunFailed(_Event):
    """The attempt failed; `detail` is a redacted traceback."""

    type: Literal["run_failed"] = "run_failed"
    problem: Problem
    detail: str = ""


Event = (
    RunCreated
    | Stage
    | RunStarted
    | Progress
    | Epoch
    | MeasuredLater
    | Samples
    | Checkpoint
    | Warned
    | RunResumed
    | RunFinished
    | RunStopped
    | RunFailed
)
EVENT_TYPES: frozenset[str] = frozenset(
    kind.model_fields["type"].default for kind in Event.__args__
)
_adapter: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])
_read_json: Callable[[bytes], Event] = _adapter.validator.validate_json


def parse(raw: dict[str, Any]) -> Event | None:
    """The event of one line, or None for a type this version does not know."""
    kind = raw.get("type")
    known = isinstance(kind, str) and kind in EVENT_TYPES
    return _adapter.validate_python(raw) if known else None


def parse_line(line: bytes) -> tuple[object, Event | None]:
    """The `seq` of a line and its event, None for a type this version does not know.

    Raises
    ------
    ValueError
        When it is no such line.

    """
    try:
        event = _read_json(line)  # in one pass: a log may have 100,000 lines
    except ValidationError:
        raw = json.loads(line)  # an unknown type, or text that only Python reads
        if not isinstance(raw, dict):
            return None, None
        return raw.get("seq"), parse(raw)
    return event.seq, event


def now() -> str:
    """This moment, UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def finite(value: Any) -> Any:
    """The same JSON value with null for every NaN and infinity, which JSON does not have."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value
