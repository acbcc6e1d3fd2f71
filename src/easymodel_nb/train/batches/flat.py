"""Rows end to end in one, without any padding."""

import torch

from easymodel_nb.train.batches.documents import Documents
from easymodel_nb.train.batches.padded import Batch

DOCUMENTS = "documents"  # the argument of the model's forward that tells attention their bounds


def flatten(batch: Batch, first_position: int = 0) -> Batch:
    """A right-padded batch as one row of all its tokens, (1, total) each.

    Documents of equal length are neighbours, so that they are read together. Beside what the
    batch holds there are `position_ids`, which begin anew with each document, and the bounds of
    the documents in place of `attention_mask`. What has no value a token, such as the class of
    a text, stands in the order of the documents.
    """
    mask = batch["attention_mask"]
    lengths = mask.sum(1)
    order = lengths.argsort(descending=True, stable=True)
    there = mask[order].bool()
    found: Batch = {}
    for name, value in batch.items():
        if name != "attention_mask":
            found[name] = value[order]
            if value.shape == mask.shape:
                found[name] = found[name][there][None]
    steps = torch.arange(first_position, first_position + mask.shape[1]).expand(mask.shape)
    found["position_ids"] = steps[there][None]
    found[DOCUMENTS] = Documents(lengths[order].tolist())
    return found
