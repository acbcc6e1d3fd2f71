"""Rows end to end in one, without any padding between them."""

import torch
import torch.nn.functional as F  # noqa: N812  its usual name

from easymodel_nb.metrics.perplexity import IGNORED
from easymodel_nb.train.batches.documents import DOCUMENTS, Documents
from easymodel_nb.train.batches.padded import Batch
from easymodel_nb.train.batches.sides import Sides


def even(total: int) -> int:
    """So many tokens or up to a sixteenth more, as one of few sizes.

    A processor that multiplies in bf16 prepares itself anew for each size it was never given: that
    takes as long as the product itself, and 3 MB of memory.
    """
    step = 1 << max(0, total.bit_length() - 5)
    return -(-total // step) * step


def flatten(
    batch: Batch, first_position: int = 0, *, evenly: bool = False, padding_id: int = 0
) -> Batch:
    """A right-padded batch as one row of all its tokens, (1, total) each.

    Documents of equal length are neighbours, so that they are read together. Beside what the
    batch holds there are `position_ids`, which begin anew with each document, and the bounds of
    the documents in place of `attention_mask`. What has no value a token, such as the class of
    a text, stands in the order of the documents. `evenly`: with filler behind the last one, which
    is `padding_id`, attended to by nobody and without a label, so that there are few different
    totals. Of pairs each side is a row by itself.
    """
    if "decoder_input_ids" in batch:
        return _pairs(batch, padding_id, evenly=evenly)
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
    documents = Documents(lengths[order].tolist())
    if evenly and (filler := even(documents.total) - documents.total):
        documents.filler = filler
        nothing = {"input_ids": padding_id, "labels": IGNORED}
        for name, value in found.items():
            if value.shape == (1, documents.total):
                found[name] = F.pad(value, (0, filler), value=nothing.get(name, 0))
        found["position_ids"][0, -filler:] = first_position
    found[DOCUMENTS] = documents
    return found


def _pairs(batch: Batch, padding_id: int, *, evenly: bool) -> Batch:
    """Sources as one row and targets as another, in the order they come in."""
    sides = {
        "input_ids": batch["attention_mask"].bool(),
        "decoder_input_ids": batch["labels"] != IGNORED,
        "labels": batch["labels"] != IGNORED,
    }
    found: Batch = {}
    bounds: dict[str, Documents] = {}
    for name, there in sides.items():
        documents = Documents(there.sum(1).tolist())
        documents.filler = even(documents.total) - documents.total if evenly else 0
        nothing = IGNORED if name == "labels" else padding_id
        found[name] = F.pad(batch[name][there][None], (0, documents.filler), value=nothing)
        bounds[name] = documents
    found[DOCUMENTS] = Sides(bounds["input_ids"], bounds["labels"])
    return found
