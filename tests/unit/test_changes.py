"""Predictions that changed, distributions that moved, and how sure a classifier may be."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from easymodel_nb.metrics.changes import (
    divergence,
    mcnemar,
    prediction_changes,
)
from easymodel_nb.metrics.reliability import reliability

few = settings(max_examples=25, deadline=None)


def distributions(seed: int, n: int = 60, classes: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(classes), size=n)


def test_the_same_predictions_have_not_changed():
    p = distributions(0)
    guess = p.argmax(axis=1)
    found = prediction_changes(guess, guess, truth=np.zeros(60), probabilities=(p, p))
    for one in (found.changed, found.divergence, found.accuracy):
        assert (one.value, one.low, one.high, one.n) == (0.0, 0.0, 0.0, 60)
    assert (found.fixed, found.broken, found.p_value) == (0, 0, None)
    assert set(found.dump()) == {"changed", "js", "accuracy", "fixed", "broken"}


def test_what_became_right_and_wrong_is_counted():
    truth = np.array([0] * 10 + [1] * 10)
    before = np.array([0] * 10 + [0] * 10)
    after = np.array([1] + [0] * 9 + [1] * 8 + [0] * 2)
    found = prediction_changes(after, before, truth=truth)
    assert (found.fixed, found.broken) == (8, 1)
    assert found.changed.value == 9 / 20
    assert found.accuracy.value == pytest.approx(7 / 20)
    assert found.accuracy.low > 0  # type: ignore[operator]
    assert found.p_value == pytest.approx(2 * (math.comb(9, 0) + math.comb(9, 1)) / 2**9)
    back = prediction_changes(before, after, truth=truth)
    assert back.accuracy.value == pytest.approx(-7 / 20)
    assert (back.fixed, back.broken, back.p_value) == (1, 8, found.p_value)
    assert mcnemar(5, 5) == 1.0


def test_divergence_is_the_square_of_scipys_distance():
    p, q = distributions(1), distributions(2)
    found = divergence(p, q)
    assert found == pytest.approx(jensenshannon(p, q, base=2, axis=1) ** 2)
    assert found == pytest.approx(divergence(q, p))
    apart = divergence(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]))
    assert apart[0] == 1.0
    several = divergence(np.array([[0.2, 0.9]]), np.array([[0.6, 0.9]]), several=True)
    assert several[0] == pytest.approx(
        divergence(np.array([[0.2, 0.8]]), np.array([[0.6, 0.4]]))[0] / 2
    )


def test_several_labels_and_words_of_texts():
    new = np.array([[True, False], [True, True]])
    old = np.array([[True, False], [True, False]])
    found = prediction_changes(new, old, truth=new, probabilities=(new * 1.0, old * 1.0))
    assert found.changed.value == 0.5
    assert found.fixed == 1
    assert found.divergence.value == 0.25
    words = np.arange(40) % 3
    alone = prediction_changes(words, np.zeros(40), truth=words, clusters=["a"] * 40)
    assert alone.changed.low is None
    assert alone.accuracy.value is None


def test_what_is_not_known_is_said():
    found = prediction_changes([0, 1], [1, 1])
    assert "not kept" in str(found.divergence.reason)
    assert "true labels" in str(found.accuracy.reason)
    assert found.fixed is None
    other = prediction_changes([0, 1], [1, 1], probabilities=(np.ones((2, 3)), np.ones((2, 2))))
    assert "different classes" in str(other.divergence.reason)
    nan = prediction_changes(
        [0, 1], [1, 1], probabilities=(np.full((2, 2), np.nan), np.ones((2, 2)))
    )
    assert "finite" in str(nan.divergence.reason)
    assert prediction_changes([], []).changed.value is None
    with pytest.raises(ValueError, match="shape"):
        prediction_changes([0, 1], [1])


def test_one_row_that_is_no_number_does_not_count():
    p, q = distributions(1, 10), distributions(2, 10)
    p[3] = np.nan
    found = prediction_changes(np.zeros(10), np.zeros(10), probabilities=(p, q))
    assert found.divergence.n == 9


# ---------------------------------------------------------------- calibration


def sure_and_right(seed: int, n: int, truth_of: Any) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    sure = generator.uniform(0.5, 1, size=n)
    right = generator.random(n) < truth_of(sure)
    return np.stack([1 - sure, sure], axis=1), right.astype(int)


def test_a_calibrated_classifier_has_a_small_error_and_an_overconfident_one_a_large():
    good = reliability(*sure_and_right(0, 4000, lambda sure: sure))
    bad = reliability(*sure_and_right(0, 4000, lambda sure: sure - 0.3))
    assert good.error.value < 0.05  # type: ignore[operator]
    assert bad.error.value == pytest.approx(0.3, abs=0.05)
    assert bad.overconfidence.low > 0.2  # type: ignore[operator]
    assert good.overconfidence.low < 0 < good.overconfidence.high  # type: ignore[operator]
    assert [one.accuracy.n for one in good.bins] == [400] * 10
    confidences = [one.confidence for one in good.bins]
    assert confidences == sorted(confidences)


def test_words_of_one_text_make_no_bin_more_certain():
    probabilities, truth = sure_and_right(1, 40, lambda sure: sure)
    p, true = np.tile(probabilities, (10, 1)), np.tile(truth, 10)
    alone, copied = reliability(p, true), reliability(p, true, clusters=list(range(40)) * 10)
    widths = [
        [float(one.accuracy.high or 0) - float(one.accuracy.low or 0) for one in found.bins]
        for found in (alone, copied)
    ]
    assert all(wide >= narrow for narrow, wide in zip(*widths, strict=True))
    assert sum(widths[1]) > 1.5 * sum(widths[0])


def test_the_error_is_the_mean_distance_of_the_bins():
    found = reliability(*sure_and_right(3, 200, lambda sure: sure**2))
    expected = sum(
        abs(one.confidence - float(one.accuracy.value or 0)) * int(one.accuracy.n or 0)
        for one in found.bins
    )
    assert found.error.value == pytest.approx(expected / 200)
    told = found.dump()
    assert told["ece"] is found.error
    assert told["bins"][0].keys() == {"confidence", "accuracy", "n"}
    assert found.error.low <= found.error.value <= found.error.high  # type: ignore[operator]


def test_order_does_not_matter():
    p, truth = sure_and_right(1, 100, lambda sure: sure)
    p = p.round(1)  # many are equal
    found, turned = reliability(p, truth), reliability(p[::-1], truth[::-1])
    assert found.error.value == pytest.approx(turned.error.value)
    assert len(found.bins) == len(turned.bins) < 10


def test_few_rows_and_bad_ones():
    p, truth = sure_and_right(1, 30, lambda sure: sure)
    assert "at least 20" in str(reliability(p[:5], truth[:5]).error.reason)
    p[0] = np.nan
    assert reliability(p, truth).error.n == 29
    assert "one and the same" in str(reliability(p, truth, clusters=["a"] * 30).error.reason)
    with pytest.raises(ValueError, match="29 rows"):
        reliability(p[1:], truth)


def test_labels_by_themselves():
    p = np.random.default_rng(0).uniform(size=(50, 3))
    truth = np.random.default_rng(1).uniform(size=(50, 3)) < p
    found = reliability(p, truth)
    assert found.error.n == 150
    assert all(0.5 <= one.confidence <= 1 for one in found.bins)


@given(st.integers(20, 60), st.integers(2, 5), st.integers(0, 1000))
@few
def test_any_probabilities_have_an_error_between_0_and_1(n: int, classes: int, seed: int):
    p = distributions(seed, n, classes)
    found = reliability(p, np.random.default_rng(seed).integers(0, classes, size=n))
    assert 0 <= found.error.value <= 1  # type: ignore[operator]
    assert sum(one.accuracy.n or 0 for one in found.bins) == n
