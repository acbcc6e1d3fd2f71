"""Whether two sets of answers come from one distribution: squared maximum mean discrepancy.

Gretton et al. 2012, "A Kernel Two-Sample Test", the unbiased estimator of their lemma 6 with a
Gaussian kernel k(x, y) = exp(-|x - y|^2 / (2 sigma^2)):

    MMD^2_u = 1 / (n (n - 1)) * sum over i != j of h_ij,
    h_ij = k(x_i, x_j) + k(y_i, y_j) - k(x_i, y_j) - k(x_j, y_i).

x_i and y_i answer the same prompt, which makes them alike; a pair is never compared with itself,
so this adds no bias. The estimate is 0 on average where nothing differs, and may fall below it.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from easymodel_nb.measured import Measured
from easymodel_nb.metrics.stats import draws, interval

Floats = NDArray[np.float64]

PERMUTATIONS = 500
_TWO = 2
_ROUNDING = 1e-12  # sums of the same numbers in another order


@dataclass(frozen=True)
class Discrepancy:
    """MMD^2_u of two sets of answers to the same prompts, and the chance of one as large.

    `p_value`: the share of `PERMUTATIONS` random exchanges within pairs, the observed one
    counted in, that give at least this much.
    """

    value: Measured
    p_value: float | None


def bandwidth(vectors: Floats) -> float:
    """Sigma by the median heuristic: the median distance between two different vectors; else 1."""
    squares = _squared_distances(vectors, vectors)
    apart = np.sqrt(squares[np.triu_indices(len(vectors), k=1)])
    median = float(np.median(apart)) if len(apart) else 0.0
    if median <= 0:  # more than half of them are the same
        apart = apart[apart > 0]
        median = float(np.median(apart)) if len(apart) else 1.0
    return median


def terms(left: Floats, right: Floats, sigma: float) -> Floats:
    """h_ij of each two pairs, (n, n), 0 on the diagonal; pairs are rows of both (n, numbers)."""
    crossed = _kernel(left, right, sigma)
    found = _kernel(left, left, sigma) + _kernel(right, right, sigma) - crossed - crossed.T
    np.fill_diagonal(found, 0.0)
    return found


def discrepancy(left: Floats, right: Floats, *, sigma: float, seed: int = 0) -> Discrepancy:
    """MMD^2_u between answers to the same prompts, rows (n, numbers) in the same order.

    The p-value exchanges answers within pairs, which changes nothing where both come from one
    distribution: that turns the signs of h_ij, so an exchange is the quadratic form of its signs.
    """
    n = len(left)
    if n < _TWO:
        reason = f"A distribution needs at least two answers; there is {n}."
        return Discrepancy(Measured.missing(reason, n=n), None)
    found, scale = terms(left, right, sigma), n * (n - 1)
    value = float(found.sum()) / scale
    signs = np.random.default_rng(seed).integers(0, 2, size=(PERMUTATIONS, n)) * 2.0 - 1.0
    exchanged = ((signs @ found) * signs).sum(axis=1) / scale
    as_large = int((exchanged >= value - _ROUNDING).sum())
    p_value = (1 + as_large) / (1 + PERMUTATIONS)
    return Discrepancy(Measured(value=value, n=n), p_value)


def towards(
    before: Floats, after: Floats, target: Floats, *, sigma: float, seed: int = 0
) -> Measured:
    """MMD^2_u(before, target) - MMD^2_u(after, target): above 0 where the drift went to the target.

    Rows (n, numbers) answer the same prompts. The 95 % interval resamples prompts (2,000); a
    prompt drawn twice is not compared with itself.
    """
    n = len(before)
    if n < _TWO:
        reason = f"A distribution needs at least two answers; there is {n}."
        return Measured.missing(reason, n=n)
    gained = terms(before, target, sigma) - terms(after, target, sigma)
    low, high = interval(_resampled_means(gained, seed)) or (None, None)
    value = math.fsum(gained.ravel()) / (n * (n - 1))
    return Measured(value=value, low=low, high=high, n=n)


def _resampled_means(found: Floats, seed: int) -> Floats:
    """Means of the terms of two different prompts, prompts drawn with replacement."""
    n = len(found)
    means = []
    for picks in draws(n, seed=seed):
        counts = np.zeros((len(picks), n))
        np.add.at(counts, (np.arange(len(picks))[:, None], picks), 1.0)
        pairs = n * n - (counts**2).sum(axis=1)
        sums = ((counts @ found) * counts).sum(axis=1)
        means.append(sums[pairs > 0] / pairs[pairs > 0])
    return np.concatenate(means)


def _kernel(left: Floats, right: Floats, sigma: float) -> Floats:
    return np.exp(-_squared_distances(left, right) / (2 * sigma**2))


def _squared_distances(left: Floats, right: Floats) -> Floats:
    """Squared Euclidean distances of each row to each row, never below 0."""
    norms = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None]
    squares: Floats = norms - 2 * left @ right.T
    squares[squares < _ROUNDING] = 0.0  # rounding would keep the same vectors apart
    return squares
