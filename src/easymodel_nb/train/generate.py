"""Greedy answers to the sampled prompts, in left-padded batches."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from easymodel_nb.metrics.perplexity import eval_mode
from easymodel_nb.train.batching import pad
from easymodel_nb.train.tasks.task import Sample

_BATCH = 16


@torch.inference_mode()
def generate(
    model: Any,
    tokenizer: Any,
    samples: Sequence[Sample],
    max_new_tokens: int,
    on_texts: Callable[[int], None],
) -> list[dict[str, Any]]:
    """One row a sample: index, prompt, reference, text, tokens, ended ("eos" or "limit").

    Decoding is greedy, the text is the new tokens only, and no global random state is drawn from.
    """
    rows: list[dict[str, Any]] = []
    order = sorted(range(len(samples)), key=lambda i: len(samples[i].ids))
    with eval_mode(model):
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            new = _batch(model, tokenizer, [samples[i].ids for i in batch], max_new_tokens)
            for index, ids in zip(batch, new, strict=True):
                rows.append(_row(index, samples[index], ids, tokenizer))
            on_texts(len(rows))
    return sorted(rows, key=lambda row: int(row["index"]))


def _batch(model: Any, tokenizer: Any, prompts: list[list[int]], limit: int) -> list[list[int]]:
    eos = tokenizer.eos_token_id
    filler = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else eos
    filler = filler if filler is not None else 0
    ids = pad(prompts, filler, side="left")
    mask = pad([[1] * len(prompt) for prompt in prompts], 0, side="left")
    output = model.generate(
        input_ids=ids.to(model.device),
        attention_mask=mask.to(model.device),
        max_new_tokens=limit,
        do_sample=False,
        num_beams=1,
        temperature=None,
        top_p=None,
        top_k=None,
        eos_token_id=eos,
        pad_token_id=filler,
    )
    return [row[ids.shape[1] :].tolist() for row in output]


def _row(index: int, sample: Sample, ids: list[int], tokenizer: Any) -> dict[str, Any]:
    ended = tokenizer.eos_token_id in ids
    if ended:
        ids = ids[: ids.index(tokenizer.eos_token_id)]
    return {
        "index": index,
        "prompt": sample.prompt,
        "reference": sample.reference,
        "text": tokenizer.decode(ids, skip_special_tokens=True),
        "tokens": len(ids),
        "ended": "eos" if ended else "limit",
    }
