"""Which rows stand in which batch, epoch by epoch: a function of rows, seed and epoch alone.

Rows that make one optimizer step are settled once, from the batch and the accumulation that a run
began with. Where memory ran out and batches are smaller, the same steps are cut into more of them.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import Sampler

Sizes = np.ndarray  # (rows, sides) of int64: tokens of a row, on each side that is padded apart
Rows = list[int]

_WINDOW = 100  # batches of rows that are sorted together: less than 5 % padding, and still random
_ALIKE = 16  # the same in plans of before


@dataclass(frozen=True)
class Sizing:
    """Rows of a batch and batches of a step: as the run began, and as it goes on."""

    batch: int
    accumulation: int
    now: int  # rows of a batch
    parts: int  # batches of a step

    @classmethod
    def of(cls, now: int, parts: int, began: int | None = None) -> "Sizing":
        """`began`: rows of a batch where they were more at first; a step has as many as then."""
        batch = began or now
        return cls(batch, now * parts // batch, now, parts)


class Batches(Sampler[Rows]):
    """The batches of an epoch; a step is so many of them, the last one perhaps fewer."""

    def __init__(self, sizes: Sizes, sizing: Sizing, seed: int) -> None:
        self._sizes, self._sizing, self._seed = sizes, sizing, seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of that epoch."""
        self._epoch = epoch

    @property
    def mean_rows(self) -> float:
        """Rows of a step, on average."""
        steps = math.ceil(len(self) / self._sizing.parts)
        return len(self._sizes) / max(1, steps)

    def __len__(self) -> int:
        return math.ceil(len(self._sizes) / self._sizing.now)

    def __iter__(self) -> Iterator[Rows]:
        generator = torch.Generator().manual_seed(self._seed + self._epoch)
        batches = self._drawn(generator)
        if self._sizing.parts == self._sizing.accumulation:
            yield from batches
            return
        left = len(self)
        for start in range(0, len(batches), self._sizing.accumulation):
            step = batches[start : start + self._sizing.accumulation]
            parts = min(self._sizing.parts, left)
            left -= parts
            yield from self._cut(list(itertools.chain(*step)), parts)

    def _drawn(self, generator: torch.Generator) -> list[Rows]:
        """The batches as the run began with them."""
        raise NotImplementedError

    def _cut(self, rows: Rows, parts: int) -> Iterator[Rows]:  # noqa: ARG002
        """The rows of a step in more parts; empty ones come first."""
        for start in range(0, len(rows), self._sizing.now):
            yield rows[start : start + self._sizing.now]


class Given(Batches):
    """Batches that were settled before."""

    def __init__(self, batches: Sequence[Rows]) -> None:
        longest = max(map(len, batches))
        super().__init__(np.zeros((longest * len(batches), 1)), Sizing.of(longest, 1), 0)
        self._given = list(batches)

    def _drawn(self, generator: torch.Generator) -> list[Rows]:  # noqa: ARG002
        return self._given


class Shuffled(Batches):
    """Every row at random: the batches of plain training."""

    def _drawn(self, generator: torch.Generator) -> list[Rows]:
        order = torch.randperm(len(self._sizes), generator=generator).tolist()
        size = self._sizing.batch
        return [order[start : start + size] for start in range(0, len(order), size)]


class Alike(Batches):
    """Rows of like length in batches of equal many: the order of plans of before."""

    def _drawn(self, generator: torch.Generator) -> list[Rows]:
        size, lengths = self._sizing.batch, torch.from_numpy(self._sizes.max(axis=1))
        order = torch.randperm(len(lengths), generator=generator)
        whole = len(order) - len(order) % size
        batches: list[Rows] = []
        for start in range(0, whole, _ALIKE * size):
            window = order[start : min(start + _ALIKE * size, whole)]
            alike = window[lengths[window].argsort(stable=True)]
            batches += alike.reshape(-1, size).tolist()
        shuffled = torch.randperm(len(batches), generator=generator).tolist()
        last = [order[whole:].tolist()] if whole < len(order) else []
        return [*(batches[place] for place in shuffled), *last]


class Budgeted(Batches):
    """Batches of like rows and of nearly as many padded tokens each, in a random order.

    A random permutation is cut into windows of 100 batches; each is cut into as many batches as
    plain training would make of it, so that there are as many steps. A batch of short rows has
    more of them than one of long rows; their mean is the batch size.
    """

    def _drawn(self, generator: torch.Generator) -> list[Rows]:
        order = torch.randperm(len(self._sizes), generator=generator).numpy()
        size = self._sizing.batch
        batches: list[Rows] = []
        for start in range(0, len(order), _WINDOW * size):
            window = order[start : start + _WINDOW * size]
            halves = _halved(self._sizes, window, math.ceil(len(window) / size))
            batches += (rows.tolist() for rows in halves)
        shuffled = torch.randperm(len(batches), generator=generator).tolist()
        return [batches[place] for place in shuffled]

    def _cut(self, rows: Rows, parts: int) -> Iterator[Rows]:
        there = min(parts, len(rows))
        yield from ([] for _ in range(parts - there))
        for part in _halved(self._sizes, np.array(rows), there):
            yield part.tolist()


def _halved(sizes: Sizes, rows: np.ndarray, parts: int) -> Iterator[np.ndarray]:
    """The rows in that many parts, none of them empty, of nearly as many padded tokens each.

    Halved again and again, by whichever side leaves the larger half smaller.
    """
    if parts == 1:
        yield rows
        return
    left = parts // 2
    best: tuple[float, np.ndarray, int] | None = None
    for side in range(sizes.shape[1]):
        order = rows[np.argsort(sizes[rows, side], kind="stable")]
        ahead, behind = (_padded(sizes[x]) for x in (order, order[::-1]))
        cuts = np.arange(left, len(rows) - (parts - left) + 1)  # rows of the left half
        worse = np.maximum(ahead[cuts - 1] / left, behind[len(rows) - cuts - 1] / (parts - left))
        place = int(worse.argmin())
        if best is None or worse[place] < best[0]:
            best = float(worse[place]), order, int(cuts[place])
    assert best is not None  # noqa: S101  there is a side
    _, order, cut = best
    yield from _halved(sizes, order[:cut], left)
    yield from _halved(sizes, order[cut:], parts - left)


def _padded(sizes: Sizes) -> np.ndarray:
    """Padded tokens of the first row, of the first two, and so on."""
    longest = np.maximum.accumulate(sizes, axis=0).sum(axis=1)
    counts: np.ndarray = longest * np.arange(1, len(sizes) + 1)
    return counts


def padded_tokens(sizes: Sizes, batches: Sequence[Rows]) -> list[int]:
    """Tokens of each batch, padding included."""
    return [int(sizes[rows].max(axis=0).sum()) * len(rows) if rows else 0 for rows in batches]
