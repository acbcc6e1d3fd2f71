"""Coherence: whether a text's sentences follow its source, or each other, without repetition.

C = sqrt(N * A), N as in fluency. With a source of five sentences or more A is how well each
sentence is supported by the source and, in summaries, whether the order of the source is kept.
Without one, A is half the band of fluency and half a guard of the order: neighbours should be
nearer to each other than any two sentences (Foltz 1998 counts neighbours alone, which rewards
saying one thing over and over). With a causal scorer the guard is how much likelier the sentences
before make each sentence: a band again, for decoded text says what was to be expected more than
people do (METRICS 5.2 takes more for better; docs/metrics.md has the numbers). One sentence has no
coherence.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from easymodel_nb.metrics.scales import Floats, Linear, Spread, sigmoid

SOURCE = 5  # sentences from which on a source is one
ORDERED = 4  # sentences from which on their order can be told from chance
_SUPPORT = Linear(0.3, 0.95)  # METRICS 5.2


@dataclass(frozen=True)
class Coherence:
    """The scales of one data set, as far as its references carry them."""

    order: Spread | None  # of `order_gain`
    gain: Spread | None  # of a scorer's gain by the sentences before

    @classmethod
    def of(cls, order: Floats, gain: Floats) -> Self:
        """By the references' raw numbers."""
        return cls(Spread.of(order, least=0.02), Spread.of(gain, least=0.02))

    def without_source(self, likeness: Floats, order: Floats, gain: Floats) -> Floats:
        """A from the band B and, of what there is, the band of the gain or the order guard."""
        if self.gain is not None:
            return 0.5 * self.gain.band(gain) + 0.5 * likeness
        if self.order is None:
            return likeness
        guard = sigmoid(self.order.z(order))
        return np.where(np.isnan(order), likeness, 0.5 * guard + 0.5 * likeness)


def with_source(support: Floats, order: Floats, *, summaries: bool) -> Floats:
    """A from support by the source and the share of steps that do not go back in it."""
    supported = _SUPPORT(support)
    return 0.5 * supported + 0.5 * np.asarray(order) if summaries else supported


def order_gain(vectors: Floats) -> float:
    """Mean cosine of neighbours minus mean cosine of all pairs of sentence vectors (m, width).

    Its expectation over random orders is 0. NaN for fewer than four sentences.
    """
    count = len(vectors)
    if count < ORDERED:
        return float("nan")
    cosines = vectors @ vectors.T
    pairs = (cosines.sum() - np.trace(cosines)) / (count * (count - 1))
    return float(np.diagonal(cosines, offset=1).mean() - pairs)


def source_support(vectors: Floats, source: Floats) -> tuple[float, float]:
    """Mean over sentences of the best cosine in the source, and the share of forward steps.

    `vectors` (m, width) and `source` (s, width) are those of the sentences, m >= 2.
    """
    cosines = vectors @ source.T
    best = cosines.argmax(axis=1)
    return float(cosines.max(axis=1).mean()), float((np.diff(best) >= 0).mean())
