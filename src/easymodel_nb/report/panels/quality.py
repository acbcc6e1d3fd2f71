"""The panel of the generation quality score: a radar of its axes, and a table of what changed."""

import math
from collections.abc import Mapping, Sequence
from html import escape

from easymodel_nb.measured import FEW, INDICATIVE, Measured
from easymodel_nb.report import numbers as write
from easymodel_nb.report.answers import (
    base_of,
    fully,
    judged_by,
    judges,
    nothing,
    reference,
    remedy_of,
    shown,
    value,
)
from easymodel_nb.report.content import DataTable, PanelContent
from easymodel_nb.report.figures import Key, RadarFigure, Shape
from easymodel_nb.report.gains import gain_html
from easymodel_nb.report.html import Row, number, table, tag
from easymodel_nb.report.paired import change_at, direction, since_base
from easymodel_nb.report.scale import evenly
from easymodel_nb.runlog.headline import details
from easymodel_nb.runlog.view import EpochPoint, RunView

AXES = ("fluency", "coherence", "grammar", "relevance")
_PERCENT = 100.0  # the axes are logged from 0 to 1 and shown from 0 to 100
_OTHERS = 3  # epochs that are drawn beside the shown one
_NO_PAIR = "there is no paired interval: the base model was not scored on the same prompts"
_HOW = (
    "Base and tuned model answer the same prompts, greedily; only what they wrote is scored, by "
    "judges that stay the same for the whole run. Fluency: how ordinary the worst sentence is to a "
    "language model, in a band around the references, times how little is repeated. Coherence: "
    "how well the sentences follow each other or the source. {grammar} Relevance: how much of the "
    "reference is said, and how near the answer is to the prompt, less what was copied from it. "
    "Each axis is a mean over the texts, scaled so that the references set what is high. GQS is "
    "100 times fluency^0.2 x coherence^0.3 x {label}^0.2 x relevance^0.3 of each text, then the "
    "mean; an axis that a text lacks is left out of it. The human line is the score of the "
    "references themselves. The gain is the mean difference from the base model prompt by prompt, "
    "over the axes that both answers have, so that neither gains by lacking one (it may differ "
    "from the difference of the two means), with a 95 % interval from 2,000 paired bootstrap "
    "resamples; only a gain whose interval leaves "
    "out 0 is coloured.{judges}"
)
_GRAMMAR = {
    "Well-formed": "Well-formed: how little a sentence looks damaged (words dropped, doubled or "
    "turned round); it is no judgement of grammar by an expert.",
    "Grammar": "Grammar: the acceptability of a sentence to a classifier trained on CoLA.",
}


def quality_content(view: RunView) -> PanelContent:
    """What the panel shows of a run."""
    points = fully(view, "quality")
    at, start = shown(view, "quality") or (points[-1] if points else None), base_of(view, "quality")
    title = "Generation quality score"
    due = [axis_at(at, name) for name in ("overall", *AXES)]
    if at is None or not any(math.isfinite(value(m)) for m in due):
        empty = nothing(view, "GQS", "quality", due, height=232)
        return PanelContent(
            title=title,
            caption=_caption(view, at),
            how=_how(view),
            figures=(empty,),
            data=_data(view, points),
            layout="stack",
        )
    return PanelContent(
        title=_title(view, at, start),
        caption=_caption(view, at),
        how=_how(view),
        figures=(_radar(view, points, at, start),),
        table=_table(view, at, start),
        data=_data(view, points),
        layout="stack",
        action=remedy_of(view, due),
    )


def axis_at(point: EpochPoint | None, name: str) -> Measured | None:
    """An axis, or `overall`, at a point; None where it was not due."""
    quality = point.analytics.quality if point is not None else None
    found = getattr(quality, name, None)
    return found if isinstance(found, Measured) else None


def scale_of(name: str) -> float:
    """What a logged number is multiplied with to be shown from 0 to 100."""
    return 1.0 if name == "overall" else _PERCENT


def label_of(view: RunView, name: str) -> str:
    """The name of an axis; the third one is Grammar only with a classifier of grammar."""
    if name != "grammar":
        return name.capitalize()
    judge = judges(view).get("grammar", "")
    return "Grammar" if "cola" in judge.lower() else "Well-formed"


def _radar(
    view: RunView, points: Sequence[EpochPoint], at: EpochPoint, start: EpochPoint | None
) -> RadarFigure:
    shapes: dict[str, Shape] = {}
    legend = []
    if start is not None and at is not start:
        shapes["base"] = _shape(view, start, "base")
        legend.append(Key("base", "base"))
    others = [p for p in points if p.epoch > 0 and p is not at]
    for p in (others[i] for i in evenly(len(others), _OTHERS)):
        name = f"epoch {write.epoch(p.epoch)}"
        shapes[name] = _shape(view, p, name, kept=False)
    main = "tuned" if at.epoch else "base"
    name = f"tuned, epoch {write.epoch(at.epoch)}" if at.epoch else "base"
    shapes[main] = _shape(view, at, name)
    legend.append(Key(main, name))
    human = [reference(view, axis) for axis in AXES]
    if any(m is not None and m.value is not None for m in human):
        tips = tuple(
            _tip("human reference", label_of(view, axis), m)
            for axis, m in zip(AXES, human, strict=True)
        )
        shapes["human"] = Shape([value(m, _PERCENT) for m in human], tips)
        legend.append(Key("human", "human reference"))
    return RadarFigure(
        axes=[_axis_name(view, at, axis) for axis in AXES], shapes=shapes, legend=legend
    )


def _axis_name(view: RunView, at: EpochPoint, axis: str) -> str:
    gone = not math.isfinite(value(axis_at(at, axis)))
    return f"{label_of(view, axis)} n/a" if gone else label_of(view, axis)


def _shape(view: RunView, point: EpochPoint, name: str, *, kept: bool = True) -> Shape:
    found = [axis_at(point, axis) for axis in AXES]
    tips = [_tip(name, label_of(view, axis), m) for axis, m in zip(AXES, found, strict=True)]
    return Shape([value(m, _PERCENT) for m in found], tips, kept=kept)


def _tip(name: str, axis: str, m: Measured | None) -> str:
    if m is None or m.value is None:
        return ""
    parts = [f"{axis}, {name}: {write.points(m.value * _PERCENT)}"]
    if interval := write.level(m, lambda v: write.points(v * _PERCENT)):
        parts.append(f"95 %: {interval}")
    if m.n is not None:
        parts.append(write.plural(m.n, "text"))
    return ", ".join(parts)


def _title(view: RunView, at: EpochPoint, start: EpochPoint | None) -> str:
    now = axis_at(at, "overall")
    if now is None or now.value is None:
        return "GQS is not computed; some of its axes are"
    if at.epoch == 0:
        return f"GQS of the base model is {write.points(now.value)} of 100"
    change = since_base(view, "quality.overall", at.epoch)
    when = f"at epoch {write.epoch(at.epoch)}"
    firm = "" if (now.n or INDICATIVE) >= INDICATIVE else ", which is indicative only"
    before = axis_at(start, "overall")
    if change.paired is not None and change.paired.value is not None:
        by = write.points(abs(change.paired.value))
        if change.says in {"rose", "fell"}:
            to = f"to {write.points(now.value)} {when}{firm}{_unlike(view, at, start)}"
            return f"GQS {change.says} by {by} points, {to}"
    if change.says == "unclear" and before is not None and before.value is not None:
        levels = f"{write.points(before.value)} before, {write.points(now.value)} {when}"
        return f"No clear change in GQS: {levels}{_unlike(view, at, start)}"
    return f"GQS is {write.points(now.value)} of 100 {when}{firm}"


def _unlike(view: RunView, at: EpochPoint, start: EpochPoint | None) -> str:
    """What makes the two scores unlike: axes that one of them lacks."""
    if start is None:
        return ""

    def gone(point: EpochPoint, other: EpochPoint) -> str:
        lost = [axis for axis in AXES if _has(other, axis) and not _has(point, axis)]
        return " and ".join(label_of(view, axis).lower() for axis in lost)

    parts = [f"{lost} left out of it" if (lost := gone(at, start)) else ""]
    parts.append(f"{lost} left out of the base" if (lost := gone(start, at)) else "")
    return "".join(f"; {part}" for part in parts if part)


def _has(point: EpochPoint | None, axis: str) -> bool:
    return math.isfinite(value(axis_at(point, axis)))


def _caption(view: RunView, at: EpochPoint | None) -> str:
    parts = ["GQS, 0 to 100"]
    n = next((m.n for name in ("overall", *AXES) if (m := axis_at(at, name)) and m.n), None)
    if n:
        small = " (indicative)" if FEW <= n < INDICATIVE else ""
        parts.append(f"{write.plural(n, 'prompt')}{small}")
    parts.append("greedy")
    axes = {axis: judge for axis, judge in judges(view).items() if _has(at, axis)}
    parts += judged_by(axes)
    counted = details(at.analytics).get("counts") if at is not None else None
    if isinstance(counted, Mapping):
        parts += [
            f"{write.count(k)} {word}"
            for word in ("empty", "short")
            if isinstance(k := counted.get(word), int) and k
        ]
    return ", ".join(parts)


def _how(view: RunView) -> str:
    label = label_of(view, "grammar")
    found = judges(view)
    named = "; ".join(f"{axis} by {judge}" for axis, judge in found.items())
    return _HOW.format(
        grammar=_GRAMMAR[label],
        label=label.lower(),
        judges=f" Judges with the hash of their weights: {named}." if named else "",
    )


def _table(view: RunView, at: EpochPoint, start: EpochPoint | None) -> str:
    rows = [_row(view, at, start, name) for name in (*AXES, "overall")]
    return table(
        "GQS and its axes, 0 to 100: base model, tuned model, human references, paired gain",
        ["axis", "base", "tuned", "human", "gain, 95 %"],
        rows,
        strong=2,
    )


def _row(view: RunView, at: EpochPoint, start: EpochPoint | None, name: str) -> Row:
    overall = name == "overall"
    written = write.points if overall else write.whole
    tuned = axis_at(at, name) if at.epoch else None
    late = "no epoch was scored yet" if view.active else "no epoch was scored"
    levels = [
        _cell(axis_at(start, name), name, "the base model was not scored"),
        _cell(tuned, name, late),
        _cell(reference(view, name), name, "the references were not scored"),
    ]
    paired = change_at(view, f"quality.{name}", at.epoch) if at.epoch else None
    if not overall and at.epoch and not (_has(at, name) and _has(start, name)):
        # Else a gain over the few texts that have it stood beside a level that is n/a.
        paired = Measured.missing("one of the two has no score on this axis")
    gain = in_points(paired, name)
    cells = [
        escape("GQS" if overall else label_of(view, name)),
        *levels,
        gain_html(gain, _fine(gain, written), _NO_PAIR if at.epoch else late),
    ]
    return Row([tag("b", cell) for cell in cells] if overall else cells)


def _fine(change: Measured | None, written: write.Written) -> write.Written:
    """With a decimal where an interval that leaves out 0 would be written as if it ended there."""
    if change is None or direction(change) == "unclear":
        return written
    ends = [end for end in (change.low, change.high) if end]
    return write.points if any(written(end) == "0" for end in ends) else written


def _cell(m: Measured | None, name: str, why: str) -> str:
    written = write.points if name == "overall" else write.whole
    shown_ = written(m.value * scale_of(name)) if m is not None and m.value is not None else ""
    return number(m, shown_, why)


def in_points(change: Measured | None, name: str) -> Measured | None:
    """A paired change of an axis in points of 100, whatever unit it was logged in."""
    if change is None or change.value is None or change.unit == "points":
        return change
    k = scale_of(name)
    low, high = (None if end is None else end * k for end in (change.low, change.high))
    update = {"value": change.value * k, "low": low, "high": high}
    return change.model_copy(update=update)


def _data(view: RunView, points: Sequence[EpochPoint]) -> DataTable | None:
    if not points:
        return None
    columns = ["epoch", "axis", "value", "low", "high", "n", "gain", "gain_low", "gain_high"]
    columns += ["judge", "reason"]
    rows: list[Sequence[str | int | float | None]] = []
    for p in points:
        for name in (*AXES, "overall"):
            m = axis_at(p, name)
            gain = in_points(change_at(view, f"quality.{name}", p.epoch), name)
            rows.append(_numbers(p.epoch, name, m, gain))
    rows += [
        _numbers("human reference", name, m, None)
        for name in (*AXES, "overall")
        if (m := reference(view, name)) is not None
    ]
    return DataTable("quality", columns, rows)


def _numbers(
    epoch: float | str, name: str, m: Measured | None, gain: Measured | None
) -> list[str | int | float | None]:
    k = scale_of(name)
    ends = [None if m is None or v is None else v * k for v in _ends(m)]
    return [epoch, name, *ends, m.n if m else None, *_ends(gain), *_said(m)]


def _said(m: Measured | None) -> tuple[str | None, str | None]:
    return (m.judge, m.reason) if m is not None else (None, None)


def _ends(m: Measured | None) -> tuple[float | None, float | None, float | None]:
    return (m.value, m.low, m.high) if m is not None else (None, None, None)
