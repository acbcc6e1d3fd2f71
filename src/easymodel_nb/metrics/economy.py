"""Numbers of tokens, relevance per token and lengths: what `efficiency` is put together from."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from easymodel_nb.measured import Measured
from easymodel_nb.metrics.stats import (
    Clusters,
    Values,
    chosen,
    mean_interval,
    measured,
    paired_quotient,
    ratio_interval,
)

Floats = NDArray[np.float64]

LEAST_RELEVANCE = 0.05  # mean relevance of the base model, below which a ratio to it says nothing
PER_TOKENS = 100
NO_REFERENCES = "There are no references, without which brevity alone would count as efficiency."
NO_TEXT = "There was no text to measure with."
_FEW = "The base model's answers are hardly relevant, so that there is nothing to compare with."


@dataclass(frozen=True)
class Counted:
    """Tokens of each text, NaN where there is none; `reason` why nothing could be counted."""

    texts: Sequence[str]
    tuned: Floats
    base: Floats
    reference: Floats
    source: Floats
    reason: str | None = None

    @classmethod
    def of(
        cls,
        tokenizer: Any,
        texts: Sequence[str],
        base_texts: Sequence[str],
        references: Sequence[str | None] | None,
        sources: Sequence[str] | None,
    ) -> "Counted":
        """Count them; whatever the tokenizer raises is passed on."""

        def count(some: Sequence[str | None] | None) -> Floats:
            found = np.full(len(texts), np.nan)
            there = [i for i, one in enumerate(some or []) if one is not None]
            if some is not None and there:
                written = [some[i] for i in there]
                ids = tokenizer(written, add_special_tokens=False, verbose=False)["input_ids"]
                found[there] = [len(row) for row in ids]
            return found

        reference = count(references)
        reference[reference == 0] = np.nan  # an empty one is none
        return cls(texts, count(texts), count(base_texts), reference, count(sources))

    @classmethod
    def unknown(cls, texts: Sequence[str], reason: str) -> "Counted":
        """Nothing could be counted."""
        none = np.full(len(texts), np.nan)
        return cls(texts, none, none, none, none, reason)

    @property
    def floored(self) -> tuple[Floats, Floats]:
        """T' of both models: at least the reference's, NaN without one."""
        return np.maximum(self.tuned, self.reference), np.maximum(self.base, self.reference)


@dataclass(frozen=True)
class Relevance:
    """Relevance of each answer, 0 to 1 or NaN; `reason` why there is none, `judge` who told it."""

    tuned: Floats
    base: Floats
    reason: str | None
    judge: str | None = None


@dataclass(frozen=True)
class Economy:
    """The numbers of one set of answers."""

    table: Counted
    relevance: Relevance
    clusters: Clusters | None
    seed: int

    def mean(self, values: Values, reason: str) -> Measured:
        """Mean of what there is; else the reason."""
        found = mean_interval(values, seed=self.seed, clusters=self.clusters)
        lacking = found.value is None
        return Measured.missing(self.table.reason or reason, n=0) if lacking else found

    def length_ratio(self, tokens: Floats) -> Measured:
        """exp(mean log(max(T, 1) / tokens of the reference)) of either model's answers."""
        logs = self.mean(
            np.log(np.maximum(tokens, 1) / self.table.reference),
            "There are no references to compare the length of answers with.",
        )
        return _through(math.exp, logs)

    def bytes_per_token(self, sizes: Floats) -> Measured:
        """Bytes over tokens, of all answers together."""
        tokens = self.table.tuned
        known = tokens > 0
        n = int(known.sum())
        if not n:
            return Measured.missing(self.table.reason or "Every answer is empty.", n=0)
        tops, bottoms = sizes[known], tokens[known]
        return self._of_sums(tops, bottoms, known).model_copy(update={"unit": "bytes per token"})

    def compression(self, values: Floats) -> Measured:
        """Mean of tokens of the source over tokens of the answer."""
        if self.table.reason is None and not np.isfinite(self.table.source).any():
            return Measured.missing("There are no sources that the answers would sum up.", n=0)
        return self.mean(values, "Every answer is empty.")

    def limit(self, most: int | None, ended: Sequence[bool | None] | None) -> Measured:
        """Share of answers that were cut at the limit of new tokens."""
        if ended is not None:
            return self.mean([None if end is None else not end for end in ended], NO_TEXT)
        if most is None:
            return Measured.missing("The limit of new tokens is not known.", n=0)
        reached = np.where(np.isfinite(self.table.tuned), self.table.tuned >= most, np.nan)
        return self.mean(reached, NO_TEXT)

    def points_per_tokens(
        self, relevance: Floats, tokens: Floats, inside: NDArray[np.bool_]
    ) -> Measured:
        """Relevance points (0 to 100) per 100 tokens of the answers that are `inside`."""
        known = inside & np.isfinite(relevance) & np.isfinite(tokens)
        n = int(known.sum())
        if not n:
            return Measured.missing(self.lacking() or NO_TEXT, n=0)
        tops, bottoms = 100 * relevance[known], tokens[known] / PER_TOKENS
        named = {"unit": "points per 100 tokens", "judge": self.relevance.judge}
        return self._of_sums(tops, bottoms, known).model_copy(update=named)

    def _of_sums(self, tops: Floats, bottoms: Floats, known: NDArray[np.bool_]) -> Measured:
        """Sum over sum, of the texts that are `known`; those of one prompt are drawn together."""
        names = chosen(self.clusters, known)
        bounds = ratio_interval(tops.tolist(), bottoms.tolist(), seed=self.seed, clusters=names)
        value = float(tops.sum() / bottoms.sum())
        return measured(value, bounds or (None, None), len(tops))

    def ratio(self, inside: NDArray[np.bool_]) -> Measured:
        """Tuned over base of relevance per token, among the answers that are `inside`."""
        tuned, base = self.table.floored
        columns = [
            column[inside] for column in (self.relevance.tuned, tuned, self.relevance.base, base)
        ]
        known = np.isfinite(np.stack(columns)).all(axis=0) if inside.any() else np.zeros(0, bool)
        n = int(known.sum())
        if not n:
            return Measured.missing(self.lacking() or NO_TEXT, n=0)
        if not (self.table.tuned[inside][known] > 0).any():
            return Measured.missing("The model wrote nothing, which has no efficiency.", n=n)
        if columns[2][known].mean() < LEAST_RELEVANCE:
            return Measured.missing(_FEW, n=n)
        found = paired_quotient(
            (columns[0], columns[1]),
            (columns[2], columns[3]),
            seed=self.seed,
            clusters=chosen(self.clusters, inside),
        )
        named = found.value is not None
        return found.model_copy(update={"judge": self.relevance.judge}) if named else found

    def lacking(self) -> str | None:
        """Why no answer has a relevance per token."""
        if self.table.reason or self.relevance.reason:
            return self.table.reason or self.relevance.reason
        if not np.isfinite(self.table.reference).any():
            return NO_REFERENCES
        judged = np.isfinite(self.relevance.tuned) & np.isfinite(self.relevance.base)
        return None if judged.any() else "No answer's relevance could be judged."


def _through(function: Callable[[float], float], found: Measured) -> Measured:
    """A growing function of a number and of its bounds."""
    values = {name: getattr(found, name) for name in ("value", "low", "high")}
    told = {name: None if value is None else function(value) for name, value in values.items()}
    return found.model_copy(update=told)
