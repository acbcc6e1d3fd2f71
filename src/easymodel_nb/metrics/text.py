"""What the metrics read in a text: words, sentences, repetition, code, and the script.

Words are runs of letters, digits and apostrophes, and every other visible character by itself;
where a script writes no spaces between words (Han, Kana, Thai, Lao, Khmer, Burmese, Tibetan) each
character is one. Sentences end at marks of ten scripts and at line breaks. The splitter is ours
because the maintained ones (sentencex, pysbd) miss tokenised text ("it . then") and lists.
"""

import ast
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import regex

__all__ = ["Text", "copied_share", "passages", "repetition", "sentences", "words"]

SHORT = 3  # words; with fewer neither fluency nor grammar is judged
NOT_LATIN = 0.2  # share of letters above which a text is not English
CODE = 0.15  # share of code's punctuation and indentation above which a text is code
PASSAGE = 120  # words that surely fit into the encoder's 256 wordpieces in most languages


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_JOINED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
_WORDS = regex.compile(
    rf"[{_JOINED}]\p{{M}}*|(?:(?![{_JOINED}])[\p{{L}}\p{{M}}\p{{N}}_'])+|[^\s\p{{Cc}}\p{{Cf}}]"
)
_LETTERS = regex.compile(r"\p{L}")
_LATIN = regex.compile(r"\p{Latin}")
_WORD_LIKE = regex.compile(r"[\p{L}\p{N}]")
_INDENT = regex.compile(r"^[ \t]+(?=\S)", regex.MULTILINE)
_CODE_MARKS = regex.compile(r"[{}\[\]()<>=_#/\\|&*+%$^~@`;]|:$", regex.MULTILINE)
_SUMS = regex.compile(r"[<>=+*/%$#(]*\d[\d<>=+*/%$().,: -]*")  # arithmetic is no code
_LEAST_CODE = 20  # characters; in fewer a bracket or two would weigh too much

ENGLISH = 0.12  # share of function words from which on texts read like English
_FOREIGN, _LONG = 0.05, 20  # the same for one text, and the words that it must have
_FEW_WORDS = 100  # in fewer words that share says little
_FUNCTION_WORDS = _set(
    "the and of to is are was were be been that this these those for with it you your have has had"
    " not from by at or what how which when where who why there would could should can my his her"
    " its our their they we i if as but about into some any do does did just than then being on"
    " more very"
)

_LINES = regex.compile(r"[\r\n\u2028\u2029\f\v]+")
_CLOSERS = r"[\"'\u201d\u2019\u00bb)\]}\u300d\u300f\uff09]*"
_ENDS = regex.compile(
    rf"(?P<full>[\u3002\uff01\uff1f\uff61\u0964\u0965\u061f\u06d4\u1362]+{_CLOSERS})"
    rf"|(?P<mark>[.!?\u2026]+)(?P<close>{_CLOSERS}(?:\s''|\s[)\]])*)(?=\s)"
)
_MARKER = regex.compile(r"\(?(?:\d{1,3}|\p{L}|[ivxIVX]{1,4})")
_BEFORE = regex.compile(r"[\p{L}\p{N}.&-]+$")
_ACRONYM = regex.compile(r"(?:\p{L}\.)+\p{L}")
# A full stop after these ends no sentence (of those in the second line: before a number).
_TITLES = _set(
    "mr mrs ms mx dr prof rev hon st sen rep gov gen col capt lt sgt messrs mme mlle vs v eg ie e.g"
    " i.e cf al approx dept est resp ca c.f viz jan feb mar apr jun jul aug sept sep oct nov dec"
    " hr bzw z.b d.h u.a sr.a sra dra nr"
)
_NUMBERED = _set("no nos p pp vol fig figs eq sec ch art ver op")
# After these a sentence ends only where the next word looks like a beginning.
_EITHER = _set("etc inc ltd co corp jr sr bros usw a.m p.m ph.d")
_BEGINS = _set(
    "the a an he she it they we i you this that these those there in on at but and so if when"
    " after before what who why how where his her my our their is are do does did for"
)


def words(text: str) -> list[str]:
    """The words of a text in lower case, punctuation marks among them."""
    return [str(word) for word in _WORDS.findall(text.lower())]


def sentences(text: str) -> list[str]:
    """The sentences of a text, without space around them; one without a word joins the one before.

    A line is at least one sentence, a list's item too.
    """
    found: list[str] = []
    for line in _LINES.split(text):
        pieces = _joined(list(_pieces(line.strip())))
        if found and len(pieces) == 1 and not _WORD_LIKE.search(pieces[0]):
            found[-1] += " " + pieces[0]
        else:
            found += pieces
    return found


def _pieces(line: str) -> Iterator[str]:
    start = 0
    for end in _ENDS.finditer(line):
        if end["full"] or _ends_sentence(line, start, end):
            yield line[start : end.end()].strip()
            start = end.end()
    if line[start:].strip():
        yield line[start:].strip()


def _ends_sentence(line: str, start: int, end: "regex.Match[str]") -> bool:  # noqa: PLR0911
    mark, rest = end["mark"], line[end.end() :].lstrip()
    follows = rest[:1]
    if mark[0] in "!?":
        return not (end["close"] and follows.islower())
    if len(mark) > 1 or mark == "\u2026":
        return not follows.islower()
    said = line[start : end.start()]
    if _MARKER.fullmatch(said.strip()) and not said.endswith(" "):
        return False  # "1. Buy milk"
    spaced = said.endswith(" ")  # "it . then", as tokenised corpora write
    before = _BEFORE.search(said.rstrip())
    word = before[0] if before else ""
    low = word.lower()
    if low in _TITLES or (low in _NUMBERED and follows.isdigit()):
        return False
    if spaced:
        return True
    if low in _EITHER or _ACRONYM.fullmatch(word):
        first = _WORDS.match(rest.lower())
        return follows.isupper() and bool(first) and first[0] in _BEGINS
    return not (len(word) == 1 and word.isupper() and word != "I")  # "J. Smith"


def _joined(pieces: list[str]) -> list[str]:
    """Pieces without a word belong to the one before, at the start to the one after."""
    found: list[str] = []
    for piece in pieces:
        if found and not (_WORD_LIKE.search(piece) and _WORD_LIKE.search(found[-1])):
            found[-1] += " " + piece
        else:
            found.append(piece)
    return found


def common_tail(texts: Sequence[str]) -> int:
    """How many of their last lines all the texts share, as templates end; 0 for one text."""
    ends = [_lines(text)[::-1] for text in texts]
    if len(set(texts)) < 2:  # noqa: PLR2004  alike in all
        return 0
    count = 0
    for lines in zip(*ends, strict=False):
        if len(set(lines)) > 1:
            break
        count += 1
    return count


def last_line(text: str, tail: int = 0) -> str:
    """The last line with a word, but for the `tail` ones after it; all where there is none."""
    lines = _lines(text)
    return lines[-1 - tail] if len(lines) > tail else text


def _lines(text: str) -> list[str]:
    return [line.strip() for line in _LINES.split(text) if _WORD_LIKE.search(line)]


def passages(text: str, limit: int = PASSAGE) -> list[str]:
    """The text in parts of whole sentences, each at most `limit` words, for the encoder.

    A text that fits is one part. A longer sentence is cut between words.
    """
    if len(words(text)) <= limit:
        return [text.strip()] if text.strip() else []
    found: list[str] = []
    room = 0
    for sentence in sentences(text):
        for piece in _cut(sentence, limit):
            size = len(words(piece))
            if found and size <= room:
                found[-1] += " " + piece
                room -= size
            else:
                found.append(piece)
                room = limit - size
    return found


def _cut(sentence: str, limit: int) -> Iterator[str]:
    ends = [match.end() for match in _WORDS.finditer(sentence)]
    start = 0
    for last in range(limit - 1, len(ends), limit):
        yield sentence[start : ends[last]].strip()
        start = ends[last]
    if sentence[start:].strip():
        yield sentence[start:].strip()


def repetition(tokens: Sequence[str], n: int = 2) -> float:
    """rep-n: the share of n-grams that occurred before, 1 - distinct / all (Welleck et al. 2020).

    0 for a text without an n-gram.
    """
    grams = list(zip(*(tokens[i:] for i in range(n)), strict=False))
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def copied_share(tokens: Sequence[str], origin: Sequence[str]) -> float:
    """Length of the longest run of words that stands in `origin` too, over all words; 0 to 1."""
    if not tokens or not origin:
        return 0.0
    numbers: dict[str, int] = {}
    ids = np.array([numbers.setdefault(word, len(numbers)) for word in origin])
    longest, runs = 0, np.zeros(len(ids) + 1, dtype=np.int64)
    for word in tokens:
        same = ids == numbers.get(word, -1)
        runs[1:] = np.where(same, runs[:-1] + 1, 0)
        longest = max(longest, int(runs.max()))
    return longest / len(tokens)


def english_share(texts: Sequence[str]) -> float | None:
    """Share of words that are English function words, over all texts; None for few words.

    English prose has 0.28 to 0.46 of them, other languages and lists of facts below 0.1 (measured
    on twelve sets).
    """
    told = [word for text in texts for word in words(text) if word[0].isalpha()]
    if len(told) < _FEW_WORDS:
        return None
    return sum(word in _FUNCTION_WORDS for word in told) / len(told)


def parses(text: str) -> bool:
    """Whether a text is Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Python thinks of the code it reads
        try:
            ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


@dataclass(frozen=True)
class Text:
    """One text and what is read in it, each thing once."""

    raw: str

    @classmethod
    def of(cls, raw: str) -> Self:
        """Of anything that Python calls a string: what UTF-8 cannot write becomes "?"."""
        return cls(raw.encode("utf-8", "replace").decode("utf-8"))

    @cached_property
    def words(self) -> list[str]:
        """Words in lower case."""
        return words(self.raw)

    @cached_property
    def sentences(self) -> list[str]:
        """Sentences."""
        return sentences(self.raw)

    @cached_property
    def passages(self) -> list[str]:
        """Parts that fit into the encoder."""
        return passages(self.raw)

    @cached_property
    def parts(self) -> list[str]:
        """Sentences, cut where one is too long for an encoder."""
        return [part for sentence in self.sentences for part in passages(sentence)]

    @cached_property
    def empty(self) -> bool:
        """Nothing visible was written."""
        return not self.words

    @cached_property
    def short(self) -> bool:
        """Too few words to judge their order."""
        return len(self.words) < SHORT

    @cached_property
    def rep2(self) -> float:
        """Share of repeated word pairs."""
        return repetition(self.words)

    @cached_property
    def not_latin(self) -> float:
        """Share of letters of other scripts than Latin."""
        letters = len(_LETTERS.findall(self.raw))
        return 1 - len(_LATIN.findall(self.raw)) / letters if letters else 0.0

    @cached_property
    def foreign(self) -> bool:
        """Long enough to tell, and almost without an English function word."""
        told = [word for word in self.words if word[0].isalpha()]
        if len(told) < _LONG:
            return False
        return sum(word in _FUNCTION_WORDS for word in told) < _FOREIGN * len(told)

    @cached_property
    def code(self) -> bool:
        """Whether it looks like code: its brackets, operators and indentation are dense."""
        raw = _SUMS.sub("0", self.raw)
        visible = sum(not c.isspace() for c in raw)
        if visible < _LEAST_CODE:
            return False
        indent = sum(len(run) for run in _INDENT.findall(raw))
        return (len(_CODE_MARKS.findall(raw)) + indent) / (visible + indent) > CODE
