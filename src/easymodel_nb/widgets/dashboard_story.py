"""What the head of the dashboard says of a run: one finding, one line of facts, four values."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Literal, NamedTuple

from easymodel_nb.measured import Measured
from easymodel_nb.runlog.view import RunView
from easymodel_nb.widgets import dashboard_numbers as write
from easymodel_nb.widgets.dashboard_points import (
    Point,
    base,
    kept_epoch,
    known,
    points,
    result,
    verdict,
)

METHODS = {"full": "Full", "lora": "LoRA", "qlora": "QLoRA"}
_NAME = "Validation perplexity"


def finding(view: RunView) -> str:
    """The one sentence, saying only what the intervals carry."""
    found = points(view)
    before, after = base(found), result(view, found)
    if after is None or after.validation is None or after.validation.value is None:
        return _before_training(view, before)
    now = write.perplexity(after.validation.value)
    span = _span(after.epoch) + (" so far" if view.status == "running" else "")
    if before is None or before.value is None:
        return f"{_NAME} is {now} after {span}"
    was = write.perplexity(before.value)
    says = verdict(before, after.validation)
    if says == "unclear":
        return f"No clear change in validation perplexity: {was} before, {now} after {span}"
    if says == "unknown":
        return f"{_NAME} is {now} after {span}, {was} before"
    return f"{_NAME} {says} from {was} to {now} in {span}{_lowest(found, after)}"


def _span(epoch: float) -> str:
    return "1 epoch" if epoch == 1 else f"{write.epoch(epoch)} epochs"


def _lowest(found: Sequence[Point], after: Point) -> str:
    """Where it was lowest, if that was clearly lower than at the end."""
    trained = [p for p in found if p.epoch > 0 and p.validation is not None and known(p.validation)]
    best = min(trained, key=lambda p: getattr(p.validation, "value", None) or float("inf"))
    clearly = verdict(best.validation, after.validation) == "rose"
    return f", lowest at epoch {write.epoch(best.epoch)}" if clearly else ""


def _before_training(view: RunView, before: Measured | None) -> str:
    if view.status == "queued":
        return "Waiting for its turn"
    if view.status == "running":
        return view.stage.message
    if before is not None and before.value is not None:
        return f"{_NAME} of the base model is {write.perplexity(before.value)}"
    return {
        "finished": "The run finished without a perplexity",
        "failed": "The run failed before anything was measured",
        "stopped": "The run was stopped before anything was measured",
    }.get(view.status, "The run was interrupted before anything was measured")


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
    sentences = (what, f"{how}." if how else "", _kept(kept))
    return " ".join(sentence for sentence in sentences if sentence)


def _kept(kept: float | None) -> str:
    return f"Epoch {write.epoch(kept)} was kept." if kept is not None else ""


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


class Cell(NamedTuple):
    """A headline value; `aside` is the change beside it, `notes` the lines below."""

    label: str
    value: str
    aside: str = ""
    mood: Literal["good", "bad", "none"] = "none"
    notes: tuple[str, ...] = ()
    reason: str = ""  # why there is no value


def cells(view: RunView) -> list[Cell]:
    """The headline values of which something is known, or of which it is known why not."""
    found = points(view)
    after = result(view, found)
    at = after or (found[-1] if found else None)
    made = [
        _perplexity(found, after),
        _level("Train perplexity", at.train if at else None, "text"),
        _bits(view, at),
        _speed(view),
    ]
    return [cell for cell in made if cell is not None]


def _perplexity(found: Sequence[Point], after: Point | None) -> Cell | None:
    before = base(found)
    if after is None or after.validation is None or after.validation.value is None:
        last = found[-1].validation if found else None
        return _level(f"{_NAME}, base" if known(last) else _NAME, last, "text")
    m = after.validation
    says = verdict(before, m)
    notes = [write.level(m)]
    aside = ""
    if before is not None and before.value:
        aside = write.percent((m.value or 0.0) / before.value - 1)
        notes.append(f"base {write.perplexity(before.value)}")
        if says == "unclear":
            aside = "no clear change"
    mood: Literal["good", "bad", "none"] = (
        "good" if says == "fell" else "bad" if says == "rose" else "none"
    )
    return Cell(
        _NAME,
        write.perplexity(m.value or 0.0),
        aside,
        mood,
        _lines(", ".join(note for note in notes if note), _n(m, "text")),
    )


def _level(label: str, m: Measured | None, unit: str) -> Cell | None:
    if m is None:
        return None
    if m.value is None:
        return Cell(label, "", reason=m.reason or "")
    return Cell(label, write.significant(m.value), notes=_lines(write.level(m), _n(m, unit)))


def _bits(view: RunView, at: Point | None) -> Cell | None:
    by_epoch = {p.epoch: p.analytics.task.get("bits_per_byte") for p in view.points}
    now = by_epoch.get(at.epoch) if at else None
    if now is None:
        now = next((m for m in reversed(list(by_epoch.values())) if m is not None), None)
    cell = _level("Bits per byte", now, "text")
    before = by_epoch.get(0)
    if cell is None or before is None or before.value is None or now is before:
        return cell
    return cell._replace(
        notes=(
            ", ".join([*cell.notes[:1], f"base {write.significant(before.value)}"]),
            *cell.notes[1:],
        )
    )


def _speed(view: RunView) -> Cell | None:
    """Speed: live while it trains, the median of the readings afterwards."""
    if view.status == "running" and view.tokens_per_second:
        return Cell("Tokens/s", write.rate(view.tokens_per_second), notes=("now",))
    readings = [p.tokens_per_second for p in view.curve if p.tokens_per_second]
    if not readings:
        return None
    return Cell(
        "Tokens/s",
        write.rate(median(readings)),
        notes=(f"median of {write.plural(len(readings), 'reading')}",),
    )


def _lines(*notes: str) -> tuple[str, ...]:
    return tuple(note for note in notes if note)


def _n(m: Measured, unit: str) -> str:
    return write.plural(m.n, unit) if m.n is not None else ""
