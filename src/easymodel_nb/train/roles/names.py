"""Names that people give to columns, the most telling first, in several languages.

They stand in names.toml and are compared without case, accents and word marks:
`reviewText`, `Review Text` and `review_text` are one name.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MARKS = re.compile(r"[\u0300-\u036f]")  # accents of Latin, Greek and Cyrillic, not Thai vowels
_WORD = re.compile(r"[\W_]+")


@cache
def normal(name: str) -> str:
    """A name for comparison: `ReviewText` and `review text` both become `review_text`."""
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", _CAMEL.sub("_", name)))
    words = re.sub(r"[\s\-./:]+", "_", unicodedata.normalize("NFC", plain).casefold())
    return words.strip("_")


def words_of(name: str) -> list[str]:
    """The words of a name: `["review", "text"]` of `reviewText`."""
    return [word for word in _WORD.split(normal(name)) if word]


def rank(name: str, names: Sequence[str]) -> int | None:
    """The place of a name in a list, or None; a name with one of the words comes after all."""
    place = _places(tuple(names))
    if (exact := place.get(normal(name))) is not None:
        return exact
    found = [place[word] for word in words_of(name) if word in place]
    return len(names) + min(found) if found else None


@cache
def _places(names: tuple[str, ...]) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        places.setdefault(normal(name), place)
    return places


def has_word(name: str, words: Iterable[str]) -> bool:
    """Whether one of the words stands in a name."""
    return not set(words).isdisjoint(words_of(name))


# ---------------------------------------------------------------- what names.toml holds

_LISTS = tomllib.loads((files(__package__) / "names.toml").read_text(encoding="utf-8"))


def _list(name: str) -> tuple[str, ...]:
    return tuple(_LISTS[name].split())


TEXTS, PLAIN = _list("texts"), _list("plain")
LABELS, THEMES = _list("labels"), _list("themes")
SOURCES, TARGETS = _list("sources"), _list("targets")
WEAK_TARGETS = frozenset(_list("weak_targets"))
INSTRUCTIONS, INPUTS, CONTEXTS = _list("instructions"), _list("inputs"), _list("contexts")
QUESTIONS, QUESTION_CONTEXTS = _list("questions"), _list("question_contexts")
SYSTEMS, ANSWERS, CHATS = _list("systems"), _list("answers"), _list("chats")
WORDS, TAGS = _list("words"), _list("tags")
IDS, TIMES, MINOR = map(frozenset, map(_list, ("ids", "times", "minor")))
MEASURES, LANGUAGES = map(frozenset, map(_list, ("measures", "languages")))
TEXT_PAIRS: tuple[tuple[str, str], ...] = tuple(
    (pair.split()[0], pair.split()[1]) for pair in _LISTS["text_pairs"]
)
