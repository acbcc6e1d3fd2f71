"""Scores of classifiers: accuracy, macro-F1 and MCC with 95 % intervals, and tables by class.

The values are scikit-learn's; an undefined ratio (a class that is never predicted, an MCC of
constant predictions) counts 0 there, and so here. The intervals are percentile bootstraps over
texts (Efron 1979). Resampling n texts is the same as drawing the counts of the distinct (true,
predicted) pairs from one multinomial distribution, which is what is done.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from easymodel_nb.measured import Measured
from easymodel_nb.metrics.stats import RESAMPLES, measured, ratio_interval

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
DENSE_CLASSES = 30  # up to here a confusion matrix is written whole
MOST_ROWS = 200  # of a table by class
_CHUNK = 4_000_000  # numbers drawn at once, so that memory stays small


def classification(truth: Ints, predicted: Ints, *, seed: int = 0) -> dict[str, Measured]:
    """`accuracy`, `macro_f1` and `mcc` of one class a text.

    Parameters
    ----------
    truth, predicted
        Class numbers, shape (texts,).
    seed
        Of the bootstrap.

    Returns
    -------
    dict of Measured
        macro_f1 is the mean F1 of the classes that are true or predicted somewhere; mcc is
        the Matthews correlation of several classes (Gorodkin 2004).

    """
    from sklearn import metrics as skm  # noqa: PLC0415  it takes a second

    n = len(truth)
    if n == 0:
        return dict.fromkeys(("accuracy", "macro_f1", "mcc"), _nothing())
    pairs, counts = np.unique(np.stack([truth, predicted]), axis=1, return_counts=True)
    classes, places = np.unique(pairs, return_inverse=True)
    true, guessed = places.reshape(2, -1)

    def scores(draws: Floats) -> tuple[Floats, Floats]:
        sums = _Sums(draws, true, guessed, len(classes))
        return sums.macro_f1, sums.mcc

    f1, mcc = _intervals(counts, scores, seed)
    right = (truth == predicted).astype(np.float64)
    return {
        "accuracy": _measured(
            float(right.mean()), ratio_interval(right.tolist(), [1.0] * n, seed=seed), n
        ),
        "macro_f1": _measured(_macro_f1(truth, predicted), f1, n),
        "mcc": _measured(_quiet(skm.matthews_corrcoef, truth, predicted), mcc, n),
    }


def majority(truth: Ints, commonest: int) -> dict[str, Measured]:
    """`majority_accuracy` and `majority_macro_f1`: what always answering one class would score."""
    n = len(truth)
    if n == 0:
        return dict.fromkeys(("majority_accuracy", "majority_macro_f1"), _nothing())
    guess = np.full(n, commonest, dtype=np.int64)
    return {
        "majority_accuracy": Measured(value=float((truth == commonest).mean()), n=n),
        "majority_macro_f1": Measured(value=_macro_f1(truth, guess), n=n),
    }


def per_class(truth: NDArray[Any], predicted: NDArray[Any], names: Sequence[str]) -> list[Any]:
    """One row a class: label, precision, recall, f1, support (true texts) and predicted.

    `truth` and `predicted` are class numbers (texts,) or yes/no values (texts, classes).
    """
    if truth.ndim == 1:
        truth, predicted = (np.eye(len(names), dtype=bool)[each] for each in (truth, predicted))
    return table(names, (truth & predicted).sum(axis=0), truth.sum(axis=0), predicted.sum(axis=0))


def table(
    names: Sequence[str], right: Sequence[int], support: Sequence[int], predicted: Sequence[int]
) -> list[dict[str, Any]]:
    """Rows of label, precision, recall, f1, support and predicted, from their counts."""
    counts = zip(names, right, support, predicted, strict=True)
    return [
        {
            "label": name,
            "precision": _share(hits, guessed),
            "recall": _share(hits, true),
            "f1": _share(2 * hits, guessed + true),
            "support": int(true),
            "predicted": int(guessed),
        }
        for name, hits, true, guessed in counts
    ]


def _share(top: int, bottom: int) -> float:
    return round(float(top) / float(bottom), 4) if bottom else 0.0


def confusion(truth: Ints, predicted: Ints, classes: int) -> dict[str, Any]:
    """The confusion matrix, rows true and columns predicted.

    Up to 30 classes `confusion` is the matrix; above, it is None and `confusion_cells` lists
    [true, predicted, texts] of every cell that is not 0.
    """
    pairs, counts = np.unique(np.stack([truth, predicted]), axis=1, return_counts=True)
    if classes > DENSE_CLASSES:
        cells = [[int(t), int(p), int(c)] for t, p, c in zip(*pairs, counts, strict=True)]
        return {"confusion": None, "confusion_cells": cells}
    matrix = np.zeros((classes, classes), dtype=np.int64)
    matrix[pairs[0], pairs[1]] = counts
    return {"confusion": matrix.tolist()}


# ---------------------------------------------------------------- several labels a text


def multilabel(
    truth: NDArray[np.bool_], predicted: NDArray[np.bool_], *, seed: int = 0
) -> dict[str, Measured]:
    """`accuracy`, `macro_f1` and `micro_f1` of any number of labels a text.

    `truth` and `predicted` are yes/no values, shape (texts, labels). accuracy is the share of
    texts with exactly the right labels; macro_f1 the mean F1 over all labels; micro_f1 counts
    every label of every text alike. mcc is not defined here.
    """
    n = len(truth)
    if n == 0:
        return dict.fromkeys(("accuracy", "macro_f1", "micro_f1", "mcc"), _nothing())
    hits = (truth & predicted).astype(np.float64)
    both = truth.astype(np.float64) + predicted

    def scores(draws: Floats) -> tuple[Floats, Floats]:
        twice, sums = 2 * (draws @ hits), draws @ both
        return _ratio(twice, sums).mean(axis=1), _ratio(twice.sum(axis=1), sums.sum(axis=1))

    macro, micro = scores(np.ones((1, n)))
    macro_interval, micro_interval = _intervals(np.ones(n), scores, seed)
    right = (truth == predicted).all(axis=1).astype(np.float64)
    return {
        "accuracy": _measured(
            float(right.mean()), ratio_interval(right.tolist(), [1.0] * n, seed=seed), n
        ),
        "macro_f1": _measured(float(macro[0]), macro_interval, n),
        "micro_f1": _measured(float(micro[0]), micro_interval, n),
        "mcc": Measured.missing("The MCC is defined for one class a text.", n=n),
    }


def multilabel_majority(truth: NDArray[np.bool_], common: NDArray[np.bool_]) -> dict[str, Measured]:
    """What answering the labels of more than half of the training texts would score."""
    found = multilabel(truth, np.broadcast_to(common, truth.shape))
    return {
        f"majority_{name}": Measured(value=found[name].value, n=len(truth))
        if found[name].value is not None
        else found[name]
        for name in ("accuracy", "macro_f1")
    }


# ---------------------------------------------------------------- bootstrap


class _Sums:
    """Texts by true class, by predicted class and on the diagonal, one row a resample."""

    def __init__(self, draws: Floats, true: Ints, guessed: Ints, classes: int) -> None:
        rows = np.eye(classes)
        self.true = draws @ rows[true]
        self.guessed = draws @ rows[guessed]
        self.hits = draws @ (rows[true] * (true == guessed)[:, None])

    @property
    def macro_f1(self) -> Floats:
        both = self.true + self.guessed
        f1 = np.divide(2 * self.hits, both, out=np.zeros_like(both), where=both > 0)
        there: Floats = np.maximum((both > 0).sum(axis=1), 1)
        mean: Floats = f1.sum(axis=1) / there
        return mean

    @property
    def mcc(self) -> Floats:
        n, right = self.true.sum(axis=1), self.hits.sum(axis=1)
        top = right * n - (self.true * self.guessed).sum(axis=1)
        spread = (n**2 - (self.guessed**2).sum(axis=1)) * (n**2 - (self.true**2).sum(axis=1))
        return _ratio(top, np.sqrt(np.maximum(spread, 0)))


def _intervals(
    counts: NDArray[Any], scores: Callable[[Floats], tuple[Floats, ...]], seed: int
) -> list[tuple[float, float] | None]:
    """95 % percentile intervals of scores that are functions of the counts of each kind of text."""
    n = int(counts.sum())
    if n < 2:  # noqa: PLR2004  one text has no spread
        return [None, None]
    generator = np.random.default_rng(seed)
    chunk = max(1, _CHUNK // len(counts))
    parts = [
        scores(
            generator.multinomial(n, counts / n, size=min(chunk, RESAMPLES - start)).astype(float)
        )
        for start in range(0, RESAMPLES, chunk)
    ]
    found = [
        np.percentile(np.concatenate(values), [2.5, 97.5]) for values in zip(*parts, strict=True)
    ]
    return [(float(low), float(high)) for low, high in found]


def _ratio(top: Floats, bottom: Floats) -> Floats:
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)


def _macro_f1(truth: Ints, predicted: Ints) -> float:
    from sklearn import metrics as skm  # noqa: PLC0415

    return _quiet(skm.f1_score, truth, predicted, average="macro", zero_division=0)


def _quiet(score: Callable[..., Any], *arguments: Any, **options: Any) -> float:
    """A score without the warning that a ratio is undefined: it counts 0, as is written above."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(score(*arguments, **options))


def _measured(value: float, interval: tuple[float, float] | None, n: int) -> Measured:
    return measured(value, interval or (None, None), n)


def _nothing() -> Measured:
    return Measured.missing("There was no text to measure with.", n=0)
