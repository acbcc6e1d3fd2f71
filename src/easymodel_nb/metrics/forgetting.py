"""The forgetting meter: perplexity on general English beside that of the task.

A model that learns a task may lose what it knew. The same passages (`builtin/general`, public
domain and CC BY, none of which the built-in models were trained on) are scored before and after;
what is read is the paired change. It is a change in English text alone.
"""

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from easymodel_nb import builtin
from easymodel_nb.measured import Measured
from easymodel_nb.metrics.perplexity import Encoded, Perplexity, encode, model_positions, score
from easymodel_nb.metrics.stats import paired_ratio_change

NAME = "general"
NOTE = "English"
MAX_TOKENS = 8_192  # scored and read tokens of one measurement
LEAST = 2  # passages, without which there is no interval
_WINDOW = 1024  # tokens, where the model does not tell its positions; no passage is longer
_BEFORE = "The base model was not measured on general text, so there is nothing to compare with."
_ENCODER_DECODER = (
    "Does not apply, because an encoder-decoder writes from a source, and general text has none."
)
_NO_TEXT = "Does not apply, because this model writes no text."


@dataclass(frozen=True)
class Forgetting:
    """Perplexity on general text, and its change from the base model in percent.

    A `change` above 0 is forgetting. `note` is what to say beside both.
    """

    perplexity: Perplexity
    change: Measured
    note: str = NOTE


def forgetting(
    model: Any,
    tokenizer: Any,
    *,
    before: Perplexity | None = None,
    max_tokens: int = MAX_TOKENS,
    seed: int = 0,
    on_texts: Callable[[int], None] | None = None,
) -> Forgetting:
    """Measure a causal language model on general English text.

    Parameters
    ----------
    model, tokenizer
        A transformers causal language model and its tokenizer.
    before
        What this gave for the base model, with the same tokenizer and bound.
    max_tokens
        How many tokens are read at most: whole passages, from the first on, but at least two.
    seed
        Of the bootstrap over passages.
    on_texts
        Hears after each batch how many passages are done; what it raises is passed on.

    Returns
    -------
    Forgetting
        The change has a 95 % interval over passages (2,000 resamples, paired). For what is no
        causal language model there is no value, but the reason.

    """
    reason = _not_causal(model)
    found = Perplexity(reason=reason, n=0) if reason else None
    if found is None:
        try:
            found = _perplexity(model, tokenizer, max_tokens, seed, on_texts)
        except (RuntimeError, ValueError, TypeError, IndexError, MemoryError) as error:
            said = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            reason = f"The model could not be measured on general text ({said})."
            found = Perplexity(reason=reason, n=0)
    return Forgetting(found, change(found, before, seed=seed))


def change(after: Perplexity, before: Perplexity | None, *, seed: int = 0) -> Measured:
    """Paired change of the perplexity in percent; above 0 the model forgot."""
    if after.value is None:
        return Measured.missing(after.reason or "", n=after.n, unit="%")
    if before is None:
        return Measured.missing(_BEFORE, n=0, unit="%")
    if before.value is None:
        return Measured.missing(before.reason or "", n=before.n, unit="%")
    if len(after.per_text) != len(before.per_text):
        reason = "The base model was measured on other passages."
        return Measured.missing(reason, n=0, unit="%")
    return paired_ratio_change(after.per_text, before.per_text, seed=seed)


@functools.cache
def passages() -> tuple[str, ...]:
    """The passages, a mixture from the first ones on."""
    file = builtin.path(NAME) / "passages.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines()
    return tuple(str(json.loads(line)["text"]) for line in lines)


def within(encoded: list[Encoded], max_tokens: int) -> list[Encoded]:
    """The first ones that have `max_tokens` together, but at least two."""
    total = 0
    kept: list[Encoded] = []
    for item in encoded:
        total += len(item.ids)
        if total > max_tokens and len(kept) >= LEAST:
            break
        kept.append(item)
    return kept


def _perplexity(
    model: Any,
    tokenizer: Any,
    max_tokens: int,
    seed: int,
    on_texts: Callable[[int], None] | None,
) -> Perplexity:
    encoded = within(encode(tokenizer, passages()), max_tokens)
    positions = model_positions(model) or _WINDOW
    return score(model, encoded, max_length=positions, seed=seed, on_texts=on_texts)


def _not_causal(model: Any) -> str | None:
    if getattr(model.config, "is_encoder_decoder", False):
        return _ENCODER_DECODER
    head = getattr(model, "get_output_embeddings", None)
    return None if head is not None and head() is not None else _NO_TEXT
