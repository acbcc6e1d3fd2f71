"""Means and changes: nothing changed is exactly 0, and the intervals cover what they should."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from easymodel_nb.measured import Measured
from easymodel_nb.metrics.stats import (
    mean_interval,
    paired_difference,
    paired_quotient,
    paired_ratio_change,
    ratio_interval,
    resampled,
)

few = settings(max_examples=25, deadline=None)
numbers = st.floats(-1e3, 1e3)
lists = st.lists(numbers, min_size=2, max_size=30)


@given(lists)
@few
def test_no_change_is_exactly_nothing(values: list[float]):
    found = paired_difference(values, values, unit="points")
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)
    assert found.n == len(values)
    assert found.unit == "points"
    pairs = [(abs(value), 7) for value in values]
    percent = paired_ratio_change(pairs, pairs)
    assert (percent.value, percent.low, percent.high) == (0.0, 0.0, 0.0)
    top, bottom = [abs(value) + 1 for value in values], [3.0] * len(values)
    ratio = paired_quotient((top, bottom), (top, bottom))
    assert (ratio.value, ratio.low, ratio.high) == (1.0, 1.0, 1.0)


@given(lists, st.integers(0, 5))
@few
def test_a_change_there_and_back_has_the_same_size(values: list[float], seed: int):
    other = [value / 2 + 1 for value in reversed(values)]
    there = paired_difference(values, other, seed=seed)
    back = paired_difference(other, values, seed=seed)
    assert there.value == -back.value  # type: ignore[operator]
    assert there.low == pytest.approx(-back.high, abs=1e-9)  # type: ignore[operator]
    assert there.high == pytest.approx(-back.low, abs=1e-9)  # type: ignore[operator]


@given(numbers, st.integers(2, 30))
@few
def test_equal_values_lie_within_their_interval(number: float, count: int):
    found = mean_interval([number] * count)
    assert found.low is not None
    assert found.high is not None
    assert found.value is not None
    assert found.low <= found.value <= found.high  # also where sums differ by rounding


def test_copies_of_one_example_narrow_no_ratio():
    tops, bottoms, names = [1.0, 4.0, 2.0], [2.0, 3.0, 4.0], ["a", "b", "c"]
    alone = ratio_interval(tops, bottoms)
    assert ratio_interval(tops * 5, bottoms * 5, clusters=names * 5) == pytest.approx(alone)
    assert ratio_interval(tops, bottoms, clusters=["a"] * 3) is None


@given(lists)
@few
def test_intervals_are_ordered_and_lie_within_the_values(values: list[float]):
    found = mean_interval(values)
    assert found.low is not None
    assert found.high is not None
    slack = 1e-9 * max(map(abs, values), default=0)
    assert min(values) - slack <= found.low <= found.high <= max(values) + slack
    assert found.value == math.fsum(values) / len(values)


def test_what_is_not_there_does_not_count():
    after = [1.0, None, 3.0, float("nan"), 5.0, float("inf")]
    before = [0.0, 1.0, None, 1.0, 1.0, 1.0]
    found = paired_difference(after, before)
    assert (found.value, found.n) == (2.5, 2)
    assert mean_interval(after).value == 3.0
    assert mean_interval(after).n == 3


@pytest.mark.parametrize("n", [0, 1])
def test_below_two_pairs_there_is_the_reason(n: int):
    for found in (
        paired_difference([1.0] * n, [0.0] * n, unit="points"),
        paired_ratio_change([(1.0, 2)] * n, [(2.0, 2)] * n),
        paired_quotient(([1.0] * n, [1.0] * n), ([1.0] * n, [1.0] * n)),
    ):
        assert found.value is None
        assert "two texts" in (found.reason or "")
        assert found.n == n


def test_one_value_has_a_mean_and_no_interval():
    assert mean_interval([4.0], unit="points", judge="it@1") == Measured(
        value=4.0, n=1, unit="points", judge="it@1"
    )
    assert mean_interval([]).reason == "There was no text to measure with."
    assert mean_interval([None, float("nan")]).value is None


def test_the_same_seed_gives_the_same_interval_and_touches_no_other_generator():
    np.random.seed(3)  # noqa: NPY002  the global one is what is asked about
    state = np.random.get_state()[1].copy()  # type: ignore[union-attr]  # noqa: NPY002
    values = [math.sqrt(x) for x in range(50)]
    assert mean_interval(values, seed=1) == mean_interval(values, seed=1)
    assert mean_interval(values, seed=1) != mean_interval(values, seed=2)
    assert (np.random.get_state()[1] == state).all()  # type: ignore[index]  # noqa: NPY002


def test_perplexity_changes_are_told_in_percent_of_the_token_weighted_one():
    before = [(20.0, 10), (90.0, 30)]
    after = [(10.0, 10), (60.0, 30)]
    found = paired_ratio_change(after, before)
    assert found.value == pytest.approx(100 * (math.exp(70 / 40 - 110 / 40) - 1))
    assert found.unit == "%"
    assert found.high is not None
    assert found.high < 0


def test_perplexities_over_other_tokens_are_not_compared():
    found = paired_ratio_change([(1.0, 3), (2.0, 4)], [(1.0, 3), (2.0, 5)])
    assert found.value is None
    assert "bits per byte" in (found.reason or "")


def test_a_text_without_a_token_does_not_count_and_a_bad_one_is_named():
    assert (
        paired_ratio_change([(1.0, 3), (0.0, 0), (2.0, 4)], [(2.0, 3), (0.0, 0), (2.0, 4)]).n == 2
    )
    bad = paired_ratio_change([(math.nan, 3), (1.0, 2)], [(1.0, 3), (1.0, 2)])
    assert bad.value is None
    assert "finite" in (bad.reason or "")
    huge = paired_ratio_change([(9e5, 3), (9e5, 3)], [(1.0, 3), (1.0, 3)])
    assert huge.value is None
    assert "too large" in (huge.reason or "")


def test_copies_of_a_prompt_are_no_new_evidence():
    generator = np.random.default_rng(0)
    values = generator.normal(size=20).tolist()
    names = [str(i) for i in range(20)]
    once = paired_difference(values, [0.0] * 20)
    copied = paired_difference(values * 9, [0.0] * 180)
    known = paired_difference(values * 9, [0.0] * 180, clusters=names * 9)

    def width(found: Measured) -> float:
        return found.high - found.low  # type: ignore[operator]

    assert width(copied) < width(once) / 2
    assert width(known) == pytest.approx(width(once))
    assert known.value == pytest.approx(once.value)
    assert known.n == 180
    one = paired_difference(values, [0.0] * 20, clusters=["a"] * 20)
    assert one.value is None
    assert "one and the same prompt" in (one.reason or "")
    alone = mean_interval(values, clusters=["a"] * 20)
    assert alone.value is not None
    assert alone.low is None


def test_a_quotient_by_nothing_has_no_value():
    found = paired_quotient(([1.0, 2.0], [1.0, 1.0]), ([0.0, 0.0], [1.0, 1.0]))
    assert found.value is None
    assert found.reason == "What it would be divided by is 0."


@pytest.mark.parametrize(
    ("measure", "truth"),
    [
        (paired_difference, 0.3),
        (lambda a, b: mean_interval([x - y for x, y in zip(a, b, strict=True)]), 0.3),
        (
            lambda a, b: paired_ratio_change([(x, 1) for x in a], [(y, 1) for y in b]),
            100 * math.expm1(0.3),
        ),
    ],
)
def test_intervals_cover_the_truth_about_as_often_as_they_say(
    measure: Callable[[list[float], list[float]], Measured], truth: float
):
    covered, trials = 0, 150
    for seed in range(trials):
        generator = np.random.default_rng(seed)
        before = generator.gamma(2.0, 3.0, size=40)  # texts are harder and easier
        after = before + generator.normal(0.3, 0.5, size=40)
        found = measure(after.tolist(), before.tolist())
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= truth <= found.high
    assert 0.87 <= covered / trials <= 0.99  # 95 % nominal; percentiles are a little short at 40


def test_sums_over_many_examples_are_made_in_chunks():
    columns = np.ones((2, 3000))
    assert (resampled(columns, seed=0, resamples=1500) == 3000).all()


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="2 examples after and 1 before"):
        paired_difference([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="1 clusters for 2"):
        mean_interval([1.0, 2.0], clusters=["a"])


def test_a_ratio_of_one_pair_has_no_interval():
    assert ratio_interval([1.0], [1.0]) is None
    assert ratio_interval([1.0, 2.0], [1.0, 1.0]) is not None
