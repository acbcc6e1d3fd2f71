"""Batches: every row once an epoch, as many steps as planned, hardly anything padded."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from easymodel_nb.metrics.perplexity import IGNORED
from easymodel_nb.train.batches.documents import DOCUMENTS
from easymodel_nb.train.batches.flat import flatten
from easymodel_nb.train.batches.orders import (
    Alike,
    Batches,
    Budgeted,
    Shuffled,
    Sizing,
    padded_tokens,
)
from easymodel_nb.train.batches.padded import collate
from easymodel_nb.train.tasks.task import Example

ORDERS = (Alike, Shuffled, Budgeted)
rows = st.lists(st.tuples(st.integers(1, 500), st.integers(1, 90)), min_size=1, max_size=300).map(
    np.array
)


def flat(order: Batches) -> list[int]:
    return [row for batch in order for row in batch]


def steps(order: Batches, parts: int) -> list[list[int]]:
    batches = list(order)
    groups = [batches[start : start + parts] for start in range(0, len(batches), parts)]
    return [sorted(row for batch in group for row in batch) for group in groups]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ORDERS), rows, st.integers(1, 20), st.integers(1, 4), st.integers(0, 5))
def test_every_row_comes_once_an_epoch_in_as_many_steps_as_planned(
    kind: type[Batches], sizes: np.ndarray, batch: int, accumulation: int, epoch: int
) -> None:
    order = kind(sizes, Sizing.of(batch, accumulation), seed=7)
    order.set_epoch(epoch)
    assert sorted(flat(order)) == list(range(len(sizes)))
    assert len(list(order)) == len(order) == math.ceil(len(sizes) / batch)
    assert all(order)
    planned = math.ceil(math.ceil(len(sizes) / batch) / accumulation)
    assert order.mean_rows == len(sizes) / planned


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ORDERS), rows, st.integers(1, 12), st.integers(1, 3), st.data())
def test_smaller_batches_learn_the_same_rows_step_by_step(
    kind: type[Batches], sizes: np.ndarray, batch: int, accumulation: int, data: st.DataObject
) -> None:
    whole = batch * accumulation
    now = data.draw(st.sampled_from([n for n in range(1, batch + 1) if whole % n == 0]))
    before = kind(sizes, Sizing.of(batch, accumulation), seed=3)
    after = kind(sizes, Sizing.of(now, whole // now, batch), seed=3)
    assert len(list(after)) == len(after)
    assert steps(after, whole // now) == steps(before, accumulation)
    if kind is not Budgeted:
        assert max(map(len, after)) <= now


def test_an_order_is_a_function_of_seed_and_epoch() -> None:
    sizes = np.arange(1, 101)[:, None]
    for kind in ORDERS:
        first, second = (kind(sizes, Sizing.of(8, 1), seed=1) for _ in range(2))
        assert list(first) == list(first) == list(second)
        second.set_epoch(1)
        assert list(first) != list(second)
        assert list(first) != list(kind(sizes, Sizing.of(8, 1), seed=2))


def skewed(count: int, seed: int = 0) -> np.ndarray:
    """Lengths as of real texts: log-normal, a mean of about 46, up to 936 (PERFORMANCE)."""
    drawn = np.random.default_rng(seed).lognormal(3.3, 1.0, count)
    return np.clip(drawn, 1, 936).astype(int)[:, None]


@pytest.mark.parametrize("batch", [4, 8, 16])
def test_a_budget_leaves_less_than_five_percent_of_padding(batch: int) -> None:
    sizes = skewed(1600)
    drawn = list(Budgeted(sizes, Sizing.of(batch, 1), seed=0))
    computed = padded_tokens(sizes, drawn)
    assert 1 - sizes.sum() / sum(computed) < 0.05
    assert max(computed) <= max(2.5 * np.mean(computed), sizes.max())
    plain = padded_tokens(sizes, list(Shuffled(sizes, Sizing.of(batch, 1), seed=0)))
    assert sum(computed) < 0.6 * sum(plain)


def test_two_sides_are_both_padded_little() -> None:
    sizes = np.random.default_rng(0).normal(55, 15, (1600, 2)).clip(5).astype(int)
    drawn = list(Budgeted(sizes, Sizing.of(8, 1), seed=0))
    assert 1 - sizes.sum() / sum(padded_tokens(sizes, drawn)) < 0.07


def test_no_trend_in_length_reaches_the_loss() -> None:
    sizes = skewed(3200)
    means = [sizes[batch].mean() for batch in Budgeted(sizes, Sizing.of(8, 1), seed=0)]
    places = np.arange(len(means))
    assert abs(np.corrcoef(places, means)[0, 1]) < 0.15
    assert abs(np.corrcoef(means[:-1], means[1:])[0, 1]) < 0.15


def test_rows_are_padded_on_the_right() -> None:
    batch = collate([Example([5, 6, 7], [IGNORED, 6, 7]), Example([8], [IGNORED])], padding_id=9)
    assert batch["input_ids"].tolist() == [[5, 6, 7], [8, 9, 9]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch["labels"].tolist() == [[IGNORED, 6, 7], [IGNORED, IGNORED, IGNORED]]


def test_rows_lie_end_to_end_the_longest_first() -> None:
    found = flatten(
        collate([Example([8], [-100]), Example([5, 6, 7], [-100, 6, 7]), Example([4], [-100])]), 2
    )
    assert found["input_ids"].tolist() == [[5, 6, 7, 8, 4]]
    assert found["labels"].tolist() == [[-100, 6, 7, -100, -100]]
    assert found["position_ids"].tolist() == [[2, 3, 4, 2, 2]]
    assert "attention_mask" not in found
    documents = found[DOCUMENTS]
    assert documents.lengths == (3, 1, 1)
    assert documents.bounds.tolist() == [0, 3, 4, 5]
    assert documents.groups == ((1, 3), (2, 1))
