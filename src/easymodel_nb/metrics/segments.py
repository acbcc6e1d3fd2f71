"""The shape of texts: four parts of one, to see where in it something changes; one of several."""

import itertools
from collections.abc import Sequence

import regex

SEGMENTS = 4
SHORTEST = 40  # words of a text that is cut; punctuation marks are words, as in `text`
SHORT = f"No answer has the {SHORTEST} words that are cut into {SEGMENTS} segments."

# Where a script writes no spaces between words, each character is one.
_JOINED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
_WORD = regex.compile(
    rf"[{_JOINED}]\p{{M}}*|(?:(?![{_JOINED}])[\p{{L}}\p{{M}}\p{{N}}_'])+|[^\s\p{{C}}]"
)

References = Sequence[str | Sequence[str] | None]


def single(reference: str | Sequence[str] | None) -> str | None:
    """The first of several references that says something; None where none does."""
    several = [reference] if reference is None or isinstance(reference, str) else reference
    return next((one for one in several if one and one.strip()), None)


def segments(text: str) -> list[str]:
    """Four parts of a text of at least `SHORTEST` words, nothing lost but what precedes the first.

    Their numbers of words differ by at most one. A shorter text has none.
    """
    starts = [match.start() for match in _WORD.finditer(text)]
    if len(starts) < SHORTEST:
        return []
    cuts = [starts[k * len(starts) // SEGMENTS] for k in range(SEGMENTS)]
    return [text[a:b] for a, b in itertools.pairwise([*cuts, len(text)])]
