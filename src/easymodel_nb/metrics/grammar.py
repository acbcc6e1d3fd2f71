"""Grammar, or well-formedness: what the judge thinks of a text's sentences, on the average.

The local judge is a probe that was trained to tell sentences from corrupted ones. Only the order of
its probabilities has a meaning, so they are read against the references: 0 at their 2nd, 1 at
their 75th percentile. A tenth of the score is the probability itself: so damage is seen also where
both texts lie above or below the references' range (of English news, a tie in 13 % of pairs
without it). A judge that was trained on people's judgements is taken as it is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from easymodel_nb.metrics.fluency import by_sentence
from easymodel_nb.metrics.judges import GrammarJudge
from easymodel_nb.metrics.scales import LEAST, Floats, Linear, finite
from easymodel_nb.metrics.text import Text

_PERCENTILES = (2, 75)
_OWN = 0.1  # share of the judge's own probability
_LEAST_WIDTH = 0.05  # of probability: so that equal references do not condemn every other text


@dataclass(frozen=True)
class Grammar:
    """The scale of one data set; None takes probabilities as they are."""

    scale: Linear | None

    @classmethod
    def of(cls, probabilities: Floats, *, rescale: bool) -> Self:
        """By the references' mean probabilities, where the judge needs it and there are enough."""
        known = finite(probabilities)
        if not rescale or len(known) < LEAST:
            return cls(None)
        low, high = (float(bound) for bound in np.percentile(known, _PERCENTILES))
        return cls(Linear(min(low, high - _LEAST_WIDTH), high))

    def __call__(self, probabilities: Floats) -> Floats:
        """Scores of texts, 0 to 1."""
        own = np.clip(np.asarray(probabilities, dtype=np.float64), 0.0, 1.0)
        if self.scale is None:
            return own
        found: Floats = (1 - _OWN) * self.scale(probabilities) + _OWN * own
        return found


def mean_probability(texts: Sequence[Text], judge: GrammarJudge) -> Floats:
    """Mean over each text's sentences; NaN where one has no finite probability."""
    known = by_sentence(texts, judge.probabilities, parts=True)
    found = np.full(len(texts), np.nan)
    for index, text in enumerate(texts):
        scores = [known[sentence] for sentence in text.parts]
        found[index] = math.fsum(scores) / len(scores) if scores else math.nan
    return found
