"""Denoising examples for a small encoder-decoder: passages of text, and three ways to spoil them.

- **spans** (T5, arXiv:1910.10683): 15 % of the tokens, in spans of 3 on average, become sentinels
  in the source; the target tells what they stood for.
- **rest** (the prefix language model of UL2, arXiv:2205.05131): everything after a point between
  25 and 75 % becomes one sentinel.
- **words** (the denoising autoencoder of BART and of arXiv:1711.00043): up to 60 % of the words are
  left out and, half of the time, the others stand up to three places from theirs; the target is the
  whole text. Most of it can be copied, which is what fine-tuning for data-to-text or rewriting asks
  for.
"""

from __future__ import annotations

import itertools
import math
import random
import re
from typing import TYPE_CHECKING

from pretraining import one_pass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transformers import PreTrainedTokenizerFast

DENOISERS = ("spans", "rest", "words")
SPAN_SHARE, SPAN_LENGTH = 0.15, 3
MOST_LEFT_OUT, FARTHEST = 0.6, 3
SHORTEST, LONGEST = 16, 200  # tokens of a passage, about
BYTES_A_TOKEN = 3.6  # of this tokenizer on this corpus: only decides where a passage is cut
POOL = 1500  # passages that are sorted by length before they are batched
SENTENCE_END = re.compile(r"(?<=[.!?])[\"'\u201d\u2019)]*\s+")

Pair = tuple[list[int], list[int]]


def passages(text: str, draw: random.Random) -> Iterator[str]:
    """Consecutive sentences, together of a drawn length; the joints inside stay as they are."""
    ends = [match.end() for match in SENTENCE_END.finditer(text)] + [len(text)]
    start = 0
    wanted = 0.0
    for end in ends:
        if not wanted:
            wanted = BYTES_A_TOKEN * math.exp(draw.uniform(math.log(SHORTEST), math.log(LONGEST)))
        if end - start >= wanted or end == len(text):
            if piece := text[start:end].strip():
                yield piece
            start, wanted = end, 0.0


class Denoiser:
    """Makes source and target of a passage; both end in the end of text."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, seed: int) -> None:
        self.draw = random.Random(seed)
        self.backend = tokenizer.backend_tokenizer
        self.end: int = tokenizer.eos_token_id
        self.sentinels: list[int] = tokenizer.convert_tokens_to_ids(
            sorted(tokenizer.extra_special_tokens, key=lambda t: int(re.sub(r"\D", "", t)))
        )

    def encode(self, texts: list[str]) -> list[list[int]]:
        """Token numbers of each text, nothing added, at most `LONGEST`."""
        encoded = self.backend.encode_batch(texts, add_special_tokens=False)
        return [e.ids[:LONGEST] for e in encoded]

    def spans(self, ids: list[int]) -> Pair:
        """Put a sentinel in the place of each of some short spans."""
        noise = max(1, round(len(ids) * SPAN_SHARE))
        count = max(1, min(round(noise / SPAN_LENGTH), len(self.sentinels), len(ids) - noise))
        lengths = self._pieces(noise, count)
        gaps = self._pieces(len(ids) - noise + 1, count + 1)  # the last may be empty
        gaps[-1] -= 1
        source: list[int] = []
        target: list[int] = []
        at = 0
        for gap, length, sentinel in zip(gaps, lengths, self.sentinels, strict=False):
            source += [*ids[at : at + gap], sentinel]
            target += [sentinel, *ids[at + gap : at + gap + length]]
            at += gap + length
        return [*source, *ids[at:], self.end], [*target, self.end]

    def _pieces(self, total: int, count: int) -> list[int]:
        """Divide a number into that many, each at least one."""
        cuts = [0, *sorted(self.draw.sample(range(1, total), count - 1)), total]
        return [b - a for a, b in itertools.pairwise(cuts)]

    def rest(self, ids: list[int]) -> Pair:
        """Put a sentinel in the place of everything after some point."""
        at = max(1, round(len(ids) * self.draw.uniform(0.25, 0.75)))
        sentinel = self.sentinels[0]
        return [*ids[:at], sentinel, self.end], [sentinel, *ids[at:], self.end]

    def without_words(self, text: str) -> str:
        """Leave out some words, and move the others a little, half of the time."""
        share = self.draw.uniform(0, MOST_LEFT_OUT)
        reach = self.draw.choice((0, FARTHEST))
        kept = [(i + reach * self.draw.random(), w) for i, w in enumerate(text.split())]
        kept = [pair for pair in kept if self.draw.random() >= share] or kept[:1]
        return " ".join(word for _, word in sorted(kept))

    def pairs(self, kind: str, texts: list[str]) -> list[Pair]:
        """Sources and targets by one of `DENOISERS`."""
        whole = self.encode(texts)
        if kind == "words":
            sources = self.encode([self.without_words(text) for text in texts])
            return [([*s, self.end], [*t, self.end]) for s, t in zip(sources, whole, strict=True)]
        make = self.spans if kind == "spans" else self.rest
        return [make(ids) for ids in whole if len(ids) >= 4]  # noqa: PLR2004


class Stream:
    """Endless batches of pairs, each by one denoiser, of passages about equally long."""

    def __init__(
        self, denoiser: Denoiser, texts: dict[str, list[list[str]]], tokens: int, seed: int
    ) -> None:
        self.denoiser, self.texts, self.tokens = denoiser, texts, tokens
        self.draw = random.Random(seed)
        self.passes = 0
        self.waiting = self._passages()
        self.ready: dict[str, list[list[str]]] = {kind: [] for kind in DENOISERS}

    def _passages(self) -> Iterator[str]:
        while True:
            self.passes += 1
            for paragraphs, one_newline in one_pass(self.texts, self.draw):
                yield from passages(("\n" if one_newline else "\n\n").join(paragraphs), self.draw)

    def batch(self, kind: str) -> list[Pair]:
        """About `tokens` tokens of text, spoiled."""
        ready = self.ready[kind]
        if not ready:
            pool = sorted((next(self.waiting) for _ in range(POOL)), key=len)
            group: list[str] = []
            for text in pool:
                if group and (len(group) + 1) * len(text) / BYTES_A_TOKEN > self.tokens:
                    ready.append(group)
                    group = []
                group.append(text)
            self.draw.shuffle(ready)  # the last, longest group is left when it is not full
        return self.denoiser.pairs(kind, ready.pop())
