"""Corpus-level, token-weighted perplexity: exp(sum of NLL / scored tokens), one division.

Documents longer than the window are scored with overlapping windows, each token
once and with at least `max_length - stride` tokens of context (the strided
evaluation of the transformers documentation, "Perplexity of fixed-length models").

PyTorch is imported by what computes: a caller with a model has it already.
"""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from easymodel_nb.measured import Measured
from easymodel_nb.metrics.memory import in_halves
from easymodel_nb.metrics.scored_logits import logits_where, token_nll
from easymodel_nb.metrics.stats import measured, ratio_interval

IGNORED = -100
TOKEN_BUDGET = {"cpu": 2_048}  # per batch; larger batches leave the cache on CPUs
GPU_TOKEN_BUDGET = 16_384


class Perplexity(Measured):
    """A perplexity with what it was computed from."""

    tokens: int = Field(0, exclude=True)  # scored tokens
    nll: float = Field(0.0, exclude=True)  # their summed negative log-likelihood, in nats
    bytes: int = Field(0, exclude=True)  # UTF-8 bytes of the scored text
    per_text: tuple[tuple[float, int], ...] = Field((), exclude=True)  # (NLL, tokens) by text
    bytes_by_text: tuple[int, ...] = Field((), exclude=True)  # of what is scored of each text

    @property
    def loss(self) -> float | None:
        """Mean NLL in nats per scored token."""
        return self.nll / self.tokens if self.tokens else None

    @property
    def bits_per_byte(self) -> float | None:
        """Sum of NLL / (ln 2 * bytes): comparable across tokenizers."""
        return self.nll / (math.log(2) * self.bytes) if self.bytes else None

    def plain(self) -> Measured:
        """The number alone, without what it was computed from."""
        return Measured(**self.model_dump())


@dataclass(frozen=True)
class Encoded:
    """One text as token ids; `scored[i]` says whether token i is a target."""

    ids: list[int]
    scored: list[bool]
    bytes: int
    cut: bool = False  # whether something of the texts is left out
    whole: int = 0  # tokens before anything was left out
    targets: int = 0  # those of them that would be targets


@dataclass(frozen=True)
class _Window:
    text: int
    ids: list[int]
    labels: list[int] = field(repr=False)


def leading_specials(tokenizer: Any) -> list[int]:
    """The ids the tokenizer itself puts before a text: its BOS, if it adds one."""
    plain = tokenizer("a", add_special_tokens=False)["input_ids"]
    full = tokenizer("a", add_special_tokens=True)["input_ids"]
    for start in range(len(full) - len(plain) + 1):
        if full[start : start + len(plain)] == plain:
            return list(full[:start])
    return []


def encode(
    tokenizer: Any,
    texts: Sequence[str],
    *,
    prompts: Sequence[str] | None = None,
    max_length: int | None = None,
    eos: bool = False,
) -> list[Encoded]:
    """Token ids and targets of each text, exactly as a run trains them.

    Prompt and text are tokenised apart and their ids joined; the prompt is context
    only. With a prompt and more than `max_length` tokens in all, the prompt is cut
    from its start, the text from its end only if it alone is too long. Without
    prompts nothing is cut (long texts are windowed when scored) and the first token
    is context only, unless the tokenizer adds a BOS before it.
    """
    if prompts is not None and len(prompts) != len(texts):
        msg = f"{len(prompts)} prompts for {len(texts)} texts: give one prompt a text"
        raise ValueError(msg)
    if not texts:
        return []
    start = leading_specials(tokenizer)
    end = [tokenizer.eos_token_id] if eos and tokenizer.eos_token_id is not None else []
    bodies = tokenize(tokenizer, texts)
    heads = tokenize(tokenizer, prompts)[0] if prompts is not None else None
    encoded = []
    for index, (body, offsets) in enumerate(zip(*bodies, strict=True)):
        head = start + heads[index] if heads is not None else start
        ids = body + end
        whole = len(head) + len(ids)
        if heads is not None and max_length is not None:
            ids = ids[:max_length]
            head = _cut_start(start, heads[index], max_length - len(ids))
        first = 0 if head else 1  # nothing before the first token: it cannot be predicted
        scored = [False] * len(head) + [position >= first for position in range(len(ids))]
        kept = min(len(body), len(ids))
        size = scored_bytes(texts[index], offsets, first, kept)
        cut = len(head) + len(ids) < whole
        missing = len(body) + len(end) - len(ids)  # of the targets
        if heads is not None and not head and (start or heads[index]):
            missing += 1  # the first one could be predicted from the prompt that was cut
        targets = sum(scored) + missing
        encoded.append(Encoded(head + ids, scored, size, cut, whole, targets))
    return encoded


def _cut_start(start: list[int], prompt: list[int], room: int) -> list[int]:
    """The prompt's last tokens that fit, behind the BOS where both fit."""
    start = start if len(start) < room else []
    fits = min(len(prompt), room - len(start))
    return start + prompt[len(prompt) - fits :]


def tokenize(
    tokenizer: Any, texts: Sequence[str], *, target: bool = False
) -> tuple[list[list[int]], list[Any]]:
    """Ids without special tokens, and the characters of each (None where it does not tell).

    With `target`, as an encoder-decoder's tokenizer reads targets.
    """
    fast = bool(getattr(tokenizer, "is_fast", False))
    batch = tokenizer(
        **{"text_target" if target else "text": list(texts)},
        add_special_tokens=False,
        return_attention_mask=False,
        return_offsets_mapping=fast,
        verbose=False,
    )
    return batch["input_ids"], batch["offset_mapping"] if fast else [None] * len(texts)


def scored_bytes(text: str, offsets: Any, first: int, kept: int) -> int:
    """UTF-8 bytes of the text's tokens from `first` to before `kept`."""
    if offsets is None:  # a slow tokenizer tells no offsets
        return len(text.encode())
    if kept <= first:
        return 0
    begin = offsets[first - 1][1] if first else 0
    finish = len(text) if kept == len(offsets) else offsets[kept - 1][1]
    return len(text[begin:finish].encode())


def _windows(encoded: Sequence[Encoded], max_length: int, stride: int) -> list[_Window]:
    windows = []
    for text, item in enumerate(encoded):
        done = 0  # tokens already scored
        for start in range(0, max(1, len(item.ids)), stride):
            stop = min(start + max_length, len(item.ids))
            labels = [
                token if position >= done and item.scored[position] else IGNORED
                for position, token in enumerate(item.ids[start:stop], start)
            ]
            if labels:
                labels[0] = IGNORED  # nothing in the window precedes it
            if any(label != IGNORED for label in labels):
                windows.append(_Window(text, item.ids[start:stop], labels))
            done = stop
            if stop == len(item.ids):
                break
    return windows


def _batches(windows: list[_Window], budget: int) -> list[list[_Window]]:
    """Windows of like length together, at most `budget` padded tokens a batch."""
    batches: list[list[_Window]] = []
    for window in sorted(windows, key=lambda w: len(w.ids), reverse=True):
        longest = len(batches[-1][0].ids) if batches else 0
        if batches and (len(batches[-1]) + 1) * longest <= budget:
            batches[-1].append(window)
        else:
            batches.append([window])
    return batches


def model_positions(model: Any) -> int | None:
    """How many positions the model has, if its config says."""
    config = model.config
    if getattr(config, "is_encoder_decoder", False) and not hasattr(
        config, "max_position_embeddings"
    ):
        return None  # relative positions; what an old config calls n_positions is no limit
    found = getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None)
    return int(found) if found else None


@contextlib.contextmanager
def eval_mode(model: Any) -> Iterator[None]:
    """Eval mode meanwhile; afterwards every module has the mode it had."""
    trained = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in trained:
            module.training = True


def score(
    model: Any,
    encoded: Sequence[Encoded],
    *,
    max_length: int,
    stride: int | None = None,
    seed: int = 0,
    on_texts: Callable[[int], None] | None = None,
) -> Perplexity:
    """Perplexity of encoded texts; `on_texts` hears after each batch how many are done.

    The model is scored in eval mode and left in the mode it was in.
    """
    nll, tokens = text_sums(model, encoded, max_length=max_length, stride=stride, on_texts=on_texts)
    if not any(tokens):
        return Perplexity(reason="No text had a token to score.", n=0)
    scored_texts = sum(count > 0 for count in tokens)
    return summary(nll, tokens, [item.bytes for item in encoded], scored_texts, seed)


def text_sums(
    model: Any,
    encoded: Sequence[Encoded],
    *,
    max_length: int,
    stride: int | None = None,
    on_texts: Callable[[int], None] | None = None,
) -> tuple[list[float], list[int]]:
    """Summed NLL in nats and number of scored tokens of each text; as `score`, without a sum."""
    import torch  # noqa: PLC0415

    stride = stride or max(1, max_length // 2)
    windows = _windows(encoded, max_length, min(stride, max_length))
    nll = [0.0] * len(encoded)
    tokens = [0] * len(encoded)
    budget = TOKEN_BUDGET.get(model.device.type, GPU_TOKEN_BUDGET)
    done = 0
    with eval_mode(model), torch.inference_mode():
        for batch in _batches(windows, budget):
            scored = in_halves(batch, lambda part: _score_batch(model, part))
            for window, (loss, count) in zip(batch, scored, strict=True):
                nll[window.text] += loss
                tokens[window.text] += count
            done += len(batch)
            if on_texts is not None:
                on_texts(done * len(encoded) // len(windows))
    return nll, tokens


def _score_batch(model: Any, batch: Sequence[_Window]) -> list[tuple[float, int]]:
    import torch  # noqa: PLC0415

    width = max(len(window.ids) for window in batch)
    ids = torch.zeros((len(batch), width), dtype=torch.long)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, IGNORED)
    for row, window in enumerate(batch):
        length = len(window.ids)
        ids[row, :length] = torch.tensor(window.ids)
        labels[row, :length] = torch.tensor(window.labels)
        mask[row, :length] = 1
    device = model.device
    targets = torch.full_like(labels, IGNORED)
    targets[:, :-1] = labels[:, 1:]  # each place is asked for the token after it
    targets = targets.to(device)
    where = targets != IGNORED
    inputs: dict[str, Any] = {"input_ids": ids.to(device), "attention_mask": mask.to(device)}
    if hasattr(model.config, "use_cache"):
        inputs["use_cache"] = False
    logits = logits_where(model, where, **inputs)
    losses = token_nll(logits, targets[where])
    sums = torch.zeros(where.shape, dtype=torch.float64, device="cpu")
    sums[where.cpu()] = losses.double().cpu()
    counts = where.sum(dim=1).tolist()
    return list(zip(sums.sum(dim=1).tolist(), counts, strict=True))


def summary(
    nll: list[float], tokens: list[int], sizes: Sequence[int], texts: int, seed: int
) -> Perplexity:
    """One perplexity of summed NLL, token counts and bytes by text."""
    total, count = math.fsum(nll), sum(tokens)
    details = {
        "n": texts,
        "tokens": count,
        "nll": total,
        "bytes": sum(sizes),
        "per_text": tuple(zip(nll, tokens, strict=True)),
        "bytes_by_text": tuple(sizes),
    }
    bad = sum(not math.isfinite(value) for value in nll)
    if bad:
        return Perplexity(
            reason=f"The model gave no finite probability for {bad} of {texts} texts.",
            n=texts,
            tokens=count,
        )
    try:
        value = math.exp(total / count)
    except OverflowError:
        return Perplexity(reason="The perplexity is too large to write down.", **details)
    interval = ratio_interval(nll, tokens, seed=seed)
    low, high = (_safe_exp(interval[0]), _safe_exp(interval[1])) if interval else (None, None)
    held = measured(value, (low, high), texts)  # rounding apart, the interval holds it
    return Perplexity(value=value, low=held.low, high=held.high, **details)


def _safe_exp(value: float) -> float | None:
    try:
        return math.exp(value)
    except OverflowError:
        return None


def perplexity(
    model: Any,
    tokenizer: Any,
    texts: Sequence[str],
    *,
    prompts: Sequence[str] | None = None,
    max_length: int | None = None,
    stride: int | None = None,
    eos: bool = False,
    seed: int = 0,
) -> Perplexity:
    """Token-weighted perplexity of `texts` under a causal model or an encoder-decoder.

    Parameters
    ----------
    model, tokenizer
        A transformers causal language model or encoder-decoder, and its tokenizer.
    texts
        What is scored.
    prompts
        One a text, context only. Prompt and text are tokenised apart. For an
        encoder-decoder these are the sources, and there must be some.
    max_length
        Window in tokens, for an encoder-decoder of each side, which is cut at its end; None
        is the model's number of positions.
    stride
        Tokens between windows of a long text; None is `max_length // 2`.
    eos
        Append the end token and score it, as a run does.
    seed
        Of the bootstrap over texts that gives the 95 % interval.

    Returns
    -------
    Perplexity
        `value` = exp(sum NLL / scored tokens), NLL in float32, summed in float64;
        `n` counts texts with at least one scored token, `.tokens` scored tokens.

    Raises
    ------
    ValueError
        When the numbers of prompts and texts differ, max_length is below 2, or an
        encoder-decoder has no prompts.

    """
    positions = model_positions(model)
    window = min(x for x in (max_length, positions, 1_000_000) if x is not None)
    if max_length is None and positions is None:
        window = 1024
    if window < 2:  # noqa: PLR2004  one token to read and one to predict
        msg = "max_length must be at least 2: one token of context and one to predict"
        raise ValueError(msg)
    if getattr(model.config, "is_encoder_decoder", False):
        from easymodel_nb.metrics import conditional  # noqa: PLC0415  it imports this module

        if prompts is None:
            msg = "an encoder-decoder writes from a source: give one prompt a text"
            raise ValueError(msg)
        pairs = conditional.encode_pairs(tokenizer, prompts, texts, max_length=window, eos=eos)
        return conditional.score_pairs(model, pairs, seed=seed)
    encoded = encode(tokenizer, texts, prompts=prompts, max_length=window, eos=eos)
    return score(model, encoded, max_length=window, stride=stride, seed=seed)
