"""The four headline values of a run."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import Literal, NamedTuple

from easymodel_nb.measured import Measured
from easymodel_nb.report import numbers as write
from easymodel_nb.report.finding import NAME
from easymodel_nb.report.points import (
    Point,
    at_epoch,
    base,
    constant,
    known,
    outcome,
    points,
    result,
    values,
    verdict,
)
from easymodel_nb.runlog.headline import PERPLEXITY, Metric, metrics_of
from easymodel_nb.runlog.view import RunView

Mood = Literal["good", "bad", "none"]
_MOST = 4


class Cell(NamedTuple):
    """A headline value; `aside` is the change beside it, `notes` the lines below."""

    label: str
    value: str
    aside: str = ""
    mood: Mood = "none"
    notes: tuple[str, ...] = ()
    reason: str = ""  # why there is no value


def cells(view: RunView) -> list[Cell]:
    """The headline values of which something is known, or of which it is known why not."""
    main, *others = metrics_of(view)
    made = _of_language(view) if main is PERPLEXITY else [_of_task(view, main)]
    made += [_of_task(view, metric) for metric in others]
    kept = [cell for cell in made if cell is not None][: _MOST - 1]
    speed = _speed(view)
    return [*kept, speed] if speed is not None else kept


def _of_language(view: RunView) -> list[Cell | None]:
    found = points(view)
    after = result(view, found)
    at = after or (found[-1] if found else None)
    if len(metrics_of(view)) > 1:  # the task's own numbers take the other places
        return [_perplexity(found, after)]
    return [
        _perplexity(found, after),
        _level("Train perplexity", at.train if at else None, "text"),
        _bits(view, at),
    ]


def _of_task(view: RunView, metric: Metric) -> Cell | None:
    """A number of the task beside the base model's, else beside that of a constant guess."""
    found = values(view, metric.key)
    label = metric.title
    after = outcome(view, found)
    if after is None:
        last = found[-1].measured if found else None
        return _level(f"{label}, base" if known(last) else label, last, "text", write.score)
    start = next((v.measured for v in found if v.epoch == 0 and known(v.measured)), None)
    guess = constant(at_epoch(view, metric.baseline, after.epoch)) if metric.baseline else None
    before, named = (start, "base") if start is not None else (guess, "majority class")
    m = after.measured
    notes = [write.level(m, write.score)]
    aside = ""
    mood: Mood = "none"
    if before is not None and before.value is not None:
        notes.append(f"{named} {write.score(before.value)}")
        says = verdict(before, m)
        aside = write.difference(before.value, m.value or 0.0)
        if says == "unclear":
            aside = "no clear change" if named == "base" else "not clearly more"
        mood = _mood(says, higher=metric.higher)
    return Cell(
        label,
        write.score(m.value or 0.0),
        aside,
        mood,
        _lines(", ".join(note for note in notes if note), _n(m, "text")),
    )


def _mood(says: str, *, higher: bool) -> Mood:
    if says not in {"rose", "fell"}:
        return "none"
    return "good" if (says == "rose") == higher else "bad"


def _perplexity(found: Sequence[Point], after: Point | None) -> Cell | None:
    before = base(found)
    if after is None or after.validation is None or after.validation.value is None:
        last = found[-1].validation if found else None
        return _level(f"{NAME}, base" if known(last) else NAME, last, "text")
    m = after.validation
    says = verdict(before, m)
    notes = [write.level(m)]
    aside = ""
    if before is not None and before.value:
        aside = write.percent((m.value or 0.0) / before.value - 1)
        notes.append(f"base {write.perplexity(before.value)}")
        if says == "unclear":
            aside = "no clear change"
    return Cell(
        NAME,
        write.perplexity(m.value or 0.0),
        aside,
        _mood(says, higher=False),
        _lines(", ".join(note for note in notes if note), _n(m, "text")),
    )


def _level(
    label: str,
    m: Measured | None,
    unit: str,
    number: Callable[[float], str] = write.significant,
) -> Cell | None:
    if m is None:
        return None
    if m.value is None:
        return Cell(label, "", reason=m.reason or "")
    return Cell(label, number(m.value), notes=_lines(write.level(m, number), _n(m, unit)))


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
