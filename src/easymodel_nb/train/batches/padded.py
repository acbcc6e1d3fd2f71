"""Rows as rectangles, padded to the longest of their batch, never to `max_length`."""

from collections.abc import Sequence
from typing import Any

import torch

from easymodel_nb.metrics.perplexity import IGNORED

Batch = dict[str, Any]  # tensors; of a flat batch also the bounds of its documents


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
