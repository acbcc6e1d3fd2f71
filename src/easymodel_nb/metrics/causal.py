"""A causal language model as judge: sentence scores, and what a context adds to a text.

The model is the frozen base of a run. Alone it must not judge fluency (what it decodes greedily is
likely under it by construction); its gains are differences, in which that cancels mostly.
"""

import functools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

from easymodel_nb.metrics.judges import Identity, digest
from easymodel_nb.metrics.perplexity import (
    Encoded,
    leading_specials,
    model_positions,
    text_sums,
    tokenize,
)

_LONGEST = 1024  # tokens of a window where the model does not say
_TEXT_SHARE = 0.75  # of a window is the text's at most: the rest is for its context
_ADAPTERS = ("lora_", "modules_to_save", "prompt_encoder")


@dataclass(frozen=True)
class Scores:
    """Of each text: log p in nats, that of its tokens alone, and how many they are; float64."""

    model: np.ndarray
    unigram: np.ndarray
    tokens: np.ndarray


class CausalJudge:
    """A transformers causal language model and its tokenizer; left in the mode it was in.

    Every token of a text is scored, the first one after the tokenizer's own start or, where it has
    none, after the end token; without either the first is context only, in both parts of a gain.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        fit_texts: Sequence[str] | None = None,
        *,
        max_length: int | None = None,
        identity: Identity | None = None,
    ) -> None:
        """Count the pieces of `fit_texts`, which only SLOR needs."""
        self._model = model
        self._tokenizer = tokenizer
        given = (max_length, model_positions(model), _LONGEST)
        self._window = min(limit for limit in given if limit is not None)
        self._start = _start(tokenizer)
        self._counts = _counts(tokenizer, fit_texts) if fit_texts else None
        self._given = identity

    @functools.cached_property
    def identity(self) -> Identity:
        """The model by the hash of its weights, without what an adapter adds."""
        if self._given is not None:
            return self._given
        config = self._model.config
        name = PurePath(str(getattr(config, "name_or_path", "") or "")).name
        return Identity(
            id=name or str(config.model_type),
            hash=digest(_weights(self._model)),
            licence="that of the base model",
            note="the frozen base of the run",
        )

    def log_probability(self, sentences: Sequence[str]) -> np.ndarray:
        """Log p of each sentence, in nats: (n,) float64; NaN without a token to score."""
        return self.scores(sentences).model

    def slor(self, sentences: Sequence[str]) -> np.ndarray:
        """(log p - unigram log p) / tokens (Pauls & Klein 2012): (n,) float64.

        Raises
        ------
        ValueError
            When the judge was made without `fit_texts`.

        """
        if self._counts is None:
            raise ValueError("SLOR needs fit_texts: the texts whose words are counted")
        found = self.scores(sentences)
        scores: np.ndarray = (found.model - found.unigram) / found.tokens
        return scores

    def prompt_gain(self, prompts: Sequence[str], texts: Sequence[str]) -> np.ndarray:
        """[log p(text | prompt) - log p(text)] / tokens, in nats a token: (n,) float64.

        Texts are tokenised apart from their prompts, as in training. NaN for an empty text.
        """
        with_prompt, alone = self.scores(texts, prompts), self.scores(texts)
        gains: np.ndarray = (with_prompt.model - alone.model) / alone.tokens
        return gains

    def next_sentence_gain(self, texts: Sequence[Sequence[str]]) -> np.ndarray:
        """Mean over a text's sentences, but for the first, of the gain by those before: (n,).

        A text is given as its sentences; NaN for fewer than two.
        """
        before, after, owner = [], [], []
        for index, parts in enumerate(texts):
            for place in range(1, len(parts)):
                before.append(" ".join(parts[:place]))
                after.append(" " + parts[place])
                owner.append(index)
        gains = self.prompt_gain(before, after)
        owners = np.array(owner, dtype=np.int64)
        scored = np.isfinite(gains)  # a sentence without a token has no gain
        sums = np.bincount(owners[scored], gains[scored], minlength=len(texts))
        counts = np.bincount(owners[scored], minlength=len(texts))
        return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)

    def scores(self, texts: Sequence[str], contexts: Sequence[str] | None = None) -> Scores:
        """Log p of each text, after its context where there is one."""
        if contexts is not None and len(contexts) != len(texts):
            raise ValueError(f"{len(contexts)} contexts for {len(texts)} texts: give one each")
        if not texts:
            return Scores(*(np.zeros(0) for _ in range(3)))
        bodies = tokenize(self._tokenizer, texts)[0]
        heads = tokenize(self._tokenizer, contexts)[0] if contexts is not None else None
        first = 0 if self._start else 1  # nothing comes before the first token of a text alone
        encoded, alone = [], []
        for index, whole in enumerate(bodies):
            body = whole[: max(2, int(self._window * _TEXT_SHARE) - len(self._start))]
            room = self._window - len(body) - len(self._start)
            head = heads[index][-room:] if heads is not None and room > 0 else []
            scored = [place >= first for place in range(len(body))]
            encoded.append(_encoded(self._start + head, body, scored))
            alone.append(self._unigram(body[first:]))
        nll, tokens = text_sums(self._model, encoded, max_length=self._window)
        counts = np.array(tokens, dtype=np.float64)
        counts[counts == 0] = np.nan
        return Scores(-np.array(nll) + counts * 0, np.array(alone), counts)

    def _unigram(self, ids: list[int]) -> float:
        """Log p of the tokens alone, by Witten & Bell's estimate of what was never seen."""
        if self._counts is None:
            return float("nan")
        counts, size = self._counts, max(len(self._tokenizer), len(self._counts) + 1)
        seen, kinds = counts.total(), len(counts)
        unseen = kinds / (size - kinds)
        chances = np.array([counts.get(token, 0) or unseen for token in ids])
        return float(np.log(chances / (seen + kinds)).sum())


def _encoded(head: list[int], body: list[int], scored: list[bool]) -> Encoded:
    return Encoded(head + body, [False] * len(head) + scored, bytes=0)


def _start(tokenizer: Any) -> list[int]:
    """What stands before a text: the tokenizer's start, else its end token, else nothing."""
    found = leading_specials(tokenizer)
    for token in (tokenizer.bos_token_id, tokenizer.eos_token_id):
        if not found and token is not None:
            found = [int(token)]
    return found


def _counts(tokenizer: Any, texts: Sequence[str]) -> "Counter[int] | None":
    counts: Counter[int] = Counter()
    for ids in tokenize(tokenizer, texts)[0]:
        counts.update(ids)
    return counts or None


def _weights(model: Any) -> Iterator[Any]:
    """The bytes of the weights by name, as they were before an adapter was put around them."""
    import torch  # noqa: PLC0415

    named = {
        name.replace("base_model.model.", "").replace(".base_layer", ""): tensor
        for name, tensor in model.state_dict().items()
        if not any(part in name for part in _ADAPTERS)
    }
    for name in sorted(named):
        yield name.encode()
        yield named[name].detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
