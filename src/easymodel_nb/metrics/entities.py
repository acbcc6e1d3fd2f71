"""Entity-level precision, recall and F1: right is what has the right type and the right ends.

Matching is nervaluate's strict strategy, text by text; it is what seqeval calls strict mode, and
what the CoNLL shared tasks scored. Intervals resample texts.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from easymodel_nb.measured import Measured
from easymodel_nb.metrics.stats import measured, ratio_interval
from easymodel_nb.metrics.tasks import table

Span = tuple[str, int, int]  # type, first word, last word (inclusive)
_GROUP = 50  # entities compared with each other at once


def entity_scores(
    truth: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]], *, seed: int = 0
) -> dict[str, Measured]:
    """`precision`, `recall` and `f1` over all entities (micro), with 95 % intervals over texts.

    Parameters
    ----------
    truth, predicted
        For each text its entities, none of which overlap.
    seed
        Of the bootstrap.

    Returns
    -------
    dict of Measured
        `n` counts texts. Without a predicted entity precision is 0; without a true one in
        any text nothing can be found, and there is no value.

    """
    n = len(truth)
    if not any(truth):
        why = "No validation text has an entity."
        return {name: Measured.missing(why, n=n) for name in ("precision", "recall", "f1")}
    counts = [_counts(t, p) for t, p in zip(truth, predicted, strict=True)]
    right, guessed, true = ([float(x) for x in column] for column in zip(*counts, strict=True))
    both = [a + b for a, b in zip(guessed, true, strict=True)]
    twice = [2 * value for value in right]
    return {
        "precision": _ratio(right, guessed, n, seed),
        "recall": _ratio(right, true, n, seed),
        "f1": _ratio(twice, both, n, seed),
    }


def per_type(
    truth: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]]
) -> list[dict[str, Any]]:
    """One row a type: label, precision, recall, f1, support (true entities) and predicted."""
    right: Counter[str] = Counter()
    true = Counter(span[0] for spans in truth for span in spans)
    guessed = Counter(span[0] for spans in predicted for span in spans)
    for real, found in zip(truth, predicted, strict=True):
        for kind in {span[0] for span in real} & {span[0] for span in found}:
            right[kind] += _counts(
                [s for s in real if s[0] == kind], [s for s in found if s[0] == kind]
            )[0]
    kinds = sorted(true | guessed)
    return table(
        kinds, [right[k] for k in kinds], [true[k] for k in kinds], [guessed[k] for k in kinds]
    )


def _counts(truth: Sequence[Span], predicted: Sequence[Span]) -> tuple[int, int, int]:
    """Right, predicted and true entities of one text."""
    from nervaluate.entities import Entity  # noqa: PLC0415
    from nervaluate.strategies import StrictEvaluation  # noqa: PLC0415

    strict, right = StrictEvaluation(), 0
    for real, found in _groups(truth, predicted):
        result, _ = strict.evaluate(
            [Entity(*span) for span in real], [Entity(*span) for span in found], []
        )
        right += result.correct
    return right, len(predicted), len(truth)


def _groups(
    truth: Sequence[Span], predicted: Sequence[Span]
) -> Iterable[tuple[list[Span], list[Span]]]:
    """Parts of a long text that no entity reaches across: all pairs would grow as the square."""
    both = sorted([(s[1], s[2], 0, s) for s in truth] + [(s[1], s[2], 1, s) for s in predicted])
    parts: tuple[list[Span], list[Span]] = ([], [])
    reach = -1
    for first, last, which, span in both:
        if first > reach and len(parts[0]) + len(parts[1]) >= _GROUP:
            yield parts
            parts = ([], [])
        parts[which].append(span)
        reach = max(reach, last)
    yield parts


def _ratio(top: list[float], bottom: list[float], n: int, seed: int) -> Measured:
    value = sum(top) / sum(bottom) if sum(bottom) else 0.0
    return measured(value, ratio_interval(top, bottom, seed=seed) or (None, None), n)
