"""What was measured on the answers of a run, at its fully measured points, and why it was not."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import ValidationError

from easymodel_nb.measured import Measured
from easymodel_nb.report.figures import Action, Empty
from easymodel_nb.report.points import kept_epoch
from easymodel_nb.report.waiting import ended_before, when
from easymodel_nb.runlog.headline import details
from easymodel_nb.runlog.view import EpochPoint, RunView

Group = Literal["quality", "semantics", "efficiency"]
_JUDGE = ("judge", "encoder", "minilm")
_GONE = (
    "not on this machine",
    "missing",
    "not there",
    "pip install",
    "not installed",
    "could not be loaded",
)
_FAILED = ("could not be measured", "failed", "error")
_NO_BUDGET = "The run was given no time for it: its analytics budget is 0."
_BASE_ALONE = "Only the base model was measured: no epoch of the training was."
_NOT_ASKED = "The run was made without it."


def fully(view: RunView, group: Group) -> list[EpochPoint]:
    """The points at which the answers were measured, by epoch."""
    found = [p for p in view.points if getattr(p.analytics, group) is not None]
    return sorted(found, key=lambda p: p.epoch)


def base_of(view: RunView, group: Group) -> EpochPoint | None:
    """The point of the base model."""
    return next((p for p in fully(view, group) if p.epoch == 0), None)


def shown(view: RunView, group: Group) -> EpochPoint | None:
    """The trained point a panel speaks of: the kept epoch, else the last that was measured."""
    trained = [p for p in fully(view, group) if p.epoch > 0]
    kept = kept_epoch(view)
    return next((p for p in trained if p.epoch == kept), trained[-1] if trained else None)


def at_point(point: EpochPoint | None, name: str) -> Mapping[str, Any]:
    """An entry of the details of a point; empty where there is none."""
    entry = details(point.analytics).get(name) if point is not None else None
    return entry if isinstance(entry, Mapping) else {}


def at_start(view: RunView, name: str) -> Any:
    """An entry of the details of the base model, such as `noise`; None where there is none."""
    return next(
        (
            found[name]
            for p in view.points
            if p.epoch == 0 and name in (found := details(p.analytics))
        ),
        None,
    )


def typed(raw: Any) -> Measured | None:
    """A number of the details, which the log holds untyped."""
    if isinstance(raw, Measured):
        return raw
    try:
        return Measured.model_validate(raw) if isinstance(raw, Mapping) else None
    except ValidationError:
        return None


def reference(view: RunView, axis: str) -> Measured | None:
    """What the human references score on an axis, or `overall`."""
    found = at_start(view, "references")
    return typed(found.get(axis)) if isinstance(found, Mapping) else None


def noise(view: RunView, name: str) -> Measured | None:
    """How far two sampled runs of the base model are from each other: what noise alone does."""
    found = at_start(view, "noise")
    return typed(found.get(name)) if isinstance(found, Mapping) else None


def judges(view: RunView) -> dict[str, str]:
    """The judge of each axis, "id@hash"."""
    found = at_start(view, "judges")
    if not isinstance(found, Mapping):
        return {}
    return {str(axis): str(judge) for axis, judge in found.items() if judge and axis != "note"}


def judged_by(found: Mapping[str, str]) -> list[str]:
    """Who judged, without the hashes, for a caption: models first, then what had none."""
    parts = [(axis, part) for axis, judge in found.items() for part in judge.split(" + ")]
    names = dict.fromkeys(part.partition("@")[0] for _, part in parts if "@" in part)
    bare: dict[str, list[str]] = {}
    for axis, part in parts:
        if "@" not in part:
            bare.setdefault(part, []).append(axis)
    told = [f"judged by {', '.join(names)}"] if names else []
    return told + [f"{' and '.join(axes)}: {part}" for part, axes in bare.items()]


def grouped(name: str, alone: str) -> str:
    """What divides the data, for a caption; `alone` where nothing does."""
    if not name:
        return alone
    if "quart" in name.lower():
        return "Groups by length, in quarters"
    return f"Groups from the column {name}"


def value(measured: Measured | None, scale: float = 1.0) -> float:
    """The number times `scale`, or NaN, which a figure leaves out."""
    return math.nan if measured is None or measured.value is None else measured.value * scale


def nothing(
    view: RunView,
    what: str,
    group: Group,
    due: Iterable[Measured | None] = (),
    *,
    height: int = 226,
) -> Empty:
    """What keeps the place of a figure: why it is not there, what helps, or when it comes.

    `due` are the numbers that should have been there, the most telling first.
    """
    why = next((m.reason for m in due if m is not None and m.reason), "")
    if why:
        return Empty(
            f"{what} is not computed",
            sentence(why),
            failed=any(word in why.lower() for word in _FAILED),
            action=remedy(view, why),
            height=height,
        )
    if refused := _refused(view):
        return Empty(f"{what} is not computed", refused, action=_later(view), height=height)
    if view.active:
        first = base_of(view, group) is None and not view.points
        begins = "Of the base model before training, then " if first else ""
        told = f"{begins}{when(view, due_epoch(view, group))}"
        return Empty(f"{what} comes here", told[:1].upper() + told[1:], height=height)
    begun = base_of(view, group) is not None
    told = ended_before(view, "a trained epoch was measured" if begun else "it was measured")
    told = told or (_BASE_ALONE if begun else _NOT_ASKED)
    helps = _later(view) if _unjudged(view, group) else None
    return Empty(f"{what} is not computed", told, action=helps, height=height)


def _unjudged(view: RunView, group: Group) -> bool:
    """Whether answers are stored of a point that was not judged."""
    judged = {p.step for p in fully(view, group)}
    return any(item.get("step") not in judged for item in view.samples)


def due_epoch(view: RunView, group: Group) -> float:
    """The next epoch whose answers the budget has measured; the next whole one by default."""
    done = max((p.epoch for p in fully(view, group)), default=0.0)
    plan = at_start(view, "budget")
    epochs = plan.get("epochs") if isinstance(plan, Mapping) else None
    later = [float(e) for e in epochs or () if isinstance(e, int | float) and e > done]
    ahead = [e for e in later if e >= view.epoch] or later
    return min(ahead) if ahead else max(1.0, math.floor(max(done, view.epoch)) + 1.0)


def sentence(text: str) -> str:
    """The same with a capital at its beginning and a full stop at its end."""
    ended = text if text.endswith((".", "!", "?")) else f"{text}."
    return ended[:1].upper() + ended[1:]


def remedy(view: RunView, why: str) -> Action | None:
    """The button beside a reason: a judge that is missing can be fetched afterwards."""
    told = why.lower()
    missing = any(word in told for word in _JUDGE) and any(word in told for word in _GONE)
    if not missing or not view.samples or view.active:
        return None
    from easymodel_nb.metrics.obtainable import ENCODER  # noqa: PLC0415  numpy

    return Action(ENCODER.label, "measure", {"run": view.id})


def remedy_of(view: RunView, due: Iterable[Measured | None]) -> Action | None:
    """The remedy of the first of these numbers that has one."""
    found = (remedy(view, m.reason) for m in due if m is not None and m.reason)
    return next((action for action in found if action is not None), None)


def _later(view: RunView) -> Action | None:
    """What was written can be measured afterwards."""
    if not view.samples or view.active:
        return None
    return Action("Measure the stored answers", "measure", {"run": view.id})


def _refused(view: RunView) -> str:
    """Why the run gave no time to its answers; empty where it did, or has not decided yet."""
    decided = at_start(view, "budget")
    if isinstance(decided, Mapping):
        reason = decided.get("reason")
        return sentence(reason) if isinstance(reason, str) and reason else ""
    planned = (view.plan or {}).get("finetune")
    share = planned.get("analytics_budget") if isinstance(planned, Mapping) else None
    return _NO_BUDGET if share == 0 else ""
