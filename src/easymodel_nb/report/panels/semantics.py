"""The panel of meaning: how near the answers are to the references, how far from the base's."""

from collections.abc import Sequence
from dataclasses import replace

from easymodel_nb.measured import Measured
from easymodel_nb.report import numbers as write
from easymodel_nb.report.answers import base_of, fully, judges, noise, nothing, shown, typed
from easymodel_nb.report.content import DataTable, PanelContent
from easymodel_nb.report.figures import SERIES, Empty, Figure, Line, LineFigure, LineStyle
from easymodel_nb.report.gains import gain_html
from easymodel_nb.report.html import Row, number, table
from easymodel_nb.report.lines import finite, measured_line
from easymodel_nb.report.paired import Verdict, change_at, since_base
from easymodel_nb.report.scale import Axis, linear_axis, step_axis
from easymodel_nb.runlog.analytics import SemanticsPoint
from easymodel_nb.runlog.view import EpochPoint, RunView

KEY = "semantics.consistency"
BY_EPOCH = {
    "floor": SERIES["floor"],
    "drift": LineStyle("tuned", dash="dashed", marker="triangle-up", band=True),
    "consistency": LineStyle("tuned", marker="diamond", band=True),
}
BY_QUARTER = {"base": SERIES["base"], "tuned": SERIES["tuned"]}
_HEIGHT = 190
_FEWEST = 8  # answers that are long enough for quarters
_HOW = (
    "Every answer is turned into a vector by a frozen sentence encoder (texts that are too long "
    "for it by their sentences). Consistency is the mean cosine of answer and reference, "
    "mean_i cos(e(answer_i), e(reference_i)). Drift is 1 less the mean cosine of the answer and "
    "the base model's answer to the same prompt. The grey band is the noise floor of drift alone, "
    "not of consistency: the drift between two sampled runs of the base model itself. Drift within "
    "it says nothing. By quarter: answers of 40 words or more are cut into four equal parts, each "
    "compared with the whole reference. MMD² is the unbiased squared maximum mean discrepancy (RBF "
    "kernel) between the tuned and the base model's answers: how far they are from each other as "
    "two sets; its p-value is that of exchanging the two at random. Nearer is MMD² of base and "
    "references less that of tuned and references: above 0 the answers moved towards the "
    "references. Bands are 95 % bootstrap intervals over the prompts; what the title says of a "
    "change rests on the paired interval."
)
_SEGMENTS = "Similarity by quarter of the answer"
_NO_SEGMENTS = "No answers were long enough: a quarter needs answers of 40 words or more."


def semantics_content(view: RunView) -> PanelContent:
    """What the panel shows of a run."""
    points = fully(view, "semantics")
    at, start = shown(view, "semantics"), base_of(view, "semantics")
    latest = at or (points[-1] if points else None)
    by_epoch = _by_epoch(view, points)
    by_quarter = _by_quarter(view, latest, start)
    if isinstance(by_epoch, Empty) and isinstance(by_quarter, Empty) and not points:
        by_quarter = None
    return PanelContent(
        title=_title(view, points, at),
        caption=_caption(view, latest),
        how=_HOW,
        figures=[f for f in (by_epoch, by_quarter) if f is not None],
        details=_table(view, points) if points else "",
        data=_data(view, points),
        layout="stack",
    )


def _group(point: EpochPoint | None) -> SemanticsPoint | None:
    return point.analytics.semantics if point is not None else None


def _by_epoch(view: RunView, points: Sequence[EpochPoint]) -> Figure:
    found = [(p.epoch, s) for p in points if (s := _group(p)) is not None]
    near = [(epoch, s.consistency) for epoch, s in found]
    far = [(epoch, s.drift) for epoch, s in found]
    if not any(m.value is not None for _, m in (*near, *far)):
        due = [m for _, m in (*reversed(near), *reversed(far))]
        return nothing(view, "Closeness to the references", "semantics", due)
    last = max(view.epochs, found[-1][0])
    lines = {
        "drift": _named(measured_line("drift", far, write.cosine), "drift"),
        "consistency": _named(measured_line("consistency", near, write.cosine), "consistency"),
    }
    if (floor := _floor(view, last)) is not None:
        lines["floor"] = floor
    return LineFigure(
        styles=BY_EPOCH,
        lines={name: line for name, line in lines.items() if line.x},
        x=step_axis(last),
        y=linear_axis(finite(lines.values()), zero=True),
        x_name="epoch",
        y_name="cosine",
        height=_HEIGHT,
    )


def _named(line: Line, name: str) -> Line:
    """The line with its name alone at its end: two values would be taken for one another."""
    return Line(line.x, line.y, line.low, line.high, name if line.label else "", line.tips)


def _floor(view: RunView, last: float) -> Line | None:
    """The drift that noise alone makes, as a band from 0 up to the end of its interval."""
    found = noise(view, "drift")
    if found is None or found.value is None:
        return None
    top = found.high if found.high is not None else found.value
    return Line(
        x=(0.0, last), y=(top / 2,) * 2, low=(0.0, 0.0), high=(top, top), label="drift noise"
    )


def _by_quarter(view: RunView, at: EpochPoint | None, start: EpochPoint | None) -> Figure | None:
    tuned = _group(at)
    base = _group(start)
    if tuned is None:
        return None
    lines = {}
    for name, group in (("base", base), ("tuned", tuned if at is not start else None)):
        if group is not None and any(m.value is not None for m in group.segments):
            lines[name] = _quarters(name, group.segments)
    long = max((m.n or 0 for m in tuned.segments if m.value is not None), default=0)
    if long < _FEWEST:
        # Without a consistency there are no quarters of it either, for the same reason.
        why = next((m.reason for m in (tuned.consistency, *tuned.segments) if m.reason), None)
        if long:
            why = f"Only {write.plural(long, 'answer')} of 40 words or more: too few for a curve."
        empty = nothing(view, _SEGMENTS, "semantics", [Measured.missing(why or _NO_SEGMENTS)])
        return replace(empty, height=_HEIGHT, action=None)
    quarters = max(len(line.x) for line in lines.values())
    ticks = [float(k) for k in range(1, quarters + 1)]
    return LineFigure(
        styles=BY_QUARTER,
        lines=lines,
        x=Axis(1.0, max(2.0, float(quarters)), ticks, [f"{tick:.0f}" for tick in ticks]),
        y=linear_axis(finite(lines.values()), zero=True),
        x_name="quarter of the answer",
        y_name=_counted(tuned),
        height=_HEIGHT,
    )


def _counted(group: SemanticsPoint) -> str:
    """The name of the axis, with how many answers are long enough to have quarters."""
    n = next((m.n for m in group.segments if m.n is not None), None)
    long = f", {write.plural(n, 'answer')} of 40 words or more" if n is not None else ""
    return f"cosine to the reference{long}"


def _quarters(name: str, segments: Sequence[Measured]) -> Line:
    due = [(float(k), m) for k, m in enumerate(segments, start=1)]
    line = measured_line(name, due, write.cosine)
    tips = tuple(tip.replace(", epoch ", ", quarter ") for tip in line.tips)
    return Line(line.x, line.y, line.low, line.high, name, tips)


def _title(view: RunView, points: Sequence[EpochPoint], at: EpochPoint | None) -> str:
    base = _group(points[0]) if points and points[0].epoch == 0 else None
    group = _group(at)
    if at is None and base is not None and base.consistency.value is not None:
        return f"Cosine to the references is {write.cosine(base.consistency.value)} before training"
    if at is None or group is None or group.consistency.value is None:
        return "Consistency and drift"
    told = {p.epoch: since_base(view, KEY, p.epoch).says for p in points if p.epoch > 0}
    says = told.get(at.epoch, "unknown")
    now = write.cosine(group.consistency.value)
    if says in {"rose", "fell"}:
        side = "Closer to" if says == "rose" else "Further from"
        return f"{side} the references {_since(told, says, at.epoch)}"
    if says == "unclear":
        return f"No clear change in closeness to the references ({now})"
    return f"Cosine to the references is {now} at epoch {write.epoch(at.epoch)}"


def _since(told: dict[float, Verdict], says: Verdict, until: float) -> str:
    """Since when every measured epoch up to that one says the same."""
    epochs = [epoch for epoch in sorted(told) if epoch <= until]
    first = until
    for epoch in reversed(epochs):
        if told[epoch] != says:
            break
        first = epoch
    if first == until:
        return f"at epoch {write.epoch(until)}"
    last = until == max(told)
    return f"from epoch {write.epoch(first)} {'on' if last else f'to {write.epoch(until)}'}"


def _caption(view: RunView, at: EpochPoint | None) -> str:
    parts = ["Cosine to the reference, drift from the base"]
    group = _group(at)
    if group is not None:
        if group.consistency.n or group.drift.n:
            parts.append(f"{write.plural(group.consistency.n or group.drift.n or 0, 'prompt')}")
        if group.mmd.value is not None and at is not None and at.epoch:
            beside = _beside(noise(view, "mmd"))
            parts.append(f"MMD² {write.significant(group.mmd.value, 2)}{beside}")
        if at is not None and at.epoch and _within(group.drift, noise(view, "drift")):
            parts.append("drift within the noise floor")
    parts.append("greedy")
    judge = judges(view).get("consistency") or judges(view).get("semantics")
    judge = judge or (group.consistency.judge if group is not None else None)
    if judge:
        parts.append(f"by {judge.partition('@')[0]}")
    return ", ".join(parts)


def _within(drift: Measured, floor: Measured | None) -> bool:
    """Whether the drift is no more than what noise alone makes."""
    if drift.value is None or floor is None or floor.value is None:
        return False
    top = floor.high if floor.high is not None else floor.value
    return (drift.high if drift.high is not None else drift.value) <= top


def _beside(floor: Measured | None) -> str:
    if floor is None or floor.value is None:
        return ""
    return f" (noise {write.significant(floor.value, 2)})"


def _table(view: RunView, points: Sequence[EpochPoint]) -> str:
    """The numbers of both figures, folded under them."""
    rows = []
    for p in points:
        s = _group(p)
        if s is None:
            continue
        first = "base" if p.epoch == 0 else write.epoch(p.epoch)
        change = change_at(view, KEY, p.epoch)
        cells = [first, _cell(s.consistency)]
        cells.append(gain_html(change, write.cosine) if p.epoch else "&ndash;")
        chance = _chance(s) if p.epoch else None
        mmd = _cell(s.mmd, places=3) + (f", p {chance:.3f}" if chance is not None else "")
        cells += [_cell(s.drift), _cell(s.step), mmd]
        cells.append(gain_html(_arrow(s), write.significant) if p.epoch else "&ndash;")
        cells += [_cell(m) for m in [*s.segments, *[None] * 4][:4]]
        rows.append(Row(cells))
    columns = ["epoch", "consistency", "gain, 95 %", "drift", "step", "MMD²", "nearer, MMD²"]
    columns += [f"quarter {k}" for k in range(1, 5)]
    caption = "Consistency, its paired gain, drift from the base and from the point before"
    return table(f"{caption}; consistency of each quarter", columns, rows, strong=1)


def _chance(group: SemanticsPoint) -> float | None:
    """The p-value of the MMD by permutation."""
    found = (group.model_extra or {}).get("p_value")
    return float(found) if isinstance(found, int | float) else None


def _arrow(group: SemanticsPoint) -> Measured | None:
    """How much nearer to the references the answers are, as a set, than the base model's."""
    return typed((group.model_extra or {}).get("arrow"))


def _cell(m: Measured | None, places: int = 0) -> str:
    written = (lambda v: write.significant(v, places)) if places else write.cosine
    if m is None or m.value is None:
        return number(m, "", "not measured: the answers are too short")
    interval = write.bracket(m, written)
    return number(m, f"{written(m.value)} {interval}".strip())


def _data(view: RunView, points: Sequence[EpochPoint]) -> DataTable | None:
    rows: list[Sequence[str | float | int | None]] = []
    for p in points:
        s = _group(p)
        if s is None:
            continue
        named = {"consistency": s.consistency, "drift": s.drift, "step": s.step, "mmd": s.mmd}
        named |= {f"quarter {k}": m for k, m in enumerate(s.segments, start=1)}
        if (arrow := _arrow(s)) is not None:
            named["nearer to the references, mmd"] = arrow
        if (gain := change_at(view, KEY, p.epoch)) is not None:
            named["consistency, gain"] = gain
        rows += [(p.epoch, name, *_numbers(m)) for name, m in named.items()]
    for name in ("consistency", "drift", "mmd"):
        if (m := noise(view, name)) is not None:
            rows.append(("noise", name, *_numbers(m)))
    columns = ["epoch", "number", "value", "low", "high", "n", "judge", "reason"]
    return DataTable("semantics", columns, rows) if rows else None


def _numbers(m: Measured) -> tuple[str | float | int | None, ...]:
    return (m.value, m.low, m.high, m.n, m.judge, m.reason)
