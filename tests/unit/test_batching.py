"""Batches: every row once an epoch, neighbours of like length, nothing padded in vain."""

from hypothesis import given, settings
from hypothesis import strategies as st

from easymodel_nb.metrics.perplexity import IGNORED
from easymodel_nb.train.batching import LikeLengths, collate
from easymodel_nb.train.tasks.task import Example

lengths = st.lists(st.integers(1, 500), min_size=1, max_size=300)


@settings(max_examples=60, deadline=None)
@given(lengths, st.integers(1, 20), st.integers(0, 5))
def test_every_row_comes_once_an_epoch(rows: list[int], batch_size: int, epoch: int) -> None:
    order = LikeLengths(rows, batch_size, seed=7)
    order.set_epoch(epoch)
    assert sorted(order) == list(range(len(rows)))


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    rows = list(range(1, 101))
    first, second = LikeLengths(rows, 8, seed=1), LikeLengths(rows, 8, seed=1)
    assert list(first) == list(second)
    second.set_epoch(1)
    assert list(first) != list(second)
    assert list(first) != list(LikeLengths(rows, 8, seed=2))


def test_less_is_padded_than_in_a_random_order() -> None:
    rows = [(number * 37) % 400 + 1 for number in range(512)]

    def computed(order: list[int]) -> int:
        batches = [order[start : start + 8] for start in range(0, len(order), 8)]
        return sum(max(rows[i] for i in batch) * len(batch) for batch in batches)

    assert computed(list(LikeLengths(rows, 8, seed=0))) < 0.7 * computed(list(range(512)))


def test_batches_have_no_trend_in_length() -> None:
    rows = list(range(1, 1025))
    order = list(LikeLengths(rows, 8, seed=0))
    means = [sum(rows[i] for i in order[start : start + 8]) / 8 for start in range(0, 1024, 8)]
    half = len(means) // 2
    first, second = sum(means[:half]) / half, sum(means[half:]) / half
    assert abs(first - second) < 0.15 * (first + second)


def test_collate_pads_to_the_longest_of_the_batch() -> None:
    batch = collate([Example([5, 6, 7], [IGNORED, 6, 7]), Example([8], [IGNORED])])
    assert batch["input_ids"].tolist() == [[5, 6, 7], [8, 0, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch["labels"].tolist() == [[IGNORED, 6, 7], [IGNORED, IGNORED, IGNORED]]
