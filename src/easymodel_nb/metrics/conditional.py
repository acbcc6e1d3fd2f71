"""Perplexity of a target given its source, under an encoder-decoder (teacher forcing).

Source and target are tokenised as the model's own tokenizer does it, specials included, and
each is cut at its end. Every token of the target counts, its end token too, as a run learns it.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from easymodel_nb.metrics.memory import in_halves
from easymodel_nb.metrics.perplexity import (
    GPU_TOKEN_BUDGET,
    IGNORED,
    TOKEN_BUDGET,
    Perplexity,
    eval_mode,
    scored_bytes,
    summary,
    tokenize,
)
from easymodel_nb.metrics.scored_logits import logits_where, token_nll


@dataclass(frozen=True)
class EncodedPair:
    """A source and its target as token ids; the target's last `unscored` ones do not count."""

    source: list[int]
    target: list[int]
    bytes: int  # UTF-8 bytes of the target text that is scored
    cut: bool = False  # whether something of the two texts is left out
    unscored: int = 0
    whole: int = 0  # tokens of the longer side before anything was left out
    targets: int = 0  # tokens of the target before anything was left out

    def __len__(self) -> int:
        """Tokens of both sides, which decide a batch."""
        return len(self.source) + len(self.target)

    @property
    def labels(self) -> list[int]:
        """The target, IGNORED where nothing is scored."""
        return self.target[: len(self.target) - self.unscored] + [IGNORED] * self.unscored


@dataclass(frozen=True)
class _Frame:
    """What the tokenizer puts around every text of one side."""

    before: list[int]
    after: list[int]


def encode_pairs(
    tokenizer: Any,
    sources: Sequence[str],
    targets: Sequence[str],
    *,
    max_length: int,
    eos: bool = True,
) -> list[EncodedPair]:
    """Ids of each pair, each side at most `max_length` long; targets end with the end token.

    Without `eos` the end token is there, as the model is used to it, but not scored.

    Raises
    ------
    ValueError
        When the numbers of sources and targets differ.

    """
    if len(sources) != len(targets):
        msg = f"{len(sources)} sources for {len(targets)} targets: give one source a target"
        raise ValueError(msg)
    if not targets:
        return []
    heads, tails = _frame(tokenizer, target=False), _frame(tokenizer, target=True)
    end = tokenizer.eos_token_id
    if end is not None and end not in tails.after:
        tails = _Frame(tails.before, [*tails.after, end])
    asked = tokenize(tokenizer, sources)[0]
    answered, offsets = tokenize(tokenizer, targets, target=True)
    pairs = []
    for index, (body, where) in enumerate(zip(answered, offsets, strict=True)):
        source, cut_source = _fitted(asked[index], heads, max_length)
        target, cut_target = _fitted(body, tails, max_length)
        kept = len(target) - len(tails.before) - len(tails.after)
        answers = len(tails.before) + len(body) + len(tails.after)
        asks = len(heads.before) + len(asked[index]) + len(heads.after)
        pairs.append(
            EncodedPair(
                source,
                target,
                scored_bytes(targets[index], where, 0, kept),
                cut_source or cut_target,
                0 if eos else len(tails.after),
                max(asks, answers),
                answers,
            )
        )
    return pairs


def _frame(tokenizer: Any, *, target: bool) -> _Frame:
    side = "text_target" if target else "text"
    plain = tokenizer(**{side: "a"}, add_special_tokens=False)["input_ids"]
    full = tokenizer(**{side: "a"}, add_special_tokens=True)["input_ids"]
    for start in range(len(full) - len(plain) + 1):
        if full[start : start + len(plain)] == plain:
            return _Frame(list(full[:start]), list(full[start + len(plain) :]))
    return _Frame([], [])


def _fitted(body: list[int], frame: _Frame, max_length: int) -> tuple[list[int], bool]:
    room = max(0, max_length - len(frame.before) - len(frame.after))
    return frame.before + body[:room] + frame.after, len(body) > room


def shifted(model: Any, labels: Any) -> Any:
    """Decoder input for labels (rows, length), by the model's own rule.

    T5 and BART put their start token first; mBART moves the language code from the end.
    """
    own = getattr(model, "prepare_decoder_input_ids_from_labels", None)
    if own is not None:
        return own(labels=labels)
    start, filler = model.config.decoder_start_token_id, model.config.pad_token_id or 0
    ids = labels.new_full(labels.shape, start)
    ids[:, 1:] = labels[:, :-1]
    return ids.masked_fill(ids == IGNORED, filler)


def score_pairs(
    model: Any,
    pairs: Sequence[EncodedPair],
    *,
    seed: int = 0,
    on_texts: Callable[[int], None] | None = None,
) -> Perplexity:
    """Perplexity of the targets; `on_texts` hears after each batch how many are done.

    The model is scored in eval mode and left in the mode it was in.
    """
    import torch  # noqa: PLC0415

    nll, tokens = [0.0] * len(pairs), [0] * len(pairs)
    scored = [i for i, pair in enumerate(pairs) if len(pair.target) > pair.unscored]
    if not scored:
        return Perplexity(reason="No text had a token to score.", n=0)
    budget = TOKEN_BUDGET.get(model.device.type, GPU_TOKEN_BUDGET)
    done = 0
    with eval_mode(model), torch.inference_mode():
        for batch in _batches(pairs, scored, budget):
            some = [pairs[i] for i in batch]
            losses = in_halves(some, lambda part: _score_batch(model, part))
            for index, (loss, count) in zip(batch, losses, strict=True):
                nll[index], tokens[index] = loss, count
            done += len(batch)
            if on_texts is not None:
                on_texts(done)
    return summary(nll, tokens, [pair.bytes for pair in pairs], len(scored), seed)


def _batches(pairs: Sequence[EncodedPair], which: list[int], budget: int) -> Iterator[list[int]]:
    """Pairs of like length together, at most `budget` padded tokens a batch."""
    batch: list[int] = []
    widest = [0, 0]
    for index in sorted(which, key=lambda i: -len(pairs[i])):
        wide = [max(widest[0], len(pairs[index].source)), max(widest[1], len(pairs[index].target))]
        if batch and (len(batch) + 1) * sum(wide) > budget:
            yield batch
            batch, wide = [], [len(pairs[index].source), len(pairs[index].target)]
        batch, widest = [*batch, index], wide
    yield batch


def _score_batch(model: Any, pairs: Sequence[EncodedPair]) -> list[tuple[float, int]]:
    import torch  # noqa: PLC0415

    def padded(rows: Sequence[list[int]], value: int) -> Any:
        width = max(len(row) for row in rows)
        return torch.tensor([row + [value] * (width - len(row)) for row in rows]).to(model.device)

    mask = padded([[1] * len(pair.source) for pair in pairs], 0)
    labels = padded([pair.labels for pair in pairs], IGNORED)
    where = labels != IGNORED
    logits = logits_where(
        model,
        where,
        input_ids=padded([pair.source for pair in pairs], model.config.pad_token_id or 0),
        attention_mask=mask,
        decoder_input_ids=shifted(model, padded([pair.target for pair in pairs], IGNORED)),
        use_cache=False,
    )
    losses = token_nll(logits, labels[where])
    sums = torch.zeros(where.shape, dtype=torch.float64)
    sums[where.cpu()] = losses.double().cpu()
    return [
        (math.fsum(row), int(count))
        for row, count in zip(sums.tolist(), where.sum(dim=1).tolist(), strict=True)
    ]
