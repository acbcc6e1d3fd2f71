"""How far a score agrees with ratings: Spearman within prompts, of systems and of all texts.

All three are printed, for they can differ much (Gao et al. 2024).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

RESAMPLES = 1000
_LEAST = 3  # values that a correlation needs


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
    names = np.array(groups, dtype=object)[known]
    rows = [np.flatnonzero(names == name) for name in dict.fromkeys(names)]
    within = [spearman(scores[row], ratings[row]) for row in rows] if systems else []
    inside = np.array([rho for rho in within if rho is not None])
    draw = np.random.default_rng(seed)
    pooled = []
    for _ in range(RESAMPLES):
        picked = np.concatenate([rows[i] for i in draw.integers(0, len(rows), len(rows))])
        rho = spearman(scores[picked], ratings[picked])
        pooled += [rho] if rho is not None else []
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
    names = np.array(groups, dtype=object)[known]
    rows = [np.flatnonzero(names == name) for name in dict.fromkeys(names)]
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(RESAMPLES):
        picked = np.concatenate([rows[i] for i in draw.integers(0, len(rows), len(rows))])
        one, other = (
            spearman(first[picked], ratings[picked]),
            spearman(second[picked], ratings[picked]),
        )
        if one is not None and other is not None:
            found.append(one - other)
    return _interval(found)


def _of_systems(scores: np.ndarray, ratings: np.ndarray, systems: np.ndarray) -> float | None:
    names = list(dict.fromkeys(systems))
    means = [[values[systems == name].mean() for name in names] for values in (scores, ratings)]
    return spearman(np.array(means[0]), np.array(means[1]))


def _interval(values: object) -> tuple[float, float] | None:
    found = np.asarray(values, dtype=np.float64)
    if len(found) < RESAMPLES // 2:
        return None
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)
