"""A training example as text, in stretches that are read, learned or cut off."""

import difflib
import itertools
from collections.abc import Sequence
from typing import Any

from easymodel_nb.train.auditing.audited import Span, SpanKind

Marked = list[tuple[int, SpanKind]]  # token ids, and what becomes of each

_SHOWN = 1_500  # characters of a span
_SPANS = 60  # of an example
_COMPARED = 20_000  # tokens; longer texts are not compared with what is kept of them
_HALF = "\ufffd"  # what a decoder writes for bytes that are no whole character
_ELLIPSIS = " [\N{HORIZONTAL ELLIPSIS}] "


def aligned(whole: Sequence[int], kept: Sequence[int], learned: Sequence[bool]) -> Marked:
    """All tokens of a text before it was cut, each read, learned or cut off.

    `kept` is what is left of `whole`, each token with whether it is learned; every token of it
    comes out once.
    """
    marked: Marked = [
        (token, "learned" if learn else "read") for token, learn in zip(kept, learned, strict=True)
    ]
    if list(whole) == list(kept):
        return marked
    head = _common(whole, kept)
    tail = min(_common(whole[::-1], kept[::-1]), len(kept) - head)
    if head + tail == len(kept) or len(whole) > _COMPARED:
        lost = whole[head : len(whole) - tail]
        return [*marked[:head], *((token, "cut") for token in lost), *marked[head:]]
    found: Marked = []
    matcher = difflib.SequenceMatcher(None, whole, kept, autojunk=False)
    for same, a, b, c, d in matcher.get_opcodes():
        if same != "equal":
            found += [(token, "cut") for token in whole[a:b]]
        found += marked[c:d]
    return found


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def spans(tokenizer: Any, marked: Marked) -> list[Span]:
    """The decoded text in stretches of one kind; a character of several tokens stays whole.

    It belongs to the stretch of its last token.
    """
    ids = [token for token, _ in marked]
    text = _decoded(tokenizer, ids)
    found: list[Span] = []
    begin = place = 0
    for kind, group in itertools.groupby(marked, key=lambda item: item[1]):
        place += sum(1 for _ in group)
        end = len(text) if place == len(ids) else _reached(text, _decoded(tokenizer, ids[:place]))
        if end > begin:
            found.append(shortened(text[begin:end], kind))
        begin = max(begin, end)
    return found if len(found) <= _SPANS else [*found[: _SPANS // 2], *found[-_SPANS // 2 :]]


def _decoded(tokenizer: Any, ids: Sequence[int]) -> str:
    return str(tokenizer.decode(ids, clean_up_tokenization_spaces=False))


def _reached(whole: str, part: str) -> int:
    """How far a text is written that ends, perhaps, in the middle of a character."""
    if whole.startswith(part):
        return len(part)
    bare = part.rstrip(_HALF)
    if whole.startswith(bare):
        return len(bare)
    return sum(1 for _ in itertools.takewhile(lambda p: p[0] == p[1], zip(whole, part)))  # noqa: B905


def shortened(text: str, kind: SpanKind) -> Span:
    """A span; of a long text its start and its end."""
    if len(text) <= _SHOWN:
        return Span(text=text, kind=kind)
    half = _SHOWN // 2
    left_out = len(text) - 2 * half
    return Span(text=text[:half] + _ELLIPSIS + text[-half:], kind=kind, omitted=left_out)
