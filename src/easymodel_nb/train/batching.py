"""Batches: rows of like length, padded to the longest of their batch, never to `max_length`."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import Sampler

from easymodel_nb.metrics.perplexity import IGNORED

Batch = dict[str, torch.Tensor]


def pad(rows: Sequence[Sequence[int]], value: int, *, side: str = "right") -> torch.Tensor:
    """The rows as one (rows, longest) tensor of int64, the short ones filled with `value`."""
    width = max((len(row) for row in rows), default=0)
    out = torch.full((len(rows), width), value, dtype=torch.long)
    for index, row in enumerate(rows):
        start = width - len(row) if side == "left" else 0
        out[index, start : start + len(row)] = torch.tensor(row, dtype=torch.long)
    return out


def collate(examples: Sequence[Any], padding_id: int = 0) -> Batch:
    """Right-padded `input_ids`, `attention_mask`, `labels`, each (rows, longest)."""
    return {
        "input_ids": pad([example.ids for example in examples], padding_id),
        "attention_mask": pad([[1] * len(example.ids) for example in examples], 0),
        "labels": pad([example.labels for example in examples], IGNORED),
    }


class LikeLengths(Sampler[int]):
    """A random order in which neighbours have like lengths, so that little is padded.

    A random permutation is cut into windows of 16 batches; each is sorted by length and
    cut into batches, and all batches are shuffled, so that no trend in length reaches the
    loss. An incomplete batch comes last. The order is a function of the seed and the epoch,
    and of the rows and `batch_size`: a run that goes on in smaller batches keeps the size it
    began with here.
    """

    _WINDOW = 16

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self._lengths = torch.tensor(list(lengths))
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of that epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self._seed + self._epoch)
        order = torch.randperm(len(self), generator=generator)
        whole = len(self) - len(self) % self._batch_size
        batches: list[torch.Tensor] = []
        for start in range(0, whole, self._WINDOW * self._batch_size):
            window = order[start : min(start + self._WINDOW * self._batch_size, whole)]
            alike = window[self._lengths[window].argsort(stable=True)]
            batches += alike.reshape(-1, self._batch_size).unbind()
        for index in torch.randperm(len(batches), generator=generator).tolist():
            yield from batches[index].tolist()
        yield from order[whole:].tolist()
