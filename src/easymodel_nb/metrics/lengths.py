"""Lengths of answers against those of their references, and groups of prompts by length."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from easymodel_nb.measured import Measured
from easymodel_nb.metrics.stats import Clusters, chosen, interval, mean_interval, resampled, too_few

Floats = NDArray[np.float64]

NEAR = 0.2  # of the diagonal: lengths within 20 % of the reference's
WIDE = 20  # P95 / P5 of the lengths, above which axes are logarithmic
_LEAST_POINTS = 3  # of a line that is fitted and not drawn through
_QUARTERS = 4
_LENGTHS = re.compile(r"[\d,]+( to [\d,]+)? tokens")
_TINY = 1e-12  # a sum of squares that is only rounding
_LEAST_A_GROUP = 4  # texts, of groups that we make ourselves
MOST_GROUPS = 12  # of those the user names; the smaller ones are put together


@dataclass(frozen=True)
class Fit:
    """The line log y = a + slope * log x of answer lengths y against reference lengths x.

    `slope` 1 follows the reference's length, 0 ignores it; `r` is Pearson's correlation of the
    logarithms; `near` the share of answers within 20 % of the reference's length. `wide` says
    whether lengths spread so far that axes should be logarithmic.
    """

    slope: Measured
    r: Measured
    near: Measured
    wide: bool


def fit(
    reference: Floats, answer: Floats, *, seed: int = 0, clusters: Clusters | None = None
) -> Fit:
    """Fit the line; empty answers have no logarithm and count for `near` alone."""
    known = np.isfinite(reference) & np.isfinite(answer) & (reference > 0)
    x, y, groups = reference[known], answer[known], chosen(clusters, known)
    near = mean_interval(np.abs(y / x - 1) <= NEAR + 1e-12, seed=seed, clusters=groups)
    there = y > 0
    slope, r = _line(np.log(x[there]), np.log(y[there]), seed, chosen(groups, there))
    both = np.concatenate([x, y[there]])
    p5, p95 = np.percentile(both, [5, 95]) if len(both) else (1.0, 1.0)
    return Fit(slope, r, near, bool(p95 > WIDE * p5))


def _line(x: Floats, y: Floats, seed: int, clusters: Clusters | None) -> tuple[Measured, Measured]:
    n = len(x)
    reason = None if n >= _LEAST_POINTS else f"A line needs at least three answers; there is {n}."
    if reason is None and np.ptp(x) == 0:
        reason = "All references have the same length, so no line can be fitted."
    if reason is not None:
        none = Measured.missing(reason, n=n)
        return none, none
    x, y = x - x.mean(), y - y.mean()  # so that little is lost in the sums of squares
    columns = np.stack([np.ones(n), x, y, x * x, x * y, y * y])
    slope, r = _slope_and_r(columns.sum(axis=1)[:, None])
    bounds: tuple[Any, Any] = (None, None)
    if too_few(n, clusters) is None:
        bounds = _slope_and_r(resampled(columns, seed=seed, clusters=clusters))
    return _bounded(slope, bounds[0], n), _bounded(
        r, bounds[1], n, "All answers are of one length."
    )


def _slope_and_r(sums: Floats) -> tuple[Floats, Floats]:
    n, x, y, xx, xy, yy = sums
    covariance, spread_x, spread_y = xy - x * y / n, xx - x * x / n, yy - y * y / n
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(spread_x > _TINY, covariance / spread_x, np.nan)
        both = np.where((spread_x > _TINY) & (spread_y > _TINY), spread_x * spread_y, np.nan)
        return slope, np.clip(covariance / np.sqrt(both), -1.0, 1.0)


def _bounded(value: Floats, draws: Floats | None, n: int, reason: str = "") -> Measured:
    if not np.isfinite(value[0]):
        return Measured.missing(reason, n=n)
    kept = None if draws is None else interval(draws[np.isfinite(draws)])
    low, high = kept or (None, None)
    return Measured(value=float(value[0]), low=low, high=high, n=n)


def quartiles(lengths: Floats) -> list[str | None]:
    """The quarter of lengths each belongs to, as "13 to 40 tokens"; None where there is no length.

    Equal lengths stay together. There are fewer groups where texts are few or lengths alike.
    """
    known = np.isfinite(lengths)
    parts = max(1, min(_QUARTERS, int(known.sum()) // _LEAST_A_GROUP))
    if not known.any():
        return [None] * len(lengths)
    edges = np.quantile(lengths[known], np.arange(1, parts) / parts)
    place = np.searchsorted(np.unique(edges), np.where(known, lengths, 0.0), side="left")
    names = {}
    for part in np.unique(place[known]):
        inside = lengths[known & (place == part)]
        low, high = int(inside.min()), int(inside.max())
        names[part] = f"{low} to {high} tokens" if high > low else f"{low} tokens"
    return [names[p] if there else None for p, there in zip(place, known, strict=True)]


def named(groups: Sequence[Any]) -> list[str | None]:
    """The user's groups as names; those beyond the 12 largest are put together as "other"."""
    names = [None if group is None or group != group else str(group) for group in groups]  # noqa: PLR0124  NaN
    counts = Counter(name for name in names if name is not None)
    if len(counts) <= MOST_GROUPS:
        return names
    largest = {name for name, _ in counts.most_common(MOST_GROUPS - 1)}
    rest = f"{len(counts) - len(largest)} others"
    return [name if name is None or name in largest else rest for name in names]


def ordered(names: Sequence[str | None]) -> list[str]:
    """Each group's name once: the largest group first, groups of lengths in their order."""
    found = [name for name, _ in Counter(name for name in names if name is not None).most_common()]
    if all(_LENGTHS.fullmatch(name) for name in found):
        found.sort(key=lambda name: int(name.split(" ")[0].replace(",", "")))
    return found
