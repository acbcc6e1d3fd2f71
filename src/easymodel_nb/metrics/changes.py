"""How the predictions of a classifier change from one point to another, and whom it serves.

Predictions are one class a text or word, or yes and no for each of several labels. Words of one
text are resampled together: name the texts in `clusters`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from easymodel_nb.measured import Measured
from easymodel_nb.metrics.stats import Clusters, mean_interval, paired_difference

Floats = NDArray[np.float64]
Predictions = NDArray[Any] | Sequence[Any]

NO_TEXT = "There was no text to measure with."


@dataclass(frozen=True)
class Changes:
    """What changed between two points on the same texts or words.

    `changed`: share of predictions that differ. `fixed` and `broken`: predictions that became
    right and that became wrong, and `p_value`, the exact McNemar test that both are as frequent;
    None without the truth. `accuracy`: change of the share of right predictions, paired.
    `divergence`: mean Jensen-Shannon divergence of the predicted distributions, 0 to 1 bit.
    """

    changed: Measured
    divergence: Measured
    accuracy: Measured
    fixed: int | None = None
    broken: int | None = None
    p_value: float | None = None

    def dump(self) -> dict[str, Any]:
        """As a run's log holds it: `js` is the divergence."""
        found = {"js" if name == "divergence" else name: one for name, one in vars(self).items()}
        return {name: one for name, one in found.items() if one is not None}


def prediction_changes(
    after: Predictions,
    before: Predictions,
    *,
    truth: Predictions | None = None,
    probabilities: tuple[Predictions, Predictions] | None = None,
    clusters: Clusters | None = None,
    seed: int = 0,
) -> Changes:
    """Compare what was predicted at two points.

    Parameters
    ----------
    after, before
        Class numbers (n,), or yes and no (n, labels).
    truth
        What is right, in the same form.
    probabilities
        After and before (n, classes): distributions over classes; or, where predictions are yes
        and no, of each label by itself.
    clusters
        One name a row; rows of the same are resampled together.
    seed
        Of the bootstrap.

    Raises
    ------
    ValueError
        When the numbers of rows differ.

    """
    new, old = np.asarray(after), np.asarray(before)
    true = None if truth is None else np.asarray(truth)
    for name, other in (("earlier predictions", old), ("true labels", true)):
        if other is not None and other.shape != new.shape:
            msg = f"{name} of shape {other.shape} for predictions of shape {new.shape}"
            raise ValueError(msg)
    if not len(new):
        none = Measured.missing(NO_TEXT, n=0)
        return Changes(none, none, none)
    differs = _rows(new != old)
    found: dict[str, Any] = {
        "changed": mean_interval(differs, seed=seed, clusters=clusters),
        "divergence": _divergence(
            probabilities, several=new.ndim > 1, clusters=clusters, seed=seed
        ),
    }
    if true is None:
        reason = "The true labels are not known."
        return Changes(**found, accuracy=Measured.missing(reason, n=0))
    right, was_right = ~_rows(new != true), ~_rows(old != true)
    fixed, broken = int((right & ~was_right).sum()), int((~right & was_right).sum())
    return Changes(
        **found,
        accuracy=paired_difference(right, was_right, seed=seed, clusters=clusters),
        fixed=fixed,
        broken=broken,
        p_value=mcnemar(fixed, broken),
    )


def mcnemar(fixed: int, broken: int) -> float | None:
    """Exact two-sided McNemar test; None where no prediction became right or wrong.

    Rows are taken as independent, which words of one text are not.
    """
    if not fixed + broken:
        return None
    from scipy.stats import binomtest  # noqa: PLC0415

    return float(binomtest(fixed, fixed + broken, 0.5).pvalue)


def divergence(left: Predictions, right: Predictions, *, several: bool = False) -> Floats:
    """Jensen-Shannon divergence in bits (Lin 1991) of each row's distributions (n, classes): (n,).

    0 where they are the same, 1 where they share nothing; NaN where one is not finite. With
    `several` each number is the probability of a label by itself, and the mean over labels is
    taken.
    """
    p, q = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if several:
        p, q = np.stack([p, 1 - p], axis=-1), np.stack([q, 1 - q], axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        p, q = p / p.sum(axis=-1, keepdims=True), q / q.sum(axis=-1, keepdims=True)
        middle = (p + q) / 2
        bits = (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2
    found: Floats = np.clip(bits.mean(axis=-1) if several else bits, 0.0, 1.0)
    return found


def _divergence(
    probabilities: tuple[Predictions, Predictions] | None,
    *,
    several: bool,
    clusters: Clusters | None,
    seed: int,
) -> Measured:
    if probabilities is None:
        reason = "The predicted probabilities were not kept."
        return Measured.missing(reason, n=0, unit="bits")
    after, before = (np.asarray(side) for side in probabilities)
    if after.shape != before.shape:
        reason = "The two points predict different classes."
        return Measured.missing(reason, n=0, unit="bits")
    bits = divergence(after, before, several=several)
    found = mean_interval(bits, seed=seed, unit="bits", clusters=clusters)
    if found.value is None:
        reason = "No predicted probability is a finite number."
        return Measured.missing(reason, n=0, unit="bits")
    return found


def _relative_entropy(p: Floats, q: Floats) -> Floats:
    """In bits; what has no probability adds nothing, and what is no number stays none."""
    terms = np.where(p > 0, p * np.log2(p / q), p)
    found: Floats = terms.sum(axis=-1)
    return found


def _rows(differs: NDArray[Any]) -> NDArray[np.bool_]:
    """Of each row, whether anything in it differs."""
    return np.asarray(differs.any(axis=1) if differs.ndim > 1 else differs, dtype=bool)
