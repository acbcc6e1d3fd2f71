"""What stays the same in a run, embedded once: the base model's answers and the references."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from easymodel_nb.measured import Measured
from easymodel_nb.metrics import judges
from easymodel_nb.metrics.drift import Discrepancy, bandwidth, discrepancy, towards
from easymodel_nb.metrics.segments import References, single
from easymodel_nb.metrics.stats import Clusters, mean_interval
from easymodel_nb.metrics.text import NOT_LATIN, Text
from easymodel_nb.metrics.vectors import Vectors, cosines

Floats = NDArray[np.float64]

MOST_BAD = 0.05  # share of texts without a finite vector, above which there is no number
UNKNOWN = 0.1  # share of wordpieces the encoder does not know, above which a text is not English
NO_REFERENCE = "There are no references to compare the answers with."
NO_TEXT = "There was no text to measure with."


class Embedded:
    """Answers of the base model and references, in the order of the prompts, and their encoder.

    `reason` says why nothing can be compared, if so: an encoder that is missing or that fails
    costs its numbers and nothing else. `sigma` is the width of the kernel of MMD, fixed by
    the base model's answers and the references together.
    """

    def __init__(
        self,
        base_texts: Sequence[str],
        references: References | None,
        *,
        embedder: Any = None,
        clusters: Clusters | None = None,
        seed: int = 0,
    ) -> None:
        """Embed both; `clusters` names the prompt of each, so that copies are no new evidence.

        `embedder` None is the best encoder on this machine.

        Raises
        ------
        ValueError
            When the numbers of texts differ.

        """
        self.base = list(base_texts)
        if references is None:
            references = [None] * len(self.base)
        self.check(references, "references")
        if clusters is not None:
            self.check(clusters, "clusters")
        self.references = [single(one) for one in references]
        self.clusters = clusters
        self.seed = seed
        self.sigma = 1.0
        self.reason: str | None = None
        if embedder is None:
            local = judges.local()
            embedder = local.encoder
            if embedder is None:
                self.reason = local.reasons.get("encoder", "There is no text encoder.")
        self.vectors = embedder if isinstance(embedder, Vectors) else Vectors(embedder)
        if self.reason is None and self.base:
            self._prepare()

    def _prepare(self) -> None:
        try:
            pooled = self.vectors([*self.base, *filter(None, self.references)])
        except Exception as error:  # noqa: BLE001  any library's error; the run goes on
            self.reason = failure(error)
        else:
            self.sigma = bandwidth(pooled[judges.finite(pooled)])

    def first(self, count: int) -> "Embedded":
        """The first prompts alone, by the same kernel: their numbers compare with all prompts'."""
        part = copy.copy(self)
        part.base, part.references = self.base[:count], self.references[:count]
        part.clusters = None if self.clusters is None else list(self.clusters)[:count]
        return part

    def check(self, texts: Sequence[Any], what: str) -> None:
        """Raise ValueError when there is not one for each answer of the base model."""
        if len(texts) != len(self.base):
            msg = f"{len(texts)} {what} for {len(self.base)} answers of the base model: give one"
            raise ValueError(f"{msg} a prompt, in order")

    def answered(self) -> list[int]:
        """Places that have a reference."""
        return [place for place, one in enumerate(self.references) if one]

    def cosines(self, left: Sequence[str], right: Sequence[str]) -> Floats:
        """Row by row (n,); the same text is the same, also where it says nothing."""
        found = cosines(self.vectors(left), self.vectors(right))
        same = [a == b or not (a.strip() or b.strip()) for a, b in zip(left, right, strict=True)]
        return np.where(np.array(same, dtype=bool) & np.isfinite(found), 1.0, found)

    def to_references(self, texts: Sequence[str]) -> Floats:
        """Cosine of each text with its reference (n,), NaN where there is none."""
        found, there = np.full(len(texts), np.nan), self.answered()
        told = [str(self.references[place]) for place in there]
        found[there] = self.cosines([texts[place] for place in there], told)
        return found

    def mean(self, values: Floats) -> Measured:
        """Mean with its interval, and with the encoder's name."""
        return mean_interval(
            values, seed=self.seed, judge=self.vectors.judge, clusters=self.clusters
        )

    def discrepancy(self, texts: Sequence[str], others: Sequence[str]) -> Discrepancy:
        """MMD^2_u between answers to the same prompts."""
        left, right = self.vectors(texts), self.vectors(others)
        valid = judges.finite(left) & judges.finite(right)
        if too_bad(valid):
            return Discrepancy(Measured.missing(bad_reason(valid), n=int(valid.sum())), None)
        found = discrepancy(left[valid], right[valid], sigma=self.sigma, seed=self.seed)
        return Discrepancy(self._signed(found.value), found.p_value)

    def arrow(self, texts: Sequence[str]) -> Measured:
        """How much nearer the texts are to the references' distribution than the base's were."""
        there = self.answered()
        if not there:
            return Measured.missing(NO_REFERENCE, n=0)
        told = [str(self.references[place]) for place in there]
        base = self.vectors([self.base[place] for place in there])
        now = self.vectors([texts[place] for place in there])
        target = self.vectors(told)
        valid = judges.finite(base) & judges.finite(now) & judges.finite(target)
        if too_bad(valid):
            return Measured.missing(bad_reason(valid), n=int(valid.sum()))
        sets = [some[valid] for some in (base, now, target)]
        return self._signed(towards(*sets, sigma=self.sigma, seed=self.seed))

    def _signed(self, found: Measured) -> Measured:
        """The number with the name of the encoder that it comes from."""
        named = found.value is not None
        return found.model_copy(update={"judge": self.vectors.judge}) if named else found

    def not_english(self, texts: Sequence[str | None]) -> list[bool]:
        """Which have over 20 % letters that are not Latin, or over 10 % unknown wordpieces."""
        return [bool(text and text.strip()) and self._foreign(str(text)) for text in texts]

    def _foreign(self, text: str) -> bool:
        return Text(text).not_latin > NOT_LATIN or self.vectors.unknown_share(text) > UNKNOWN


def too_bad(valid: NDArray[np.bool_]) -> bool:
    """Whether too few texts have finite vectors to tell a number of them all."""
    return bool(len(valid) and (~valid).mean() > MOST_BAD)


def bad_reason(valid: NDArray[np.bool_]) -> str:
    """The sentence for it."""
    bad = int((~valid).sum())
    return f"The text encoder gave no finite numbers for {bad} of {len(valid)} texts."


def failure(error: Exception) -> str:
    """Why an encoder that raised gave nothing."""
    said = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    return f"The text encoder failed ({said})."
