"""GQS of two answers to one prompt, over the axes that both have.

An answer of one sentence has no coherence, and its score is the mean of the other axes. Set
against an answer that has one, it would seem to have gained what it merely lacks: so a difference
is that of the scores over the axes both have.
"""

import math
from collections.abc import Mapping, Sequence

WEIGHTS = {"fluency": 0.2, "coherence": 0.3, "grammar": 0.2, "relevance": 0.3}
FLOOR = 0.02  # of an axis, so that one 0 does not hide the others

Column = Sequence[float | None]


def alike(
    after: Mapping[str, float | None], before: Mapping[str, float | None]
) -> tuple[float, float] | None:
    """Both scores (2 to 100) over the axes (0 to 1) that both have.

    None where they share none, or where an axis was not even asked for: its key is not there.
    """
    if not WEIGHTS.keys() <= after.keys() & before.keys():
        return None
    shared = [axis for axis in WEIGHTS if _known(after.get(axis)) and _known(before.get(axis))]
    if not shared:
        return None
    return _score(after, shared), _score(before, shared)


def alike_columns(
    after: Mapping[str, Column], before: Mapping[str, Column]
) -> tuple[list[float | None], list[float | None]]:
    """The same of the scores of many texts, axis by axis; None for a pair that shares no axis.

    Raises
    ------
    ValueError
        When the columns differ in length.

    """
    axes = [axis for axis in WEIGHTS if axis in after and axis in before]
    rows = zip(*(after[axis] for axis in axes), *(before[axis] for axis in axes), strict=True)
    pairs = []
    for row in rows:
        first = dict(zip(axes, row[: len(axes)], strict=True))
        second = dict(zip(axes, row[len(axes) :], strict=True))
        pairs.append(alike(first, second) or (None, None))
    return [a for a, _ in pairs], [b for _, b in pairs]


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _score(axes: Mapping[str, float | None], shared: Sequence[str]) -> float:
    logs = sum(WEIGHTS[axis] * math.log(max(axes[axis] or 0.0, FLOOR)) for axis in shared)
    return 100 * math.exp(logs / sum(WEIGHTS[axis] for axis in shared))
