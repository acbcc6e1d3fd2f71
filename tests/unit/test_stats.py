"""The bootstrap interval of a ratio of sums."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.metrics import stats
from easymodel_nb.metrics.stats import ratio_interval

PAIRS = st.lists(
    st.tuples(st.floats(0, 1e3), st.integers(0, 50)).filter(lambda pair: pair[1] or not pair[0]),
    min_size=2,
    max_size=30,
).filter(lambda pairs: any(count for _, count in pairs))


@given(PAIRS)
def test_it_lies_between_the_smallest_and_the_largest_ratio(pairs: list[tuple[float, int]]):
    interval = ratio_interval([a for a, _ in pairs], [b for _, b in pairs])
    assert interval is not None
    ratios = [a / b for a, b in pairs if b]
    slack = 1e-9 * max(1, *ratios)
    assert min(ratios) - slack <= interval[0] <= interval[1] <= max(ratios) + slack


@given(PAIRS, st.integers(0, 2**32 - 1))
def test_it_is_a_function_of_its_arguments_alone(pairs: list[tuple[float, int]], seed: int):
    tops, bottoms = zip(*pairs, strict=True)
    before = np.random.get_state()[1].copy()  # noqa: NPY002  the state that must not move
    first = ratio_interval(tops, bottoms, seed=seed)
    np.random.default_rng(0).random(10)
    assert ratio_interval(tops, bottoms, seed=seed) == first
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_equal_ratios_have_no_spread():
    assert ratio_interval([2, 4, 6], [1, 2, 3]) == (2, 2)


def test_one_pair_or_nothing_counted_has_no_interval():
    assert ratio_interval([1], [1]) is None
    assert ratio_interval([], []) is None
    assert ratio_interval([0, 0], [0, 0]) is None


def test_it_covers_the_truth_about_95_times_in_100():
    generator = np.random.default_rng(7)
    hits = 0
    for draw in range(200):
        counts = generator.integers(5, 20, 60)
        sums = generator.gamma(counts, 3.0)  # each unit has mean 3
        low, high = ratio_interval(sums.tolist(), counts.tolist(), seed=draw) or (0, 0)
        hits += low <= 3.0 <= high
    assert 180 <= hits <= 199


def test_it_narrows_with_the_square_root_of_the_sample():
    generator = np.random.default_rng(1)
    widths = []
    for size in (50, 5000):
        low, high = ratio_interval(generator.gamma(2, 1, size), np.ones(size)) or (0, 0)
        widths.append(high - low)
    assert math.isclose(widths[0] / widths[1], 10, rel_tol=0.4)


def test_memory_stays_small_for_many_examples(monkeypatch: pytest.MonkeyPatch):
    whole = ratio_interval([1.0, 2.0, 4.0] * 50, [1, 1, 1] * 50)
    monkeypatch.setattr(stats, "_CHUNK", 1000)  # a few resamples at once
    assert ratio_interval([1.0, 2.0, 4.0] * 50, [1, 1, 1] * 50) == pytest.approx(whole, rel=0.05)
