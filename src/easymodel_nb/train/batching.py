"""Batches: rows of like length, padded to the longest of their batch, never to `max_length`."""

from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Sampler

from easymodel_nb.metrics.perplexity import IGNORED
from easymodel_nb.train.tasks.generation import Example


def collate(examples: Sequence[Example]) -> dict[str, torch.Tensor]:
    """Right-padded `input_ids`, `attention_mask`, `labels`, each (rows, longest)."""
    width = max(len(example.ids) for example in examples)
    ids = torch.zeros((len(examples), width), dtype=torch.long)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, IGNORED)
    for row, example in enumerate(examples):
        length = len(example.ids)
        ids[row, :length] = torch.tensor(example.ids)
        mask[row, :length] = 1
        labels[row, :length] = torch.tensor(example.labels)
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


class LikeLengths(Sampler[int]):
    """A random order in which neighbours have like lengths, so that little is padded.

    A random permutation is cut into windows of 16 batches; each is sorted by length and
    cut into batches, and all batches are shuffled, so that no trend in length reaches the
    loss. An incomplete batch comes last. The order is a function of the seed and the epoch.
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
