"""Where an attempt begins: at the first step, or at a checkpoint of one before it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from easymodel_nb.environment import Device
from easymodel_nb.errors import Problem, problem_error
from easymodel_nb.runlog.log import read_view
from easymodel_nb.runlog.view import RunView
from easymodel_nb.train import checkpoints, precision
from easymodel_nb.train.analytics import store
from easymodel_nb.train.analytics.store import Store
from easymodel_nb.train.checkpoints import Found
from easymodel_nb.train.data.fingerprint import fingerprint
from easymodel_nb.train.plan import Choice, RunPlan
from easymodel_nb.train.reporter import Reporter

if TYPE_CHECKING:
    from easymodel_nb.train.preparation import Preparation

_LOSSY = ("bf16", "fp16")


@dataclass(frozen=True)
class Start:
    """What is done already when an attempt begins."""

    found: Found | None = None  # None: from the first step
    measured: frozenset[int] = frozenset()  # steps whose point is in the log

    @property
    def step(self) -> int:
        """The whole steps that are done."""
        return self.found.step if self.found is not None else 0


def begin(plan: RunPlan, reporter: Reporter, environment: dict[str, Any]) -> Start:
    """Log that the attempt starts and, where it is not the first, from which step it goes on."""
    view = read_view(reporter.folder)
    again = reporter.attempt > 1
    found, problems = None, list[Problem]()
    if again:
        root = reporter.folder / checkpoints.FOLDER
        found, problems = checkpoints.find(root, checkpoints.identity(plan))
    reporter.event("run_started", attempt=reporter.attempt, plan=plan, environment=environment)
    if not again:
        return Start()
    step = found.step if found is not None else 0
    before = [point for point in view.curve if point.step <= step]
    reporter.event(
        "run_resumed",
        attempt=reporter.attempt,
        step=step,
        loss_before=before[-1].loss if before else None,
    )
    reporter.live(
        at_once=True,
        step=step,
        max_steps=plan.max_steps,
        epoch=round(step / plan.steps_per_epoch, 4),
    )
    told = checkpoints.other_versions(found) if found is not None else None
    for problem in [*problems, *([told] if told else [])]:
        reporter.event("warning", problem=problem)
    if found is None and view.step > 0:
        reporter.warn(
            "resume.beginning",
            "The run begins again at step 0: "
            + ("none of its checkpoints can be used." if problems else "it had no checkpoint yet."),
        )
    view = read_view(reporter.folder)
    measured = frozenset(point.step for point in view.points)
    sampled = frozenset(int(item["step"]) for item in view.samples)
    store.keep(reporter.folder, measured | sampled)
    _tell_answers(reporter, view, sampled)
    return Start(found, measured)


def _tell_answers(reporter: Reporter, view: RunView, told: Collection[int]) -> None:
    """Answers that are on disk, of an attempt that was cut off before it could say so."""
    kept = Store(reporter.folder)
    for point in view.points:
        if point.step not in told and (rows := kept.rows(point.step)):
            reporter.event("samples", step=point.step, epoch=point.epoch, rows=len(rows))


def unfit(plan: RunPlan, device: Device) -> bool:
    """Whether this device had better compute in 32 bits than as the run does."""
    kind = plan.finetune.precision
    if device.kind == "cuda" or kind not in _LOSSY:
        return False
    return not (device.kind == "cpu" and kind == "bf16" and precision.bf16_slowdown() <= 1)


def moved(plan: RunPlan, device: Device) -> tuple[RunPlan, Problem]:
    """The plan for another device than the one the run began on, and what to say of it."""
    data, changes = plan.finetune, ""
    update: dict[str, Any] = {"device": device.name}
    if unfit(plan, device):
        why = f"the run went on with {device.name}, where {data.precision} is slow or unknown"
        changes = f", in 32 bits instead of {data.precision}"
        choice = Choice(field="precision", value="fp32", reason=why)
        others = [c for c in plan.choices if c.field != "precision"]
        update |= {
            "finetune": data.model_copy(update={"precision": "fp32"}),
            "choices": [*others, choice],
        }
    told = Problem(
        code="resume.device",
        severity="note",
        message=f"The run began on {plan.device} and goes on with {device.name}{changes}. Its "
        "numbers may differ a little from those of a run on one device.",
        node=plan.node_id,
    )
    return plan.model_copy(update=update), told


def same_data(plan: RunPlan, ready: "Preparation") -> None:
    """Refuse to go on with other rows than those the run began with.

    Raises
    ------
    StudioError
        On the dataset node, with what to do.

    """
    drawn = ready.drawn
    same = fingerprint(drawn.train) == plan.dataset.fingerprint
    measured = plan.dataset.eval_fingerprint
    if same and (measured is None or fingerprint(drawn.evaluation) == measured):
        return
    which = "trained" if not same else "measured"
    raise problem_error(
        "resume.data_changed",
        f"The {which} rows are not those this run began with: {plan.dataset.name} has changed "
        "since. Put the data back as it was and resume, or train again as a new run.",
        node=ready.dataset_node,
        field="source",
    )


def same_model(plan: RunPlan, architecture: str, parameters: int, node: str) -> None:
    """Refuse to go on with another model than the one the run began with.

    Raises
    ------
    StudioError
        On the model's node, with what to do.

    """
    if (architecture, parameters) == (plan.model.architecture, plan.model.parameters):
        return
    raise problem_error(
        "resume.model_changed",
        f"{plan.model.name} is another model now ({architecture}, {parameters:,} weights) than "
        f"when this run began ({plan.model.architecture}, {plan.model.parameters:,} weights). Put "
        "it back and resume, or train again as a new run.",
        node=node,
        field="source",
    )
