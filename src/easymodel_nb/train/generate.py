"""Greedy answers to prompts or, of an encoder-decoder, to sources, in padded batches."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import torch

from easymodel_nb.metrics.memory import in_halves
from easymodel_nb.metrics.perplexity import eval_mode
from easymodel_nb.train.batches.padded import pad
from easymodel_nb.train.tasks.task import ALL, Sample

# Rows together, and their tokens with the answers' room: what grows with them is the cache of keys
# and values. Few rows leave a GPU idle; on a CPU twice as many gain 6 %.
_ROWS = {"cpu": 32}
_ROWS_ELSEWHERE = 64
_TOKENS = 32_768
# A model may come with a recipe of its own, such as four beams and at least 56 tokens; base and
# tuned are compared by what they find likeliest at each step, and by where they end themselves.
_GREEDY: dict[str, Any] = {
    "do_sample": False,
    "num_beams": 1,
    "temperature": None,
    "top_p": None,
    "top_k": None,
    "min_length": 0,
    "min_new_tokens": None,
    "max_length": None,
    "early_stopping": False,
    "length_penalty": None,
    "repetition_penalty": None,
    "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0,
    "forced_eos_token_id": None,
}


@torch.inference_mode()
def generate(
    model: Any,
    tokenizer: Any,
    samples: Sequence[Sample],
    max_new_tokens: int,
    on_texts: Callable[[int], None],
    *,
    ends: Collection[int] = (),
    which: slice = ALL,
    **sampling: Any,
) -> list[dict[str, Any]]:
    """One row a sample: index, prompt, reference, text, tokens, ended ("eos" or "limit").

    An answer ends with the tokenizer's end token, or with one of `ends`.
    The text is the new tokens only. Decoding is greedy, and no global random state is drawn from,
    unless `sampling` (arguments of transformers' `generate`) says otherwise. `which`: of the
    samples; the indices of rows are those of all samples.
    """
    rows: list[dict[str, Any]] = []
    places = range(len(samples))[which]
    order = sorted(places, key=lambda i: len(samples[i].ids))
    eos = tokenizer.eos_token_id
    stops = sorted({*ends, *([] if eos is None else [eos])})
    with eval_mode(model):
        for batch in _batches(order, samples, max_new_tokens, model.device.type):
            prompts = [samples[i].ids for i in batch]
            new = in_halves(
                prompts,
                lambda part: _batch(model, tokenizer, part, max_new_tokens, stops, sampling),
            )
            for index, ids in zip(batch, new, strict=True):
                rows.append(_row(index, samples[index], ids, tokenizer, stops))
            on_texts(len(rows))
    return sorted(rows, key=lambda row: int(row["index"]))


def _batches(
    order: Sequence[int], samples: Sequence[Sample], limit: int, device: str
) -> Iterator[list[int]]:
    """Places of prompts of like length, the shortest first, within the budget of tokens."""
    most = _ROWS.get(device, _ROWS_ELSEWHERE)
    batch: list[int] = []
    for place in order:
        tokens = (len(batch) + 1) * (len(samples[place].ids) + limit)
        if batch and (len(batch) == most or tokens > _TOKENS):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _batch(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[list[int]],
    limit: int,
    stops: list[int],
    sampling: dict[str, Any],
) -> list[list[int]]:
    """New tokens alone; an encoder-decoder reads the prompts as its source."""
    reads_apart = bool(getattr(model.config, "is_encoder_decoder", False))
    side = "right" if reads_apart else "left"
    filler = next((x for x in (tokenizer.pad_token_id, *stops) if x is not None), 0)
    ids = pad(prompts, filler, side=side)
    mask = pad([[1] * len(prompt) for prompt in prompts], 0, side=side)
    output = model.generate(
        input_ids=ids.to(model.device),
        attention_mask=mask.to(model.device),
        max_new_tokens=limit,
        eos_token_id=stops or None,
        pad_token_id=filler,
        use_cache=True,
        **(_GREEDY | sampling),
    )
    before = 1 if reads_apart else ids.shape[1]  # the decoder's start token, or the prompt
    return [row[before:].tolist() for row in output]


def _row(
    index: int, sample: Sample, ids: list[int], tokenizer: Any, stops: list[int]
) -> dict[str, Any]:
    end = next((place for place, token in enumerate(ids) if token in stops), None)
    ids = ids[:end]
    return {
        "index": index,
        "prompt": sample.prompt,
        "reference": sample.reference,
        "text": tokenizer.decode(ids, skip_special_tokens=True),
        "tokens": len(ids),
        "ended": "limit" if end is None else "eos",
    }
