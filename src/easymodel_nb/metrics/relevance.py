"""Relevance: how much of the reference a text says, and how near it is to its prompt.

L = (.5 Lr + .5 Lp) (1 - copy), or Lp (1 - copy) where there is no reference. Lr is BERTScore recall
(Zhang et al. 2020) of the reference with our encoder. Lp is the cosine to the prompt or to its last
line, or a causal scorer's gain by the prompt, (log p(text | prompt) - log p(text)) / tokens: what
tells the references' own prompts from others best (`pairs`). `copy` is the longest run of words
taken from the prompt, beyond what references take.

The ends of the scales are those of the data set, as far as its references carry them: 0 is the
median of references that were exchanged between prompts. 1 is, for the prompt, the 75th percentile
of true pairs. A single reference has no true pair but itself; there 1 stands where METRICS 5.2
puts it: 5/7 of the way from the exchanged pairs to identity.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from easymodel_nb.metrics.judges import Encoder
from easymodel_nb.metrics.pairs import Pairs
from easymodel_nb.metrics.scales import LEAST, Floats, Linear, Spread, finite, percentile, sigmoid
from easymodel_nb.metrics.text import Text
from easymodel_nb.metrics.vectors import Vectors, cosines

RECALL = Linear(0.30, 0.80)  # where nothing can be calibrated: METRICS 5.2
COSINE = Linear(0.20, 0.90)
_SHARE = (RECALL.high - RECALL.low) / (1 - RECALL.low)  # of the way to identity
_LEAST_WIDTH = 0.05  # of a scale: below it exchanged pairs look like true ones


@dataclass(frozen=True)
class Relevance:
    """The scales of one data set; `prompt` is None where the prompt tells nothing there."""

    recall: Linear
    prompt: Linear | Spread | None
    copied: float  # 95th percentile of what references copy

    @classmethod
    def of(cls, recall: Linear, prompt: Linear | Spread | None, copied: Floats) -> Self:
        """With the tolerated copying read from the references."""
        return cls(recall, prompt, percentile(copied, 95) or 0.0)

    def __call__(self, recall: Floats, prompt: Floats, copied: Floats) -> Floats:
        """Scores of texts; NaN `recall` or `prompt` is one that does not exist."""
        reference = self.recall(recall)
        if self.prompt is None:
            asked = np.full(len(reference), np.nan)
        elif isinstance(self.prompt, Spread):
            asked = sigmoid(self.prompt.z(prompt))
        else:
            asked = self.prompt(prompt)
        both = np.where(np.isnan(reference), asked, (reference + asked) / 2)
        both = np.where(np.isnan(asked), reference, both)
        return both * (1 - self.copying(copied))

    def copying(self, copied: Floats) -> Floats:
        """Share of copied words beyond what references copy, 0 to 1."""
        if self.copied >= 1:
            return np.zeros(len(copied))
        return np.clip((np.asarray(copied) - self.copied) / (1 - self.copied), 0.0, 1.0)


def recall_scale(exchanged: Floats, true: Floats) -> Linear:
    """From recalls of exchanged references and, where a prompt has several, of its own."""
    known = finite(exchanged)
    if len(known) < LEAST:
        return RECALL
    low = float(np.median(known))
    own = finite(true)
    high = float(np.percentile(own, 75)) if len(own) >= LEAST else low + _SHARE * (1 - low)
    return Linear(low, max(high, low + _LEAST_WIDTH))


def cosine_scale(pairs: Pairs) -> Linear | None:
    """From cosines of references and prompts; None where they tell no more than chance."""
    low, high = percentile(pairs.shuffled, 50), percentile(pairs.true, 75)
    if low is None or high is None or high - low < _LEAST_WIDTH or not pairs.telling:
        return None
    return Linear(low, high)


class Meaning:
    """Similarities by the encoder: BERTScore recall, and cosines of whole texts."""

    name = "BERTScore recall and cosine"

    def __init__(self, encoder: Encoder, vectors: Vectors) -> None:
        self._encoder, self._vectors = encoder, vectors

    def recall(self, texts: Sequence[Text], references: Sequence[Text]) -> Floats:
        """Mean over the reference's wordpieces of the best cosine among the text's: (n,).

        0 for a text of nothing, NaN for a reference of nothing.
        """
        parts = {part: None for text in (*texts, *references) for part in text.passages}
        known = dict(zip(parts, self._encoder.tokens(list(parts)), strict=True))

        def tokens(text: Text) -> Any:
            found = [known[part] for part in text.passages]
            return np.concatenate(found) if found else np.zeros((0, 1), dtype=np.float32)

        return np.array(
            [
                _recall(tokens(text), tokens(reference))
                for text, reference in zip(texts, references, strict=True)
            ]
        )

    def cosine(self, texts: Sequence[Text], prompts: Sequence[Text]) -> Floats:
        """Cosine of each text and its prompt: (n,); NaN for a prompt of nothing."""
        left = self._vectors([text.raw.strip() for text in texts])
        right = self._vectors([prompt.raw.strip() for prompt in prompts])
        found = cosines(left, right) if texts else np.zeros(0)
        return np.where([prompt.empty for prompt in prompts], np.nan, found)


def _recall(text: np.ndarray, reference: np.ndarray) -> float:
    if not len(reference):
        return float("nan")
    if not len(text):
        return 0.0
    return float((reference @ text.T).max(axis=1).mean(dtype=np.float64))


class Words:
    """Similarities without an encoder: ROUGE-1 recall, and the cosine of sets of words."""

    name = "ROUGE-1 recall and overlap of words"

    def recall(self, texts: Sequence[Text], references: Sequence[Text]) -> Floats:
        """Share of the reference's words that the text has, each as often as it has it: (n,)."""
        return np.array(
            [_rouge_1(a.words, b.words) for a, b in zip(texts, references, strict=True)]
        )

    def cosine(self, texts: Sequence[Text], prompts: Sequence[Text]) -> Floats:
        """|A and B| / sqrt(|A| |B|) of the words of text and prompt: (n,)."""
        found = []
        for text, prompt in zip(texts, prompts, strict=True):
            a, b = set(text.words), set(prompt.words)
            both = np.sqrt(len(a) * len(b))
            found.append(len(a & b) / both if both else (np.nan if prompt.empty else 0.0))
        return np.array(found)


def _rouge_1(text: Sequence[str], reference: Sequence[str]) -> float:
    wanted, have = Counter(reference), Counter(text)
    return (wanted & have).total() / wanted.total() if wanted else float("nan")
