"""The panel of lengths: each answer's tokens against its reference's, base and tuned."""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from easymodel_nb.measured import Measured
from easymodel_nb.report import numbers as write
from easymodel_nb.report.answers import at_point, base_of, nothing, shown
from easymodel_nb.report.content import DataTable, PanelContent
from easymodel_nb.report.figures import Dots, Key, ScatterFigure
from easymodel_nb.report.html import Row, missing, number, table
from easymodel_nb.report.scale import Axis, linear_axis
from easymodel_nb.runlog.view import EpochPoint, RunView

_FAR = 20.0  # above this ratio of the 95th to the 5th percentile both axes are logarithmic
_NEAR = 0.2  # within this share of the reference's length an answer counts as equally long
_FEWEST = 3  # answers through which a slope is laid
_MOST_TICKS = 7
_HOW = (
    "Each point is a prompt: how many tokens its reference has, and how many the model wrote "
    "(without the end token). On the dotted line an answer is as long as its reference. The limit "
    "is the most tokens an answer may have in this run; an answer there was cut off. The length "
    "ratio is exp(mean log(answer tokens / reference tokens)), with a 95 % bootstrap interval over "
    "the prompts. The slope is that of log answer tokens on log reference tokens by least squares "
    "(1: answers grow as references do; 0: they are of one length), R its correlation; empty "
    "answers are left out of both and counted. Compression, for tasks with a source, is the "
    "source's tokens over the answer's."
)


class Lengths(NamedTuple):
    """The lengths of the answers of one model."""

    name: str
    points: Sequence[tuple[int, int]]  # (reference tokens, answer tokens)
    ratio: Measured | None  # of answer to reference, geometric mean
    compression: Measured | None
    at_limit: float | None  # the share of answers that were cut off
    slope: float | None
    r: float | None
    near: float | None  # the share within 20 % of the reference


def compression_content(view: RunView) -> PanelContent:
    """What the panel shows of a run."""
    at, start = shown(view, "efficiency"), base_of(view, "efficiency")
    found = [
        lengths(view, name, point)
        for name, point in (("base", start), ("tuned", at))
        if point is not None
    ]
    drawn = [item for item in found if item.points]
    if not drawn:
        due = [item.ratio for item in reversed(found)]
        return PanelContent(
            title="Length of the answers",
            caption="Tokens of the answers against those of the references",
            how=_HOW,
            figures=(nothing(view, "The length of the answers", "efficiency", due, height=232),),
            layout="stack",
        )
    return PanelContent(
        title=_title(drawn[-1]),
        caption=_caption(view, drawn, at),
        how=_HOW,
        figures=(_scatter(view, drawn, at),),
        details=_table(drawn),
        data=_data(drawn),
        layout="stack",
    )


def lengths(view: RunView, name: str, point: EpochPoint) -> Lengths:
    """What one model's answers are like in length."""
    found = point.analytics.efficiency
    points = [(int(a), int(b)) for a, b in found.points] if found is not None else []
    logs = [(math.log(a), math.log(b)) for a, b in points if a > 0 and b > 0]
    x, y = [a for a, _ in logs], [b for _, b in logs]
    slope = r = None
    if len(logs) >= _FEWEST and len(set(x)) > 1:
        slope = statistics.linear_regression(x, y).slope
        r = statistics.correlation(x, y) if len(set(y)) > 1 else None
    close = [abs(b - a) <= _NEAR * a for a, b in points if a > 0]
    return Lengths(
        name,
        points,
        found.length_ratio if found is not None else None,
        found.compression if found is not None else None,
        _at_limit(view, point, points),
        slope,
        r,
        statistics.fmean(close) if close else None,
    )


def limit_of(view: RunView) -> int | None:
    """The most tokens an answer may have in this run."""
    found = (view.plan or {}).get("max_new_tokens")
    return found if isinstance(found, int) and found > 0 else None


def _at_limit(view: RunView, point: EpochPoint, points: Sequence[tuple[int, int]]) -> float | None:
    """The share of answers that were cut off: as the run counted them, else by their length."""
    counts = at_point(point, "counts")
    counted, answers = counts.get("limit"), counts.get("answers", len(points))
    if isinstance(counted, int) and isinstance(answers, int) and answers > 0:
        return counted / answers
    if not points:
        return None
    limit = limit_of(view)
    return sum(b >= limit for _, b in points) / len(points) if limit is not None else None


def is_log(points: Sequence[tuple[int, int]]) -> bool:
    """Whether the lengths are so different that the axes are logarithmic: P95/P5 above 20."""
    for side in (0, 1):
        values = sorted(float(pair[side]) for pair in points if pair[side] > 0)
        if len(values) > 1:
            parts = statistics.quantiles(values, n=20, method="inclusive")
            if parts[-1] / parts[0] > _FAR:
                return True
    return False


def _scatter(view: RunView, found: Sequence[Lengths], at: EpochPoint | None) -> ScatterFigure:
    every = [pair for item in found for pair in item.points]
    log = is_log(every)
    limit = limit_of(view)
    xs, ys = [float(a) for a, _ in every], [float(b) for _, b in every]
    ys += [float(limit)] if limit is not None else []
    both = [v for v in (*xs, *ys) if v > 0] or [1.0]
    axis = _doubling(min(both), max(both)) if log else linear_axis(both, zero=True)
    series = {item.name: _dots(item, log=log) for item in found}
    epoch = f", epoch {write.epoch(at.epoch)}" if at is not None else ""
    keys = [Key(n, n if n == "base" else f"tuned{epoch}") for n in series]
    return ScatterFigure(
        series=series,
        x=axis,
        y=axis,
        x_name=f"reference tokens{', log' if log else ''}",
        y_name=f"generated tokens{', log' if log else ''}",
        diagonal="same length as reference",
        limit=float(limit) if limit is not None else None,
        legend=(*keys, Key("human", "same length as reference")),
    )


def _dots(item: Lengths, *, log: bool) -> Dots:
    """The points; on a log axis an empty answer has no place, it is counted in the table."""
    kept = [(a, b) for a, b in item.points if a > 0 and (b > 0 or not log)]
    tips = tuple(f"{item.name}: reference {a:,} tokens, answer {b:,} tokens" for a, b in kept)
    return Dots([float(a) for a, _ in kept], [float(b) for _, b in kept], tips)


def _doubling(low: float, high: float) -> Axis:
    """A log axis at powers of two."""
    first, last = math.floor(math.log2(low)), math.ceil(math.log2(high))
    last = max(last, first + 1)
    step = math.ceil((last - first) / (_MOST_TICKS - 1))
    powers = range(first, last + 1, step)
    ticks = [round(math.log10(2.0**k), 12) for k in powers]
    texts = [f"{2**k:,}" if k >= 0 else write.significant(2.0**k) for k in powers]
    return Axis(math.log10(2.0**first), math.log10(2.0**last), ticks, texts, log=True)


def _title(item: Lengths) -> str:
    ratio = item.ratio
    who = "The base model's answers" if item.name == "base" else "Answers"
    if ratio is None or ratio.value is None:
        return "Length of the answers"
    if ratio.low is None or ratio.high is None:
        return f"{who} are {write.times(ratio.value)} as long as the references"
    if ratio.low > 1 - _NEAR and ratio.high < 1 / (1 - _NEAR):
        return f"{who} are about as long as the references"
    if ratio.low > 1:
        return f"{who} are longer than the references, {write.times(ratio.value)}"
    if ratio.high < 1:
        return f"{who} are shorter than the references, {write.times(ratio.value)}"
    side = "longer" if ratio.value > 1 else "shorter"
    times = write.times(ratio.value)
    return f"{who} are {times} as long as the references, not clearly {side}"


def _caption(view: RunView, found: Sequence[Lengths], at: EpochPoint | None) -> str:
    parts = []
    cut = [f"{i.name} {write.share(i.at_limit)}" for i in found if i.at_limit is not None]
    limit = limit_of(view)
    if cut:
        name = f"the {limit}-token limit" if limit is not None else "the limit"
        parts.append(f"At {name}: {', '.join(cut)}")
    slopes = [f"{i.name} {write.cosine(i.slope)}" for i in found if i.slope is not None]
    if slopes:
        parts.append(f"slope {', '.join(slopes)}")
    squeezed = found[-1].compression
    if squeezed is not None and squeezed.value is not None:
        parts.append(f"source over answer {write.times(squeezed.value)}")
    parts.append(write.plural(len(found[-1].points), "prompt"))
    if at is not None:
        parts.append(f"epoch {write.epoch(at.epoch)}")
    said = ", ".join(parts)
    return said[:1].upper() + said[1:]


def _table(found: Sequence[Lengths]) -> str:
    rows = []
    for item in found:
        ratio = item.ratio
        shown_ = ""
        if ratio is not None and ratio.value is not None:
            shown_ = f"{write.times(ratio.value)} {write.bracket(ratio, write.cosine)}".strip()
        rows.append(
            Row(
                [
                    item.name,
                    f"{len(item.points):,}",
                    number(ratio, shown_),
                    _or_na(item.at_limit, write.share, "the run has no limit on record"),
                    _or_na(item.near, write.share, "there is no reference with a token"),
                    _or_na(item.slope, write.cosine, "too few answers of different lengths"),
                    _or_na(item.r, write.cosine, "too few answers of different lengths"),
                    f"{sum(b == 0 for _, b in item.points):,}",
                ]
            )
        )
    columns = ["model", "prompts", "length ratio, 95 %", "at the limit", "within 20 %"]
    return table(
        "Lengths of the answers against the references",
        [*columns, "slope", "R", "empty"],
        rows,
    )


def _or_na(found: float | None, written: write.Written, why: str) -> str:
    return missing(why) if found is None else written(found)


def _data(found: Sequence[Lengths]) -> DataTable:
    rows = [(item.name, k, a, b) for item in found for k, (a, b) in enumerate(item.points)]
    columns = ["model", "prompt", "reference_tokens", "answer_tokens"]
    return DataTable("compression", columns, rows)
