"""Confidence intervals by the bootstrap over examples."""

from collections.abc import Sequence

import numpy as np

RESAMPLES = 1000
_CHUNK = 2_000_000  # indices drawn at once, so that memory stays small


def ratio_interval(
    numerators: Sequence[float],
    denominators: Sequence[float],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> tuple[float, float] | None:
    """95 % percentile interval of sum(numerators) / sum(denominators), resampling pairs.

    Returns None for fewer than two pairs, which carry no spread. The interval is
    a function of the arguments alone: it uses a generator of its own.
    """
    top = np.asarray(numerators, dtype=np.float64)
    bottom = np.asarray(denominators, dtype=np.float64)
    if len(top) < 2 or bottom.sum() <= 0:  # noqa: PLR2004  one pair has no spread
        return None
    generator = np.random.default_rng(seed)
    ratios: list[np.ndarray] = []
    per_chunk = max(1, _CHUNK // len(top))
    for start in range(0, resamples, per_chunk):
        rows = min(per_chunk, resamples - start)
        picks = generator.integers(0, len(top), size=(rows, len(top)))
        sums = bottom[picks].sum(axis=1)
        valid = sums > 0
        ratios.append(top[picks].sum(axis=1)[valid] / sums[valid])
    low, high = np.percentile(np.concatenate(ratios), [2.5, 97.5])
    return float(low), float(high)
