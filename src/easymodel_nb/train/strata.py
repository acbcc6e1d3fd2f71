"""Drawing by class: parts of a whole that keep each class's share. A function of the seed alone."""

from typing import Any

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]


def quotas(counts: Indices, total: int, least: Indices, most: Indices) -> Indices:
    """How many rows each class gives: near its share of `total`, between `least` and `most`.

    They sum to `total`. Where the least of all classes is more than `total`, nothing is
    promised to any class.
    """
    if least.sum() > total:
        least = np.zeros_like(least)
    wanted = counts * (total / max(1, counts.sum()))
    given: Indices = np.clip(np.floor(wanted).astype(np.int64), least, most)
    while (gap := total - int(given.sum())) != 0:
        step = 1 if gap > 0 else -1
        free = given < most if step > 0 else given > least
        if not free.any():
            break
        lack = np.where(free, (wanted - given) * step, -np.inf)
        first = np.argsort(-lack, kind="stable")[: min(abs(gap), int(free.sum()))]
        given[first] += step
    return given


def first_of_each(order: Indices, classes: npt.NDArray[Any], given: Indices) -> Indices:
    """The first `given[c]` of each class c in `order`, in that order."""
    seen = np.zeros(len(order), dtype=np.int64)
    of_order = classes[order]
    sorted_places = np.argsort(of_order, kind="stable")
    starts = np.searchsorted(of_order[sorted_places], np.arange(len(given)))
    seen[sorted_places] = np.arange(len(order)) - starts[of_order[sorted_places]]
    chosen: Indices = order[seen < given[of_order]]
    return chosen


def subset(order: Indices, classes: npt.NDArray[Any], size: int) -> Indices:
    """`size` of the rows in `order`, by each class's share; two of each class where there are."""
    counts = np.bincount(classes[order])
    given = quotas(counts, size, np.minimum(counts, 2), counts)
    return first_of_each(order, classes, given)


def held_out(
    order: Indices, classes: npt.NDArray[Any], groups: npt.NDArray[Any], count: int
) -> Indices:
    """`count` of the rows in `order` to measure on, each class by its share.

    Of a class with two rows or more, one at least stays on either side. Rows of one group
    (exact duplicates) stay together; a group that does not fit is trained on, so that
    fewer than `count` rows can come back.
    """
    counts = np.bincount(classes[order])
    most = np.maximum(counts - 1, 0)
    if most.sum() < count:  # next to every row is a class of its own
        most = counts
    room = quotas(counts, count, np.minimum(most, 1), most)
    _, group, sizes = np.unique(groups[order], return_inverse=True, return_counts=True)
    if sizes.max() == 1:
        return first_of_each(order, classes, room)
    taken = np.zeros(len(sizes), dtype=bool)
    decided: set[int] = set()
    left = room.tolist()
    open_rows = int(room.sum())
    for mine, class_ in zip(group.tolist(), classes[order].tolist(), strict=True):
        if open_rows == 0:
            break
        if mine not in decided:
            decided.add(mine)
            if sizes[mine] <= left[class_]:
                taken[mine] = True
                left[class_] -= int(sizes[mine])
                open_rows -= int(sizes[mine])
    chosen: Indices = order[taken[group]]
    return chosen if len(chosen) else first_of_each(order, classes, room)
