"""Words as sub-words, and texts of any length as windows in which every word is learned once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from easymodel_nb.metrics.perplexity import IGNORED

_PROBES = ("the", "and", "b", "x", "1")
# Sub-words of words of texts, and how many a text has before long words are cut.
SCHEMA = pa.schema([("words", pa.list_(pa.list_(pa.int32()))), ("whole", pa.int64())])


@dataclass(frozen=True)
class Window:
    """A part of a text as the model reads it.

    `labels` holds a tag at the first sub-word of each word that is learned and scored
    here, IGNORED elsewhere; `places[i]` is the position of that sub-word for the i-th such
    word, the first of which is word `first` of text `text`.
    """

    ids: list[int]
    labels: list[int]
    text: int
    first: int
    places: list[int]

    def __len__(self) -> int:
        """Tokens of the window."""
        return len(self.ids)


def space_before(tokenizer: Any) -> str:
    """What must stand before a word for the sub-words it has inside a sentence: a space or nothing.

    Byte-level tokenizers (GPT-2, RoBERTa, Llama 3) make another token of a word after a space.
    """
    for probe in _PROBES:
        inside, bare, spaced = (_ids(tokenizer, t) for t in (f"a {probe}", probe, f" {probe}"))
        if inside[-len(bare) :] != bare and inside[-len(spaced) :] == spaced:
            return " "
    return ""


def add_prefix_space(tokenizer: Any) -> bool:
    """Let a tokenizer that needs that space put it before each of a list of words itself.

    Returns whether it does so now: `tokenizer(words, is_split_into_words=True)` gives the
    sub-words that the model has learned.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return False
    from tokenizers import normalizers  # noqa: PLC0415

    wanted = [_ids(tokenizer, f" {probe}") for probe in _PROBES]
    first = backend.pre_tokenizer
    if type(first).__name__ == "ByteLevel":
        first.add_prefix_space = True
        backend.pre_tokenizer = first
        tokenizer.add_prefix_space = True
        tokenizer.init_kwargs["add_prefix_space"] = True
    else:  # a regular expression cuts first, and would give each of its parts a space
        before = [backend.normalizer] if backend.normalizer is not None else []
        backend.normalizer = normalizers.Sequence([*before, normalizers.Prepend(" ")])
    split = tokenizer(list(_PROBES), is_split_into_words=True, add_special_tokens=False)
    return bool(split["input_ids"] == [token for ids in wanted for token in ids])


def _ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def specials(tokenizer: Any) -> tuple[list[int], list[int]]:
    """The ids that the tokenizer puts before and after a text, such as [CLS] and [SEP]."""
    plain, full = _ids(tokenizer, "a"), list(tokenizer("a")["input_ids"])
    for start in range(len(full) - len(plain) + 1):
        if full[start : start + len(plain)] == plain:
            return full[:start], full[start + len(plain) :]
    return [], []


def sub_words(
    tokenizer: Any,
    texts: Sequence[Sequence[str]],
    *,
    longest: int,
    known: dict[str, list[int]] | None = None,
) -> pa.RecordBatch:
    """For each text the ids of each of its words, at least one and at most `longest` of them.

    A word that the tokenizer drops, such as a lone control character, is read as unknown. Words
    recur, so that each is asked for once: `known` is filled, and holds them from call to call.
    """
    known = {} if known is None else known
    space = space_before(tokenizer)
    unknown = tokenizer.unk_token_id
    blank = [unknown] if unknown is not None else _ids(tokenizer, f"{space}?")[:1] or [0]
    new = list(dict.fromkeys(word for text in texts for word in text if word not in known))
    if new:
        ids = tokenizer(
            [space + word for word in new],
            add_special_tokens=False,
            return_attention_mask=False,
            verbose=False,
        )["input_ids"]
        known.update(zip(new, (found or blank for found in ids), strict=True))
    found = [[known[word] for word in text] for text in texts]
    whole = [sum(map(len, words)) for words in found]
    cut = [[word[:longest] for word in words] for words in found]
    return pa.RecordBatch.from_arrays(
        [pa.array(cut, SCHEMA.field(0).type), pa.array(whole, pa.int64())], schema=SCHEMA
    )


def windows(
    words: Sequence[list[int]],
    labels: Sequence[int],
    *,
    text: int,
    max_length: int,
    around: tuple[list[int], list[int]],
) -> list[Window]:
    """The text in windows of at most `max_length` tokens; each word is learned in exactly one.

    A text that does not fit is cut into stretches of half a window; the rest of each window is
    what stands before and after the stretch, as context.
    """
    lead, trail = around
    room = max_length - len(lead) - len(trail)
    sizes = [len(word) for word in words]
    if sum(sizes) <= room:
        stretches = [(0, len(words))] if words else []
    else:
        stretches = _stretches(sizes, max(1, room // 2))
    found = []
    for first, end in stretches:
        start, stop = _context(sizes, first, end, room)
        ids, marks, places = list(lead), [IGNORED] * len(lead), []
        for place in range(start, stop):
            learned = first <= place < end
            if learned:
                places.append(len(ids))
            ids += words[place]
            marks += [labels[place] if learned else IGNORED, *[IGNORED] * (sizes[place] - 1)]
        ids, marks = ids + trail, marks + [IGNORED] * len(trail)
        found.append(Window(ids, marks, text, first, places))
    return found


def _stretches(sizes: Sequence[int], limit: int) -> list[tuple[int, int]]:
    """Neighbouring words of at most `limit` tokens; a longer word is alone."""
    found, first, size = [], 0, 0
    for place, tokens in enumerate(sizes):
        if place > first and size + tokens > limit:
            found.append((first, place))
            first, size = place, 0
        size += tokens
    return [*found, (first, len(sizes))]


def _context(sizes: Sequence[int], first: int, end: int, room: int) -> tuple[int, int]:
    """The words around a stretch that fit, as many tokens before it as after it."""
    free = room - sum(sizes[first:end])
    start, stop = first, end
    before = after = 0
    while True:
        left = start > 0 and before + after + sizes[start - 1] <= free
        right = stop < len(sizes) and before + after + sizes[stop] <= free
        if left and (before <= after or not right):
            start -= 1
            before += sizes[start]
        elif right:
            after += sizes[stop]
            stop += 1
        else:
            return start, stop
