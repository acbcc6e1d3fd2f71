"""Fluency: how like the references a text reads, and how little it repeats itself.

F = sqrt(B * N). B is a band on the text's least probable sentence (SLOR: log probability over that
of a unigram model, by token; Kann et al. 2018): as probable as the references, neither less nor
more. Likelihood alone would rank decoded text above people's (the likelihood trap: Zhang et al.
2021; Meister et al. 2022). N is 1 up to as many repeated word pairs as the references have.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from easymodel_nb.metrics.judges import LanguageModel
from easymodel_nb.metrics.scales import Floats, Spread, percentile
from easymodel_nb.metrics.text import Text

Scorer = Callable[[Sequence[str]], Any]
UNCALIBRATED_REPETITION = 0.1  # rep-2 that costs nothing where there is no reference
_ALL_LOST = 0.35  # rep-2 above the references' at which nothing of N is left


@dataclass(frozen=True)
class Repetition:
    """N: 1 while rep-2 stays within the 95th percentile of the references, 0 from .35 above it."""

    tolerated: float

    @classmethod
    def of(cls, rep2: Floats) -> Self:
        """By the references' rep-2, if there are any."""
        found = percentile(rep2, 95)
        return cls(UNCALIBRATED_REPETITION if found is None else found)

    def __call__(self, rep2: Floats) -> Floats:
        """Scores of texts by their rep-2."""
        over: Floats = np.maximum(0.0, np.asarray(rep2) - self.tolerated)
        return np.clip(1 - over / _ALL_LOST, 0.0, 1.0)


@dataclass(frozen=True)
class Fluency:
    """The scale of one data set; `band` is None where no language model could be calibrated."""

    repetition: Repetition
    band: Spread | None

    @classmethod
    def of(cls, rep2: Floats, slor: Floats) -> Self:
        """By the references' rep-2 and worst-sentence SLOR."""
        return cls(Repetition.of(rep2), Spread.of(slor))

    def novelty(self, rep2: Floats) -> Floats:
        """N."""
        return self.repetition(rep2)

    def likeness(self, slor: Floats) -> Floats:
        """B, which is 1 without a language model."""
        return np.ones(len(slor)) if self.band is None else self.band.band(slor)

    def __call__(self, rep2: Floats, slor: Floats) -> Floats:
        """Scores of texts, 0 to 1."""
        found: Floats = np.sqrt(self.likeness(slor) * self.novelty(rep2))
        return found


def worst_slor(texts: Sequence[Text], model: LanguageModel) -> Floats:
    """SLOR of each text's worst sentence, in nats a token; each distinct sentence is scored once.

    A sentence of one token, which some models cannot score, does not count. NaN where no sentence
    has a finite number.
    """
    known = by_sentence(texts, model.slor)
    found = np.full(len(texts), np.nan)
    for index, text in enumerate(texts):
        scores = [s for s in map(known.__getitem__, text.sentences) if math.isfinite(s)]
        found[index] = min(scores, default=math.nan)
    return found


def by_sentence(texts: Sequence[Text], score: Scorer, *, parts: bool = False) -> dict[str, float]:
    """One number for each distinct sentence of the texts, or for each part an encoder can read."""
    distinct = sorted({s for text in texts for s in (text.parts if parts else text.sentences)})
    scores = np.asarray(score(distinct), dtype=np.float64) if distinct else np.zeros(0)
    return dict(zip(distinct, scores.tolist(), strict=True))
