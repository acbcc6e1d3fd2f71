"""Prompts with their own reference and with another's: what tells the two apart fits the data.

How near an answer is to its prompt can be measured in several ways, and which is right depends on
the data: a dialogue is answered at its end, a list of facts as a whole. The references decide,
without anybody's judgement: the way with the greatest AUC between true and exchanged pairs. Pairs
are drawn by a hash of what they join, so that they do not depend on the order of the prompts.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from easymodel_nb.metrics.scales import LEAST, Floats, finite
from easymodel_nb.metrics.text import Text

_ROUNDS = 8  # exchanged references a prompt
_ONE_SIDED = 1.645  # standard errors
_BETTER = 0.01  # of the AUC, from which on another way than the first is taken

Measure = Callable[[Sequence[Text], Sequence[Text]], Any]  # of answers and prompts


@dataclass(frozen=True)
class Pairs:
    """Raw numbers of true pairs (n,) and of exchanged ones (m,) with the indices they join."""

    true: Floats
    shuffled: Floats
    joined: np.ndarray  # (m, 2)

    def without(self, index: int) -> Self:
        """The same, leaving one example out."""
        keep = np.arange(len(self.true)) != index
        kept = (self.joined != index).all(axis=1)
        return type(self)(self.true[keep], self.shuffled[kept], self.joined[kept])

    @property
    def auc(self) -> float | None:
        """How probably a true pair scores higher than an exchanged one; None without both."""
        return auc(self.true, self.shuffled)

    @property
    def telling(self) -> bool:
        """Whether true pairs are told from exchanged ones beyond chance (Mann-Whitney, 5 %)."""
        n, m = len(finite(self.true)), len(finite(self.shuffled))
        found = self.auc
        if found is None or n < LEAST or m < LEAST:
            return False
        m = min(n, m)  # one example is in several exchanged pairs: n of them at most are new
        return found > 0.5 + _ONE_SIDED * float(np.sqrt((n + m + 1) / (12 * n * m)))


def auc(positive: Floats, negative: Floats) -> float | None:
    """Area under the ROC curve, ties counting half; None without numbers on both sides."""
    high, low = finite(positive), np.sort(finite(negative))
    if not len(high) or not len(low):
        return None
    below = np.searchsorted(low, high, side="left")
    upto = np.searchsorted(low, high, side="right")
    return float((below + upto).sum() / (2 * len(high) * len(low)))


def exchanged(prompts: Sequence[Text], answers: Sequence[Text], seed: int) -> np.ndarray:
    """Pairs (prompt, answer of another) by index: (m, 2), the same whatever the order is."""
    order = sorted(range(len(prompts)), key=lambda i: _drawn(seed, prompts[i].raw, answers[i].raw))
    found = list(_rotated(order, prompts, answers))
    return np.array(found, dtype=np.int64).reshape(len(found), 2)


def _rotated(
    order: Sequence[int], prompts: Sequence[Text], answers: Sequence[Text]
) -> Iterator[tuple[int, int]]:
    n = len(order)
    for shift in range(1, min(_ROUNDS, n - 1) + 1):
        for place, i in enumerate(order):
            j = order[(place + shift) % n]
            if prompts[i] != prompts[j] and answers[i] != answers[j]:
                yield i, j


def _drawn(seed: int, *texts: str) -> bytes:
    return hashlib.blake2b("\0".join([str(seed), *texts]).encode(), digest_size=16).digest()


def measured(
    measure: Measure, prompts: Sequence[Text], answers: Sequence[Text], joined: np.ndarray
) -> Pairs:
    """Pairs by one measure."""
    true = np.asarray(measure(answers, prompts), dtype=np.float64)
    others = np.asarray(
        measure([answers[j] for _, j in joined], [prompts[i] for i, _ in joined]), dtype=np.float64
    )
    return Pairs(true, others, joined)


def best(
    ways: Mapping[str, Measure],
    prompts: Sequence[Text],
    answers: Sequence[Text],
    *,
    seed: int,
    slow: str,
) -> tuple[str, Pairs, dict[str, float]]:
    """The way that tells true from exchanged pairs best, its pairs, and the AUC of each.

    All are compared on the same pairs, one exchanged reference a prompt; a way that comes first
    stays unless another is better by more than .01. Of the chosen way there are pairs with several
    exchanged references, unless it is the slow one.
    """
    joined = exchanged(prompts, answers, seed)
    few = joined[np.unique(joined[:, 0], return_index=True)[1]]
    found = {name: measured(way, prompts, answers, few) for name, way in ways.items()}
    areas = {name: pairs.auc or 0.0 for name, pairs in found.items()}
    chosen = next(iter(ways))
    for name, area in areas.items():
        if area > areas[chosen] + _BETTER:
            chosen = name
    if chosen == slow:
        return chosen, found[chosen], areas
    return chosen, measured(ways[chosen], prompts, answers, joined), areas
