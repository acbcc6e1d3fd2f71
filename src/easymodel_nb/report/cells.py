"""The four headline values of a run."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import Literal, NamedTuple

from easymodel_nb.measured import INDICATIVE, Measured
from easymodel_nb.report import numbers as write
from easymodel_nb.report.answers import base_of, shown
from easymodel_nb.report.finding import NAME
from easymodel_nb.report.paired import direction, over_guess, since_base
from easymodel_nb.report.panels.quality import axis_at, in_points
from easymodel_nb.report.points import at_epoch, base, known, outcome, points, result, values
from easymodel_nb.runlog.headline import PERPLEXITY, Metric, metrics_of
from easymodel_nb.runlog.view import RunView

Mood = Literal["good", "bad", "none"]
_NONE: Mood = "none"
_MOST = 4
_LOSS = Metric("task.loss", "loss", higher=False)


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
    if main is PERPLEXITY:
        made = [_of_language(view), *(_of_task(view, metric) for metric in others[:1])]
        made += [_quality(view), _consistency(view), _efficiency(view)]
        made += [_of_task(view, metric) for metric in others[1:]]
        made += [] if others else [_train(view), _bits(view)]
    else:
        made = [_of_task(view, metric) for metric in (main, *others, _LOSS)]
    kept = [cell for cell in made if cell is not None][:_MOST]
    speed = _speed(view) if len(kept) < _MOST else None
    return [*kept, speed] if speed is not None else kept


def _of_language(view: RunView) -> Cell | None:
    """Validation perplexity, its paired change in percent, and the base model's."""
    found = points(view)
    after, before = result(view, found), base(found)
    if after is None or after.validation is None or after.validation.value is None:
        last = found[-1].validation if found else None
        return _level(f"{NAME}, base" if known(last) else NAME, last, "text")
    m = after.validation
    value = m.value or 0.0
    says, paired = since_base(view, PERPLEXITY.key, after.epoch)
    note = write.bracket(paired, write.percents) if paired is not None else write.level(m)
    notes, aside = [note], ""
    if before is not None and before.value:
        by = value / before.value - 1
        if paired is not None and paired.value is not None:
            by = paired.value / 100
        aside = _change(says, write.percent(by))
        notes.append(f"base {write.perplexity(before.value)}")
    return Cell(
        NAME, write.perplexity(value), aside, _mood(says, higher=False), _joined(notes, m, "text")
    )


def _change(says: str, written: str) -> str:
    """What stands beside a value: the change, or that it is none that is clear."""
    return "no clear change" if says == "unclear" else written


def _train(view: RunView) -> Cell | None:
    found = points(view)
    at = result(view, found) or (found[-1] if found else None)
    return _level("Train perplexity", at.train if at else None, "text")


def _quality(view: RunView) -> Cell | None:
    """GQS, its gain in points with the paired interval."""
    at = shown(view, "quality") or base_of(view, "quality")
    m = axis_at(at, "overall")
    if at is None or m is None:
        return None
    if m.value is None:
        return Cell("GQS, of 100", "", reason=m.reason or "")
    if not at.epoch:
        return _level("GQS of the base", m, "prompt", write.points)
    says, paired = since_base(view, "quality.overall", at.epoch)
    gain = in_points(paired, "overall")
    aside, notes = "", [write.level(m, write.points)]
    if gain is not None and gain.value is not None:
        aside, notes = _change(says, write.gain(gain.value)), [write.bracket(gain)]
    mood = _mood(says, higher=True)
    few = m.n is not None and m.n < INDICATIVE
    return Cell(
        "GQS, of 100",
        write.points(m.value),
        aside,
        mood,
        _joined([*notes, "indicative" if few else ""], m, "prompt"),
    )


def _consistency(view: RunView) -> Cell | None:
    """Cosine to the references, its paired gain, and the drift from the base model."""
    at = shown(view, "semantics") or base_of(view, "semantics")
    found = at.analytics.semantics if at is not None else None
    if at is None or found is None:
        return None
    m = found.consistency
    if m.value is None:
        return Cell("Consistency", "", reason=m.reason or "")
    if not at.epoch:
        return _level("Consistency of the base", m, "prompt", write.cosine)
    says, paired = since_base(view, "semantics.consistency", at.epoch)
    aside, notes = "", [write.level(m, write.cosine)]
    if paired is not None and paired.value is not None:
        aside = _change(says, write.gain(paired.value, write.cosine))
        notes = [write.bracket(paired, write.cosine)]
    if found.drift.value is not None:
        notes.append(f"drift {write.cosine(found.drift.value)}")
    mood = _mood(says, higher=True)
    return Cell("Consistency", write.cosine(m.value), aside, mood, _joined(notes, m, "prompt"))


def _efficiency(view: RunView) -> Cell | None:
    """Relevance per token, as a multiple of the base model's."""
    at = shown(view, "efficiency")
    found = at.analytics.efficiency if at is not None else None
    if found is None:
        return None
    m = found.token_efficiency
    if m.value is None:
        return Cell("Token efficiency", "", reason=m.reason or "")
    says = direction(m, 1.0)
    aside = "of base, no clear change" if says == "unclear" else "of base"
    notes = [write.bracket(m, write.cosine)]
    return Cell(
        "Token efficiency", write.times(m.value), aside, "none", _joined(notes, m, "prompt")
    )


def _of_task(view: RunView, metric: Metric) -> Cell | None:
    """A number of the task beside the base model's, else beside that of a constant guess."""
    found = values(view, metric.key)
    label = metric.title
    written = write.score if metric.higher else write.significant
    after = outcome(view, found)
    if after is None:
        last = found[-1].measured if found else None
        return _level(f"{label}, base" if known(last) else label, last, "text", written)
    start = next((v.measured for v in found if v.epoch == 0 and known(v.measured)), None)
    guess = at_epoch(view, metric.baseline, after.epoch) if metric.baseline else None
    before, named = (start, "base") if start is not None else (guess, "majority class")
    m, notes, aside, mood = after.measured, [], "", _NONE
    if before is not None and before.value is not None:
        paired = None
        if named == "base":
            says, paired = since_base(view, metric.key, after.epoch)
            unclear = "no clear change"
        else:
            says, unclear = over_guess(view, metric, after.epoch), "not clearly more"
        aside = write.difference(before.value, m.value or 0.0)
        aside = unclear if says == "unclear" else aside
        mood = _mood(says, higher=metric.higher)
        if paired is not None:
            notes.append(f"change {write.bracket(paired, write.change)}")
        else:
            notes.append(write.level(m, written))
        notes.append(f"{named} {written(before.value)}")
    else:
        notes.append(write.level(m, written))
    return Cell(label, written(m.value or 0.0), aside, mood, _joined(notes, m, "text"))


def _mood(says: str, *, higher: bool) -> Mood:
    if says not in {"rose", "fell"}:
        return "none"
    return "good" if (says == "rose") == higher else "bad"


def _joined(notes: Sequence[str], m: Measured, unit: str) -> tuple[str, ...]:
    return _lines(", ".join(note for note in notes if note), _n(m, unit))


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


def _bits(view: RunView) -> Cell | None:
    found = values(view, "task.bits_per_byte")
    after = outcome(view, found) or (found[-1] if found else None)
    cell = _level("Bits per byte", after.measured if after else None, "text")
    before = next((v.measured for v in found if v.epoch == 0), None)
    if cell is None or after is None or before is None or before.value is None or not after.epoch:
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
