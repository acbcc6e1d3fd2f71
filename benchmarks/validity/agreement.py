"""How far a score agrees with ratings: Spearman within prompts, of systems and of all texts.

All three are printed, for they can differ much (Gao et al. 2024).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

RESAMPLES = 1000
_LEAST = 3  # values that a correlation needs
_LEAST_TEXTS = 30  # texts with a score, below which none is told


@dataclass(frozen=True)
class Agreement:
    """Spearman's rho, None where there is nothing to correlate.

    `summary` is the mean over prompts of rho over their texts; `system` rho of systems' means;
    `pooled` rho over all texts. Intervals are 95 %, of a bootstrap over prompts.
    """

    n: int
    summary: float | None
    summary_interval: tuple[float, float] | None
    system: float | None
    pooled: float | None
    pooled_interval: tuple[float, float] | None


def spearman(first: np.ndarray, second: np.ndarray) -> float | None:
    """Rank correlation; None for fewer than three pairs or where one side never changes."""
    if len(first) < _LEAST or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])


def agreement(
    scores: np.ndarray,
    ratings: np.ndarray,
    groups: Sequence[str],
    systems: Sequence[str] | None,
    *,
    seed: int = 0,
) -> Agreement:
    """Agreement of (n,) scores with (n,) ratings; texts without a score are left out."""
    known = np.isfinite(scores)
    scores, ratings = scores[known], ratings[known]
    if len(scores) < _LEAST_TEXTS:
        return Agreement(len(scores), None, None, None, None, None)
    names = np.array(groups, dtype=object)[known]
    rows = [np.flatnonzero(names == name) for name in dict.fromkeys(names)]
    within = [spearman(scores[row], ratings[row]) for row in rows] if systems else []
    inside = np.array([rho for rho in within if rho is not None])
    draw = np.random.default_rng(seed)
    pooled = _resampled(scores, ratings, _weights(names, draw))
    means = draw.choice(inside, (RESAMPLES, len(inside))).mean(axis=1) if len(inside) else []
    return Agreement(
        n=len(scores),
        summary=float(inside.mean()) if len(inside) else None,
        summary_interval=_interval(means),
        system=_of_systems(scores, ratings, np.array(systems, dtype=object)[known])
        if systems
        else None,
        pooled=spearman(scores, ratings),
        pooled_interval=_interval(pooled),
    )


def difference(
    first: np.ndarray,
    second: np.ndarray,
    ratings: np.ndarray,
    groups: Sequence[str],
    *,
    seed: int = 0,
) -> tuple[float, float] | None:
    """95 % interval of rho(first) - rho(second) over all texts, the same prompts drawn for both."""
    known = np.isfinite(first) & np.isfinite(second)
    first, second, ratings = first[known], second[known], ratings[known]
    if len(first) < _LEAST_TEXTS:
        return None
    weights = _weights(np.array(groups, dtype=object)[known], np.random.default_rng(seed))
    gaps = _resampled(first, ratings, weights) - _resampled(second, ratings, weights)
    return _interval(gaps)


def _weights(names: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """How often each text is in each resample, whole prompts being drawn: (resamples, n)."""
    where = {name: index for index, name in enumerate(dict.fromkeys(names))}
    counts = draw.multinomial(len(where), np.full(len(where), 1 / len(where)), RESAMPLES)
    weights: np.ndarray = counts[:, [where[name] for name in names]].astype(np.float64)
    return weights


def _resampled(scores: np.ndarray, ratings: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Rank correlation in each resample: (resamples,); NaN where a side never changes."""
    total = weights.sum(axis=1, keepdims=True)
    centred = []
    for values in (scores, ratings):
        ranks = _ranks(values, weights)
        centred.append(ranks - (ranks * weights).sum(axis=1, keepdims=True) / total)
    first, second = centred
    spread = [(one**2 * weights).sum(axis=1) for one in centred]
    with np.errstate(divide="ignore", invalid="ignore"):
        found: np.ndarray = (first * second * weights).sum(axis=1) / np.sqrt(spread[0] * spread[1])
    return found


def _ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean ranks of the values in each resample: (resamples, n)."""
    _, level = np.unique(values, return_inverse=True)
    order = np.argsort(level, kind="stable")
    starts = np.flatnonzero(np.diff(level[order], prepend=-1))
    sizes = np.add.reduceat(weights[:, order], starts, axis=1)
    middle = sizes.cumsum(axis=1) - (sizes - 1) / 2
    ranks: np.ndarray = middle[:, level]
    return ranks


def _of_systems(scores: np.ndarray, ratings: np.ndarray, systems: np.ndarray) -> float | None:
    names = list(dict.fromkeys(systems))
    means = [[values[systems == name].mean() for name in names] for values in (scores, ratings)]
    return spearman(np.array(means[0]), np.array(means[1]))


def _interval(values: object) -> tuple[float, float] | None:
    found = np.asarray(values, dtype=np.float64)
    found = found[np.isfinite(found)]
    if len(found) < RESAMPLES // 2:
        return None
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)
