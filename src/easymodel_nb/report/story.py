"""What the head of the dashboard says of a run's circumstances: model, data, rows, time, device."""

from collections.abc import Mapping
from typing import Any

from easymodel_nb.report import numbers as write
from easymodel_nb.report.points import kept_epoch
from easymodel_nb.runlog.headline import details
from easymodel_nb.runlog.view import RunView

METHODS = {"full": "Full", "lora": "LoRA", "qlora": "QLoRA"}


def facts(view: RunView) -> str:
    """Model on data set, rows, duration, device, and which epoch was kept."""
    model, data = _source(view, "model"), _source(view, "dataset")
    what = f"{model} on {data}." if model and data else f"{model or data}." if model or data else ""
    rows = train_rows(view)
    took = write.between(view.started, view.ended)
    device = (view.environment or {}).get("device")
    how = ", ".join(
        part
        for part in (
            write.plural(rows, "row") if rows is not None else "",
            write.duration(took) if took is not None else "",
        )
        if part
    )
    if isinstance(device, str) and device:
        how = f"{how} on {device}" if how else f"On {device}"
    kept = kept_epoch(view)
    sentences = (what, f"{how}." if how else "", _kept(kept), _judged(view))
    return " ".join(sentence for sentence in sentences if sentence)


def _kept(kept: float | None) -> str:
    return f"Epoch {write.epoch(kept)} was kept." if kept is not None else ""


def _judged(view: RunView) -> str:
    """Which answers were judged within the budget, and where the base model's numbers are from."""
    start = next((details(p.analytics) for p in view.points if p.epoch == 0), {})
    budget, base = start.get("budget"), start.get("baseline")
    told = budget.get("sentence") if isinstance(budget, Mapping) else None
    refused = isinstance(budget, Mapping) and budget.get("reason")
    done = "Answers judged" if view.status == "finished" else "Answers to be judged"
    parts = [str(told) if refused else f"{done}: {told}"] if told else []
    if isinstance(base, Mapping) and base.get("from"):
        parts.append("The base model was measured by an earlier run.")
    return " ".join(parts)


def _source(view: RunView, role: str) -> str:
    """The short name of a source: the last part of an id, path or address."""
    source = _part(view.plan, role).get("source") or _part(_part(view.request, role), "data").get(
        "source"
    )
    if not isinstance(source, str):
        return ""
    bare = source.removeprefix("builtin:").removeprefix("variable:")
    return bare.replace("\\", "/").rstrip("/").rpartition("/")[2]


def train_rows(view: RunView) -> int | None:
    """How many rows it is trained on, once the plan says."""
    rows = _part(view.plan, "dataset").get("train_rows")
    return rows if isinstance(rows, int) else None


def settings(view: RunView) -> dict[str, Any]:
    """The method and the learning rate: as planned, before that as drawn."""
    drawn = _part(_part(view.request, "node"), "data")
    planned = _part(view.plan, "finetune")
    return {
        "method": (view.plan or {}).get("method") or drawn.get("method"),
        "learning_rate": planned.get("learning_rate") or drawn.get("learning_rate"),
    }


def _part(whole: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    part = (whole or {}).get(name)
    return part if isinstance(part, Mapping) else {}
