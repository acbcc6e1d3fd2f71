"""The arithmetic of a chart: nice ticks, linear and log, labels kept apart, points thinned out."""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from easymodel_nb.report.numbers import count, signed

_FEWEST_RUNGS, _FAR, _PAD = 3, 1.5, 0.02
LOG_RATIO = 10.0  # above this ratio of largest to smallest an axis of ratios is logarithmic


class Axis(NamedTuple):
    """The range of an axis and its ticks, both in the units of the scale, with their texts.

    A log axis is drawn on a linear scale of log10 values: the scale object of a
    figure stays the same when the data outgrow it.
    """

    low: float
    high: float
    ticks: list[float]
    texts: list[str]
    log: bool = False

    def at(self, value: float) -> float:
        """Where a value lies on the scale."""
        return math.log10(value) if self.log else value

    def share(self, value: float) -> float:
        """How far up the axis a value lies, 0 at its low end and 1 at its high end."""
        return (self.at(value) - self.low) / (self.high - self.low)

    @property
    def labels(self) -> dict[str, str]:
        """The tick texts by tick, with the keys that JavaScript makes of the numbers."""
        return {js_number(tick): text for tick, text in zip(self.ticks, self.texts, strict=True)}


def js_number(value: float) -> str:
    """How JavaScript writes a number of ordinary size: no exponent, no ".0"."""
    return format(Decimal(repr(value)), "f").removesuffix(".0")


def _step(span: float, parts: int) -> float:
    """The 1-2-5 step that cuts a span into at most `parts` pieces."""
    rough = span / parts
    size = 10.0 ** math.floor(math.log10(rough))
    return next(size * k for k in (1, 2, 5, 10) if size * k >= rough * (1 - 1e-9))


def linear_axis(values: Sequence[float], *, parts: int = 4, zero: bool = False) -> Axis:
    """An axis from tick to tick around the values; `zero` starts it at 0."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    low = min(low, 0.0) if zero else low
    if high - low < 1e-9 * max(abs(low), abs(high), 1e-9):
        pad = abs(low) * 0.1 or 1.0
        low, high = (low if zero else low - pad), high + pad
    step = _step(high - low, parts)
    first = math.floor(low / step + 1e-9)
    last = max(first + 1, math.ceil(high / step - 1e-9))
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    ticks = [round(k * step, digits + 2) for k in range(first, last + 1)]
    return Axis(ticks[0], ticks[-1], ticks, _tick_texts(ticks, step))


def log_axis(values: Sequence[float], *, most: int = 7) -> Axis:
    """A log axis at 1-2-5 (or at powers of 10 where that is too many) around the values."""
    low, high = min(values), max(values)
    for steps in ((1, 2, 5), (1, 5), (1,)):
        ladder = _ladder(low, high, steps)
        if len(ladder) <= most:
            break
    ladder = ladder[:: math.ceil(len(ladder) / most)] if len(ladder) > 2 * most else ladder
    # An outer rung far from the data only makes the axis longer: then the data end it.
    first, last = low / ladder[0] > _FAR, ladder[-1] / high > _FAR
    if len(ladder) - first - last >= _FEWEST_RUNGS:
        ladder = ladder[first : len(ladder) - last]
    ticks = [round(math.log10(value), 12) for value in ladder]
    bottom, top = math.log10(low), math.log10(high)
    bottom = ticks[0] if ticks[0] <= bottom else bottom - _PAD
    top = ticks[-1] if ticks[-1] >= top else top + _PAD
    return Axis(bottom, top, ticks, [_tick_log(value) for value in ladder], log=True)


def _ladder(low: float, high: float, steps: tuple[int, ...]) -> list[float]:
    """The steps of every decade from the last one below to the first one above."""
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    rungs = [step * 10.0**decade for decade in decades for step in steps]
    first = max(i for i, rung in enumerate(rungs) if rung <= low * (1 + 1e-9))
    last = min(i for i, rung in enumerate(rungs) if rung >= high * (1 - 1e-9))
    return rungs[first : max(last, first + 1) + 1]


def ratio_axis(values: Sequence[float], *, parts: int = 4) -> Axis:
    """A linear axis, or a log one where the values span more than a factor of ten."""
    positive = [value for value in values if value > 0]
    if positive and max(positive) / min(positive) > LOG_RATIO:
        return log_axis(positive)
    return linear_axis(values, parts=parts)


def step_axis(last: float, *, parts: int = 6) -> Axis:
    """A horizontal axis of whole steps or epochs from 0 to `last`, ticks inside it."""
    end = max(last, 1.0)
    step = max(1.0, _step(end, parts))
    ticks = [k * step for k in range(math.floor(end / step + 1e-9) + 1)]
    return Axis(0.0, end, ticks, _tick_texts(ticks, step))


def _tick_texts(ticks: Sequence[float], step: float) -> list[str]:
    """All in one unit, with the decimals the step needs, so that no two read the same."""
    largest = max(map(abs, ticks))
    unit, suffix = next(
        (size, name)
        for size, name in ((1e6, " M"), (1e3, " k"), (1.0, ""))
        if largest >= size * (10 if name == " k" else 1) or not name
    )
    digits = max(0, -math.floor(math.log10(step / unit) + 1e-9))
    zero = f"{0:.{digits}f}" if unit == 1 else "0"
    return [signed(f"{tick / unit:,.{digits}f}") + suffix if tick else zero for tick in ticks]


def _tick_log(value: float) -> str:
    if value >= 1e6:  # noqa: PLR2004
        return f"{value:.0e}".replace("e+0", "e").replace("e+", "e")
    return count(value) if value >= 1 else f"{value:g}"


def spread(positions: Sequence[float], *, gap: float, low: float, high: float) -> list[float]:
    """The positions pushed apart to at least `gap`, moved as little as their order allows.

    They stay between `low` and `high` while there is room for all of them.
    """
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    room = max(high - low, gap * (len(positions) - 1))
    moved: list[float] = []
    for rank, index in enumerate(order):
        wanted = min(max(positions[index], low), low + room)
        moved.append(wanted if rank == 0 else max(wanted, moved[-1] + gap))
    # What was pushed beyond the end comes back, and pushes its neighbours in turn.
    ceiling = low + room
    for rank in range(len(moved) - 1, -1, -1):
        moved[rank] = min(moved[rank], ceiling)
        ceiling = moved[rank] - gap
    result = [0.0] * len(positions)
    for rank, index in enumerate(order):
        result[index] = moved[rank]
    return result


def thin(values: Sequence[float], most: int = 500) -> list[int]:
    """The indices of at most `most` points that keep the first, the last and every spike.

    Each stretch of the curve gives its smallest and its largest value.
    """
    if len(values) <= most:
        return list(range(len(values)))
    buckets = (most - 2) // 2
    inner = len(values) - 2
    keep = {0, len(values) - 1}
    for bucket in range(buckets):
        stretch = range(1 + bucket * inner // buckets, 1 + (bucket + 1) * inner // buckets)
        keep.add(min(stretch, key=values.__getitem__))
        keep.add(max(stretch, key=values.__getitem__))
    return sorted(keep)


def evenly(total: int, most: int) -> list[int]:
    """At most `most` of `total` indices, evenly spaced, the first and the last among them."""
    if total <= most:
        return list(range(total))
    return sorted({round(k * (total - 1) / (most - 1)) for k in range(most)})
