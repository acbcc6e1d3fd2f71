"""An n-gram language model fitted in seconds: modified Kneser-Ney smoothing, interpolated.

Chen & Goodman 1998 ("An empirical study of smoothing techniques for language modeling"), section 3,
over the pieces of a small byte-level BPE in lower case. Pieces and not words, because every text of
every language, and code, is made of known pieces: an invented word costs what it should.

No maintained package does this without a compiler on all of Python 3.11 to 3.13 (kenlm and varikn
come as source), so the counting is ours, in numpy.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from easymodel_nb.metrics.judges import Identity, digest
from easymodel_nb.metrics.text import sentences as split

ORDER = 4
MAX_TOKENS = 2_000_000
LARGEST_VOCABULARY, SMALLEST_VOCABULARY = 8_000, 512
_CHARACTERS_A_PIECE = 50  # of the fitted text there are, for each piece of the vocabulary
_CHARACTERS_A_TOKEN = 3  # at least, so that no more text is read than can be counted
_BITS = 14  # of a piece in a key; four of them fit into 64 bits
_START, _END = 0, 1
_CHUNK = 2_000  # sentences encoded at once
_CUTS = 3  # discounts: of n-grams seen once, twice, and more often


@dataclass(frozen=True)
class _Level:
    """N-grams of one length: sorted keys with their (adjusted) counts, and their contexts."""

    keys: np.ndarray
    counts: np.ndarray
    contexts: np.ndarray
    totals: np.ndarray
    spared: np.ndarray  # what discounting takes from each context, as a share
    discounts: np.ndarray  # of counts 0, 1, 2, 3 and more

    def probability(self, keys: np.ndarray, lower: np.ndarray) -> np.ndarray:
        """Probability of the last piece of each key, given that of the shorter n-gram."""
        where, seen = _find(self.contexts, keys >> _BITS)
        if not seen.any():
            return lower
        at, found = _find(self.keys, keys)
        counts = np.where(found, self.counts[at], 0)
        kept = np.maximum(counts - self.discounts[np.minimum(counts, _CUTS)], 0.0)
        mixed: np.ndarray = kept / self.totals[where] + self.spared[where] * lower
        return np.where(seen, mixed, lower)


class NGram:
    """A language model of order 4, fitted on the texts of a training split."""

    def __init__(
        self,
        fit_texts: Sequence[str],
        *,
        order: int = ORDER,
        max_tokens: int = MAX_TOKENS,
        seed: int = 0,
    ) -> None:
        """Fit it on the sentences of the texts, in an order drawn with `seed`.

        Raises
        ------
        ValueError
            When there is no word in the texts, or `order` is not 2, 3 or 4.

        """
        if not 2 <= order <= ORDER:  # noqa: PLR2004  a bigram at least
            raise ValueError(f"An n-gram model here has order 2 to {ORDER}, not {order}")
        read = list(_some(fit_texts, max_tokens * _CHARACTERS_A_TOKEN, seed))
        if not read:
            raise ValueError("There is no text to fit a language model on")
        self._order = order
        self._pieces = _bpe(read)
        stream, places = self._stream(read, max_tokens)
        self.fit_sentences = int((places == 0).sum())
        self.fit_tokens = len(stream) - self.fit_sentences
        self._size = self._pieces.get_vocab_size()
        self._base, self._levels = _count(stream, places, order, self._size)
        # What was never seen has the same probability in both, so that SLOR cannot reward it.
        raw = np.bincount(stream[places > 0], minlength=self._size)
        spared = self._base[1:].min() * (self._size - 1)
        self._unigram = (1.0 - spared) * raw / raw.sum() + self._base[1:].min()
        counted = [part for level in self._levels for part in (level.keys, level.counts)]
        self.identity = Identity(
            id=f"kneser-ney-{order}",
            hash=digest([self._pieces.to_str().encode(), *(a.tobytes() for a in counted)]),
            licence="that of the training data",
            note=f"fitted on {self.fit_tokens:,} tokens of {self.fit_sentences:,} sentences",
        )

    def log_probability(self, sentences: Sequence[str]) -> np.ndarray:
        """Log p of each sentence and its end, in nats: (n,) float64; NaN for an empty one."""
        return self._sums(sentences)[0]

    def slor(self, sentences: Sequence[str]) -> np.ndarray:
        """(log p - unigram log p) / tokens (Pauls & Klein 2012): (n,) float64.

        The end of the sentence is one of the tokens. NaN for an empty sentence.
        """
        model, unigram, tokens = self._sums(sentences)
        scores: np.ndarray = (model - unigram) / tokens
        return scores

    def mean_log_probability(self, sentences: Sequence[str]) -> np.ndarray:
        """Log p / tokens, the negative logarithm of a sentence's perplexity: (n,) float64."""
        model, _, tokens = self._sums(sentences)
        scores: np.ndarray = model / tokens
        return scores

    def next_piece(self, context: str) -> np.ndarray:
        """Probabilities of every piece after a text from the start of a sentence; they sum to 1."""
        ids = [_START, *self._encode([context])[0]][-(self._order - 1) :]
        stream = np.tile(np.array([*ids, 0], dtype=np.int64), (self._size, 1))
        stream[:, -1] = np.arange(self._size)
        places = np.tile(np.arange(len(ids) + 1), (self._size, 1))
        chances = self._probabilities(stream.ravel(), places.ravel())
        found: np.ndarray = chances.reshape(self._size, -1)[:, -1]
        return found

    def _sums(self, sentences: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Log p, unigram log p and number of tokens of each sentence; NaN where there is none."""
        rows = self._encode(sentences)
        lengths = np.array([len(row) for row in rows], dtype=np.int64)
        empty = np.full(len(rows), np.nan)
        if not lengths.any():
            return empty, empty, empty
        stream = np.concatenate([[_START, *row, _END] for row in rows]).astype(np.int64)
        places = np.concatenate([np.arange(length + 2) for length in lengths])
        owner = np.repeat(np.arange(len(rows)), lengths + 2)
        target = places > 0
        chances = np.log(self._probabilities(stream, places)[target])
        alone = np.log(self._unigram[stream[target]])
        sums = [np.bincount(owner[target], values, len(rows)) for values in (chances, alone)]
        tokens = np.where(lengths > 0, lengths + 1.0, np.nan)
        return sums[0] + tokens * 0, sums[1] + tokens * 0, tokens

    def _probabilities(self, stream: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Of every piece given those before it in its sentence (1 at its start)."""
        chances = np.where(places > 0, self._base[stream], 1.0)
        keys = stream.copy()
        for length, level in enumerate(self._levels, 2):
            keys = keys.copy()
            back = length - 1
            keys[back:] |= stream[:-back] << (_BITS * back)
            inside = places >= back
            chances[inside] = level.probability(keys[inside], chances[inside])
        return chances

    def _encode(self, sentences: Sequence[str]) -> list[list[int]]:
        cleaned = [" ".join(sentence.split()) for sentence in sentences]
        return [encoding.ids for encoding in self._pieces.encode_batch(cleaned)]

    def _stream(self, read: list[str], max_tokens: int) -> tuple[np.ndarray, np.ndarray]:
        """Pieces of all sentences, each between start and end, and their places in the sentence."""
        rows: list[np.ndarray] = []
        total = 0
        for start in range(0, len(read), _CHUNK):
            for ids in self._encode(read[start : start + _CHUNK]):
                rows.append(np.array([_START, *ids, _END], dtype=np.int64))
                total += len(ids) + 1
            if total >= max_tokens:
                break
        return np.concatenate(rows), np.concatenate([np.arange(len(row)) for row in rows])


def _some(texts: Sequence[str], characters: int, seed: int) -> Iterator[str]:
    """Sentences of the texts in a drawn order, until there are enough characters."""
    left = characters
    for index in np.random.default_rng(seed).permutation(len(texts)):
        for sentence in split(texts[index]):
            if left <= 0:
                return
            cleaned = " ".join(sentence.split())
            left -= len(cleaned)
            if cleaned:
                yield cleaned


def _bpe(read: list[str]) -> Any:
    """A byte-level BPE in lower case, trained on the sentences; the same for the same ones."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers  # noqa: PLC0415

    size = sum(map(len, read)) // _CHARACTERS_A_PIECE
    pieces = Tokenizer(models.BPE())
    pieces.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    trainer = trainers.BpeTrainer(
        vocab_size=min(LARGEST_VOCABULARY, max(SMALLEST_VOCABULARY, size)),
        min_frequency=2,
        show_progress=False,
        special_tokens=["<|start|>", "<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    pieces.train_from_iterator(read, trainer)
    pieces.encode_special_tokens = True  # what looks like one in a text is text
    return pieces


def _find(keys: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each wanted key is in the sorted ones, and whether it is there."""
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return at, keys[at] == wanted


def _count(
    stream: np.ndarray, places: np.ndarray, order: int, size: int
) -> tuple[np.ndarray, list[_Level]]:
    """Probabilities of single pieces, and the levels above them, shortest first.

    Below the highest order an n-gram counts once for each different piece before it; nothing is
    before the start of a sentence, so there it counts as often as it is.
    """
    levels: list[_Level] = []
    longer = np.zeros(0, dtype=np.int64)  # the distinct n-grams one longer
    for length in range(order, 1, -1):
        back = length - 1
        keys = stream.copy()
        for step in range(1, length):
            keys[step:] |= stream[:-step] << (_BITS * step)
        starting = places == back if length < order else places >= back
        suffixes = longer & ((1 << (_BITS * length)) - 1)
        found, counts = np.unique(np.concatenate([keys[starting], suffixes]), return_counts=True)
        if len(found):
            levels.insert(0, _level(found, counts))
        longer = found
    single = np.bincount(longer & ((1 << _BITS) - 1), minlength=size)
    single[_START] = 0
    cuts = _discounts(single[single > 0])
    kept = np.maximum(single - cuts[np.minimum(single, _CUTS)], 0.0)
    total = single.sum()
    base = kept / total + (1.0 - kept.sum() / total) / (size - 1)
    base[_START] = 0.0
    return base, levels


def _level(keys: np.ndarray, counts: np.ndarray) -> _Level:
    contexts, first = np.unique(keys >> _BITS, return_index=True)
    cuts = _discounts(counts)
    totals = np.add.reduceat(counts, first).astype(np.float64)
    taken = np.add.reduceat(np.minimum(cuts[np.minimum(counts, _CUTS)], counts), first)
    return _Level(keys, counts, contexts, totals, taken / totals, cuts)


def _discounts(counts: np.ndarray) -> np.ndarray:
    """Discounts of counts 0, 1, 2 and more, from the counts of counts (Chen & Goodman, eq. 26).

    Few data can leave a count of counts at 0 or a discount outside its range; then it is the
    middle of that range.
    """
    n = [int((counts == k).sum()) for k in range(1, _CUTS + 2)]
    cuts = np.zeros(_CUTS + 1)
    share = n[0] / (n[0] + 2 * n[1]) if n[0] else 0.0
    for k in range(1, _CUTS + 1):
        cut = k - (k + 1) * share * n[k] / n[k - 1] if n[k - 1] and share else 0.0
        cuts[k] = cut if 0.0 < cut < k else k / 2
    return cuts
