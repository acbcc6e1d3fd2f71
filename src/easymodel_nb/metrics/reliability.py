"""Whether a classifier is as often right as it is sure: expected calibration error, by bins.

Naeini et al. 2015 and Guo et al. 2017, with bins of equal mass (Nguyen and O'Connor 2015): rows
are sorted by the probability of the predicted class and cut into ten parts of as many rows, of
which the mean probability and the share that is right are compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from easymodel_nb.measured import Measured
from easymodel_nb.metrics.stats import Clusters, chosen, interval, resampled, too_few

Floats = NDArray[np.float64]

BINS = 10
LEAST_A_BIN = 10  # rows; below that there are fewer bins
LEAST = 20  # rows, below which nothing is told


@dataclass(frozen=True)
class Bin:
    """Rows about which the model is about as sure.

    `confidence`: mean probability of what it predicted. `accuracy`: share of it that is right,
    with its 95 % Wilson interval, or that of the bootstrap over clusters where it is wider.
    """

    confidence: float
    accuracy: Measured

    def dump(self) -> dict[str, Any]:
        """As a run's log holds it."""
        return {"confidence": self.confidence, "accuracy": self.accuracy, "n": self.accuracy.n}


@dataclass(frozen=True)
class Reliability:
    """Expected calibration error, 0 to 1, and what it is made of.

    `error`: mean over rows of the distance between confidence and accuracy of their bin. Chance
    alone makes it larger than 0, and its interval, which resamples rows within fixed bins, leans
    upwards. `overconfidence`: mean confidence minus accuracy, which is below 0 where the model is
    right more often than it is sure.
    """

    error: Measured
    overconfidence: Measured
    bins: list[Bin]

    def dump(self) -> dict[str, Any]:
        """As a run's log holds it: `ece` is the error."""
        bins = [one.dump() for one in self.bins]
        return {"ece": self.error, "overconfidence": self.overconfidence, "bins": bins}


def reliability(
    probabilities: NDArray[Any] | Sequence[Any],
    truth: NDArray[Any] | Sequence[Any],
    *,
    clusters: Clusters | None = None,
    seed: int = 0,
) -> Reliability:
    """Compare how sure a model is with how often it is right.

    Parameters
    ----------
    probabilities
        (n, classes), rows of sum 1; or, with yes and no for each of several labels, the
        probability of each label by itself.
    truth
        Class numbers (n,), or yes and no (n, labels).
    clusters
        One name a row; rows of the same are resampled together.
    seed
        Of the bootstrap (2,000 resamples).

    Returns
    -------
    Reliability
        Rows that are not finite do not count. Below 20 rows there is no value and the reason.

    Raises
    ------
    ValueError
        When the numbers of rows differ.

    """
    sure, right, names = _flat(np.asarray(probabilities, np.float64), np.asarray(truth), clusters)
    known = np.isfinite(sure)
    sure, right, names = sure[known], right[known], chosen(names, known)
    n = len(sure)
    lacking = too_few(n, names)
    if n < LEAST:
        lacking = f"Calibration needs at least {LEAST} predictions; there are {n}."
    if lacking:
        none = Measured.missing(lacking, n=n)
        return Reliability(none, none, [])
    place = _places(sure)
    bins = int(place.max()) + 1
    inside = np.eye(bins)[place].T
    columns = np.concatenate([inside * (sure - right), np.ones((1, n))])
    draws = resampled(columns, seed=seed, clusters=names)
    error = _measured(_error(columns.sum(axis=1)[:, None])[0], _error(draws), n)
    over = _measured(float((sure - right).mean()), draws[:-1].sum(axis=0) / draws[-1], n)
    ends: list[tuple[float, float] | None] = [None] * bins
    if names is not None:  # rows of one text are alike, so that Wilson's interval is too narrow
        tops = resampled(inside * right, seed=seed, clusters=names)
        sizes = resampled(inside, seed=seed, clusters=names)
        ends = [interval(t[s > 0] / s[s > 0]) for t, s in zip(tops, sizes, strict=True)]
    return Reliability(
        error, over, [_bin(sure[place == b], right[place == b], ends[b]) for b in range(bins)]
    )


def _flat(
    probabilities: Floats, truth: NDArray[Any], clusters: Clusters | None
) -> tuple[Floats, Floats, Clusters | None]:
    """Of each prediction how sure it is and whether it is right; labels one after the other."""
    if len(probabilities) != len(truth):
        msg = f"{len(probabilities)} rows of probabilities for {len(truth)} true labels"
        raise ValueError(msg)
    if truth.ndim == 1:
        sure = probabilities.max(axis=1) if probabilities.size else np.zeros(0)
        guessed = probabilities.argmax(axis=1) if probabilities.size else np.zeros(0)
        return sure, (guessed == truth).astype(np.float64), clusters
    yes = probabilities > 0.5  # noqa: PLR2004  as a label is predicted
    sure = np.where(yes, probabilities, 1 - probabilities)
    rows = list(range(len(truth))) if clusters is None else clusters
    names = [name for name in rows for _ in range(truth.shape[1])]
    return sure.ravel(), (yes == (truth > 0)).astype(np.float64).ravel(), names


def _places(sure: Floats) -> NDArray[np.int64]:
    """The bin of each row; equal probabilities stay together, so that order does not matter."""
    bins = min(BINS, len(sure) // LEAST_A_BIN)
    edges = np.quantile(sure, np.arange(1, bins) / bins)
    place = np.searchsorted(edges, sure, side="left")
    return np.unique(place, return_inverse=True)[1].reshape(-1)


def _error(sums: Floats) -> Floats:
    """Of sums (bins + 1, m), the last of which counts rows: mean distance of both, by bin."""
    found: Floats = np.abs(sums[:-1]).sum(axis=0) / sums[-1]
    return found


def _bin(sure: Floats, right: Floats, drawn: tuple[float, float] | None) -> Bin:
    """Of its rows; `drawn`: the interval over clusters, which counts where it is the wider."""
    from scipy.stats import binomtest  # noqa: PLC0415

    n, hits = len(right), int(right.sum())
    bounds = binomtest(hits, n).proportion_ci(method="wilson")
    low, high = drawn or (bounds.low, bounds.high)
    low, high = float(min(low, bounds.low)), float(max(high, bounds.high))
    accuracy = Measured(value=hits / n, low=min(low, hits / n), high=max(high, hits / n), n=n)
    return Bin(float(sure.mean()), accuracy)


def _measured(value: float, draws: Floats, n: int) -> Measured:
    low, high = interval(draws) or (value, value)
    return Measured(value=float(value), low=min(low, value), high=max(high, value), n=n)
