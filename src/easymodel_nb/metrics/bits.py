"""What a perplexity is besides: nats per token and bits per byte, and how they changed.

Bits per byte, sum of NLL / (ln 2 * UTF-8 bytes of what is scored), is the unit that compares
across tokenizers (Gao et al. 2020, "The Pile"); 8 / bits per byte is the rate at which the model
would compress the text. All intervals resample texts.
"""

import math

import numpy as np

from easymodel_nb.measured import Measured
from easymodel_nb.metrics.perplexity import Perplexity
from easymodel_nb.metrics.stats import (
    Clusters,
    interval,
    measured,
    paired_ratio_change,
    ratio_interval,
    resampled,
    too_few,
)

LOSS = "nats per token"
BITS = "bits per byte"
_NOTHING = "Nothing was scored."


def loss(found: Perplexity) -> Measured:
    """Mean NLL with its interval: the logarithms of the perplexity's."""
    if found.loss is None:
        return Measured.missing(found.reason or _NOTHING, n=found.n, unit=LOSS)
    low, high = (None if bound is None else math.log(bound) for bound in (found.low, found.high))
    return measured(found.loss, (low, high), found.n or 0, unit=LOSS)


def bits_per_byte(found: Perplexity, *, seed: int = 0) -> Measured:
    """Bits per byte with its interval over texts."""
    value = found.bits_per_byte
    if value is None:
        return Measured.missing(found.reason or _NOTHING, n=found.n, unit=BITS)
    bits = [nll / math.log(2) for nll, _ in found.per_text]
    sizes = [float(size) for size in found.bytes_by_text]
    bounds = ratio_interval(bits, sizes, seed=seed) or (None, None)
    return measured(value, bounds, found.n or 0, unit=BITS)


def perplexity_change(
    after: Perplexity, before: Perplexity, *, clusters: Clusters | None = None, seed: int = 0
) -> Measured:
    """Paired change of the perplexity of the same texts, in percent; below 0 it fell.

    There is no value, and the reason, where either has none, or their tokens differ.
    """
    for found in (after, before):
        if not found.per_text:
            return Measured.missing(found.reason or _NOTHING, n=found.n, unit="%")
    return paired_ratio_change(after.per_text, before.per_text, clusters=clusters, seed=seed)


def bits_per_byte_change(after: Perplexity, before: Perplexity, *, seed: int = 0) -> Measured:
    """Paired change of bits per byte of the same texts, also across tokenizers; below 0 it fell.

    A text counts if anything of it is scored both times. The interval resamples texts (2,000).

    Raises
    ------
    ValueError
        When the numbers of texts differ.

    """
    for found in (after, before):
        if not found.per_text:
            return Measured.missing(found.reason or _NOTHING, n=found.n, unit=BITS)
    if len(after.per_text) != len(before.per_text):
        msg = f"{len(after.per_text)} texts after and {len(before.per_text)} before: give the same"
        raise ValueError(msg)
    columns = np.array(
        [
            [nll for nll, _ in after.per_text],
            after.bytes_by_text,
            [nll for nll, _ in before.per_text],
            before.bytes_by_text,
        ],
        dtype=np.float64,
    )
    columns = columns[:, (columns[1] > 0) & (columns[3] > 0)]
    n = columns.shape[1]
    lacking = too_few(n, None)
    if lacking:
        return Measured.missing(lacking, n=n, unit=BITS)
    value = float(_bits(columns.sum(axis=1)[:, None])[0])
    low, high = interval(_bits(resampled(columns, seed=seed))) or (None, None)
    return Measured(value=value, low=low, high=high, n=n, unit=BITS)


def _bits(sums: np.ndarray) -> np.ndarray:
    """Of sums (4, m) of NLL and bytes after and before: the difference in bits per byte."""
    after, size, before, old_size = sums
    difference: np.ndarray = (after / size - before / old_size) / math.log(2)
    return difference
