"""Damage to an English sentence, one kind at a time, for training and testing the probe.

The kinds are those of the pseudo-data of UniEval (Zhong et al. 2022) and of the project's own
experiments: words swapped within three places, a function word dropped or replaced, an inflection
flipped, one to four words doubled, a span dropped, five words shuffled.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

WORD = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")
_FUNCTION = (
    "a an the of in on at by for with from to into over under about after before between as and "
    "or but if than that which who whom whose when where while because so not no is are was were "
    "be been being am do does did has have had will would shall should can could may might must i "
    "you he she it we they me him her us them my your his its our their this these those there "
    "what how"
)
FUNCTION = frozenset(_FUNCTION.split())
_PAIRS = "is are/was were/has have/does do/this these/that those/am is/a an"
_FLIPS = dict(tuple(pair.split()) for pair in _PAIRS.split("/"))
_FLIPS |= {second: first for first, second in _FLIPS.items()}
_LONG_ENOUGH_TO_BEND = 4


def words(sentence: str) -> list[str]:
    """Words and punctuation marks."""
    return WORD.findall(sentence)


def swap(tokens: list[str], random: random.Random) -> list[str] | None:
    """Two different words at most three places apart change places."""
    first = random.randrange(len(tokens) - 1)
    second = min(len(tokens) - 1, first + random.randint(1, 3))
    if not _differ(tokens[first], tokens[second]):
        return None
    found = list(tokens)
    found[first], found[second] = found[second], found[first]
    return found


def function_word(tokens: list[str], random: random.Random) -> list[str] | None:
    """A function word goes, or another one takes its place."""
    places = [i for i, token in enumerate(tokens) if token.lower() in FUNCTION]
    if not places:
        return None
    place = random.choice(places)
    if random.random() < 0.5:  # noqa: PLR2004  as often the one as the other
        return tokens[:place] + tokens[place + 1 :]
    other = random.choice(sorted(FUNCTION - {tokens[place].lower()}))
    return [*tokens[:place], other, *tokens[place + 1 :]]


def inflection(tokens: list[str], random: random.Random) -> list[str] | None:
    """A verb's or a noun's ending is lost or gained; "was" becomes "were"."""
    places = [(i, bent) for i, token in enumerate(tokens) if (bent := _bent(token))]
    if not places:
        return None
    place, bent = random.choice(places)
    return [*tokens[:place], bent, *tokens[place + 1 :]]


def _bent(token: str) -> str | None:
    low = token.lower()
    if low in _FLIPS:
        return _FLIPS[low]
    if not low.isalpha() or len(low) < _LONG_ENOUGH_TO_BEND or low in FUNCTION or token != low:
        return None
    for ending, instead in (("ies", "y"), ("ing", ""), ("ed", ""), ("s", "")):
        if low.endswith(ending) and not low.endswith("ss"):
            return low[: -len(ending)] + instead
    return low + "s"


def double(tokens: list[str], random: random.Random) -> list[str] | None:
    """One to four words stand twice."""
    size = random.randint(1, min(4, len(tokens)))
    start = random.randrange(len(tokens) - size + 1)
    if not any(token[0].isalnum() for token in tokens[start : start + size]):
        return None
    return tokens[: start + size] + tokens[start:]


def drop_span(tokens: list[str], random: random.Random) -> list[str] | None:
    """One to four words from inside the sentence are lost."""
    size = random.randint(1, 4)
    if len(tokens) < size + 4:
        return None
    start = random.randrange(1, len(tokens) - size - 1)
    return tokens[:start] + tokens[start + size :]


def shuffle(tokens: list[str], random: random.Random) -> list[str] | None:
    """Five words in a row in another order."""
    if len(tokens) < 6:  # noqa: PLR2004  five and one that stays
        return None
    start = random.randrange(len(tokens) - 4)
    span = tokens[start : start + 5]
    mixed = random.sample(span, 5)
    return None if mixed == span else tokens[:start] + mixed + tokens[start + 5 :]


KINDS: dict[str, Callable[[list[str], random.Random], list[str] | None]] = {
    "swap": swap,
    "function word": function_word,
    "inflection": inflection,
    "doubled": double,
    "span dropped": drop_span,
    "shuffled": shuffle,
}


def _differ(first: str, second: str) -> bool:
    return first.lower() != second.lower() and first[0].isalnum() and second[0].isalnum()


def corrupt(sentence: str, kind: str, random: random.Random, tries: int = 20) -> str | None:
    """The sentence damaged in one way, or None where that cannot be done to it."""
    tokens = words(sentence)
    if len(tokens) < 4:  # noqa: PLR2004  too little to damage
        return None
    for _ in range(tries):
        found = KINDS[kind](tokens, random)
        if found is not None and [t.lower() for t in found] != [t.lower() for t in tokens]:
            return " ".join(found)
    return None
