"""Means and changes with 95 % confidence intervals, by the bootstrap over examples (Efron 1979).

Every interval is the 2.5th to 97.5th percentile of the number computed anew on examples drawn
with replacement. A change is paired: an example is drawn with what it scored before and after,
so that what makes it easy or hard in itself cancels. Each function has a generator of its own:
the interval is a function of the arguments alone.

Examples of one cluster (the same prompt twice) are drawn together: they are no new evidence.
"""

import math
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from easymodel_nb.measured import Measured

RESAMPLES = 1000
PAIRED_RESAMPLES = 2000  # for changes, and for whatever stands beside them
_CHUNK = 2_000_000  # indices drawn at once, so that memory stays small
_TWO = 2  # examples, of which an interval can be made
_CONFIDENCE = (2.5, 97.5)  # percentiles

Floats = NDArray[np.float64]
Values = Sequence[float | None] | NDArray[Any]
Clusters = Sequence[Hashable]


def ratio_interval(
    numerators: Sequence[float],
    denominators: Sequence[float],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    clusters: Clusters | None = None,
) -> tuple[float, float] | None:
    """95 % percentile interval of sum(numerators) / sum(denominators), resampling pairs.

    Returns None for fewer than two pairs, or two clusters, which carry no spread. The interval
    is a function of the arguments alone: it uses a generator of its own.
    """
    top = np.asarray(numerators, dtype=np.float64)
    bottom = np.asarray(denominators, dtype=np.float64)
    units = len(top) if clusters is None else len(set(clusters))
    if units < _TWO or bottom.sum() <= 0:
        return None
    columns = np.stack([top, bottom])
    sums = resampled(columns, seed=seed, resamples=resamples, clusters=clusters)
    valid = sums[1] > 0
    return interval(sums[0][valid] / sums[1][valid])


def mean_interval(
    values: Values,
    *,
    seed: int = 0,
    unit: str | None = None,
    judge: str | None = None,
    clusters: Clusters | None = None,
) -> Measured:
    """Mean of the values with its 95 % interval; `n` counts them.

    Values that are None or not finite do not count; who calls says how many there were. One
    value, or values of one cluster only, have a mean and no interval.
    """
    numbers = as_floats(values)
    valid = np.isfinite(numbers)
    n = int(valid.sum())
    if n == 0:
        return Measured.missing("There was no text to measure with.", n=0, unit=unit)
    kept = numbers[valid]
    columns = np.stack([kept, np.ones(n)])
    low, high = _mean_bounds(columns, chosen(clusters, valid), seed)
    return measured(math.fsum(kept) / n, (low, high), n, unit=unit, judge=judge)


def paired_difference(
    after: Values,
    before: Values,
    *,
    seed: int = 0,
    unit: str | None = None,
    clusters: Clusters | None = None,
) -> Measured:
    """Mean of after - before over the same examples, with its paired 95 % interval.

    Parameters
    ----------
    after, before
        What each example scored, in the same order; a pair with a None or a number that is not
        finite does not count.
    seed
        Of the bootstrap (2,000 resamples of pairs, percentiles).
    unit
        Of the difference.
    clusters
        One name an example; examples with the same one are resampled together.

    Returns
    -------
    Measured
        `n` counts pairs. Below two pairs, or two clusters, there is no value and the reason.

    Raises
    ------
    ValueError
        When the numbers of examples differ.

    """
    new, old = as_floats(after), as_floats(before)
    same_length(new, old)
    valid = np.isfinite(new) & np.isfinite(old)
    n, groups = int(valid.sum()), chosen(clusters, valid)
    lacking = too_few(n, groups)
    if lacking:
        return Measured.missing(lacking, n=n, unit=unit)
    differences = new[valid] - old[valid]
    bounds = _mean_bounds(np.stack([differences, np.ones(n)]), groups, seed)
    return measured(math.fsum(differences) / n, bounds, n, unit=unit)


def paired_ratio_change(
    after: Sequence[tuple[float, int]],
    before: Sequence[tuple[float, int]],
    *,
    seed: int = 0,
    clusters: Clusters | None = None,
) -> Measured:
    """Change of a perplexity in percent: 100 * (exp(mean NLL after - mean NLL before) - 1).

    Parameters
    ----------
    after, before
        (summed negative log-likelihood in nats, scored tokens) of each text, in the same order,
        as `Perplexity.per_text`. A text without a scored token does not count.
    seed, clusters
        As in `paired_difference`.

    Returns
    -------
    Measured
        Unit "%", -46 where the perplexity fell by 46 %; means are over tokens, resamples over
        texts. There is no value, but the reason, below two texts, where a likelihood is not
        finite, and where the tokens differ: perplexities over other tokens do not compare.

    Raises
    ------
    ValueError
        When the numbers of texts differ.

    """
    new = np.asarray(after, dtype=np.float64).reshape(-1, 2)
    old = np.asarray(before, dtype=np.float64).reshape(-1, 2)
    same_length(new, old)
    valid = (new[:, 1] > 0) | (old[:, 1] > 0)
    n, groups = int(valid.sum()), chosen(clusters, valid)
    lacking = too_few(n, groups)
    if not lacking and (new[valid, 1] != old[valid, 1]).any():
        lacking = "The two were scored over different tokens: compare bits per byte instead."
    if not lacking and not (np.isfinite(new[valid, 0]) & np.isfinite(old[valid, 0])).all():
        lacking = "The model gave no finite probability for some of the texts."
    if lacking:
        return Measured.missing(lacking, n=n, unit="%")
    differences, tokens = new[valid, 0] - old[valid, 0], new[valid, 1]
    low, high = _mean_bounds(np.stack([differences, tokens]), groups, seed)
    value = _percent(math.fsum(differences) / math.fsum(tokens))
    if value is None:
        return Measured.missing("The change is too large to write down.", n=n, unit="%")
    low, high = (None if bound is None else _percent(bound) for bound in (low, high))
    return measured(value, (low, high), n, unit="%")


def paired_quotient(
    after: tuple[Values, Values],
    before: tuple[Values, Values],
    *,
    seed: int = 0,
    clusters: Clusters | None = None,
) -> Measured:
    """(sum a / sum b) after over the same before, with its paired 95 % interval; 1 is no change.

    Parameters
    ----------
    after, before
        Numerators and denominators of each example; an example with a None or a number that is
        not finite among its four does not count.
    seed, clusters
        As in `paired_difference`.

    Returns
    -------
    Measured
        `n` counts examples. Below two of them there is no value and the reason; likewise where
        a denominator, or the ratio before, is 0.

    """
    columns = np.stack([as_floats(column) for column in (*after, *before)])
    valid = np.asarray(np.isfinite(columns).all(axis=0))
    n, groups = int(valid.sum()), chosen(clusters, valid)
    columns = columns[:, valid]
    value = _quotient(columns.sum(axis=1)[:, None]) if n else np.array([np.nan])
    lacking = too_few(n, groups)
    if not lacking and not np.isfinite(value[0]):
        lacking = "What it would be divided by is 0."
    if lacking:
        return Measured.missing(lacking, n=n)
    ratios = _quotient(resampled(columns, seed=seed, clusters=groups))
    bounds = interval(ratios[np.isfinite(ratios)]) or (None, None)
    return measured(float(value[0]), bounds, n)


# ---------------------------------------------------------------- what they share


def measured(
    value: float,
    bounds: tuple[float | None, float | None],
    n: int,
    *,
    unit: str | None = None,
    judge: str | None = None,
) -> Measured:
    """A value with its interval, which holds it: sums in another order differ by rounding."""
    low, high = bounds
    return Measured(
        value=value,
        low=None if low is None else min(low, value),
        high=None if high is None else max(high, value),
        n=n,
        unit=unit,
        judge=judge,
    )


def resampled(
    columns: Floats,
    *,
    seed: int,
    resamples: int = PAIRED_RESAMPLES,
    clusters: Clusters | None = None,
) -> Floats:
    """Sums of columns (k, n) over n examples drawn with replacement: shape (k, resamples)."""
    if clusters is not None:
        columns = _by_cluster(columns, clusters)
    n = columns.shape[1]
    parts = [
        np.stack([row[picks].sum(axis=1) for row in columns])  # row by row: memory stays small
        for picks in draws(n, seed=seed, resamples=resamples)
    ]
    return np.concatenate(parts, axis=1)


def draws(n: int, *, seed: int, resamples: int = PAIRED_RESAMPLES) -> Iterator[NDArray[np.int64]]:
    """Places of n examples drawn with replacement, `resamples` rows in chunks."""
    generator = np.random.default_rng(seed)
    rows = max(1, _CHUNK // n)
    for start in range(0, resamples, rows):
        yield generator.integers(0, n, size=(min(rows, resamples - start), n))


def interval(values: Floats) -> tuple[float, float] | None:
    """The 2.5th and 97.5th percentile; None where there is nothing."""
    if len(values) == 0:
        return None
    low, high = np.percentile(values, _CONFIDENCE)
    return float(low), float(high)


def as_floats(values: Values) -> Floats:
    """The values as numbers, NaN where there is none."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def chosen(clusters: Clusters | None, valid: NDArray[np.bool_]) -> Clusters | None:
    """The clusters of the examples that count.

    Raises
    ------
    ValueError
        When there are not as many clusters as examples.

    """
    if clusters is None:
        return None
    if len(clusters) != len(valid):
        msg = f"{len(clusters)} clusters for {len(valid)} examples: give one an example"
        raise ValueError(msg)
    return [name for name, counts in zip(clusters, valid, strict=True) if counts]


def too_few(n: int, clusters: Clusters | None) -> str | None:
    """Why a change of n examples has no interval and is not told."""
    if n < _TWO:
        return f"A change needs at least two texts that were measured both times; there is {n}."
    if clusters is not None and len(set(clusters)) < _TWO:
        return "All texts answer one and the same prompt, so the change may be that prompt's alone."
    return None


def same_length(after: Floats, before: Floats) -> None:
    """Raise ValueError when the numbers of examples differ."""
    if len(after) != len(before):
        msg = f"{len(after)} examples after and {len(before)} before: give the same ones, in order"
        raise ValueError(msg)


def _by_cluster(columns: Floats, clusters: Clusters) -> Floats:
    """Sums of the examples of each cluster, shape (k, clusters)."""
    places = {name: place for place, name in enumerate(dict.fromkeys(clusters))}
    where = np.array([places[name] for name in clusters])
    return np.stack([np.bincount(where, weights=row, minlength=len(places)) for row in columns])


def _mean_bounds(
    columns: Floats, clusters: Clusters | None, seed: int
) -> tuple[float | None, float | None]:
    """Bounds of sum(columns[0]) / sum(columns[1]); none for one example or cluster."""
    units = columns.shape[1] if clusters is None else len(set(clusters))
    if units < _TWO:
        return None, None
    top, bottom = resampled(columns, seed=seed, clusters=clusters)
    return interval(top / bottom) or (None, None)


def _quotient(sums: Floats) -> Floats:
    """Of sums (4, m): (a / b) / (c / d), NaN where it is not defined."""
    a, b, c, d = sums
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios: Floats = np.where((b > 0) & (c > 0) & (d > 0), (a / b) / (c / d), np.nan)
    return ratios


def _percent(difference: float) -> float | None:
    try:
        return 100 * math.expm1(difference)
    except OverflowError:
        return None
