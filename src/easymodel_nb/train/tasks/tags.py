"""Tags of words: which scheme they are written in, the entities they mean, and their repair."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

OUTSIDE = "O"
SchemeName = Literal["IOB2", "IOB1", "BIOES", "BILOU", "BMES", "plain"]
Span = tuple[str, int, int]  # type, first word, last word

# What each scheme calls the begin, the inside, the end and a single word of an entity.
_LETTERS: dict[str, tuple[str, str, str, str]] = {
    "IOB2": ("B", "I", "I", "B"),
    "IOB1": ("B", "I", "I", "B"),  # read as it is written, learned as IOB2
    "BIOES": ("B", "I", "E", "S"),
    "BILOU": ("B", "I", "L", "U"),
    "BMES": ("B", "M", "E", "S"),
}
_MEANING = {"B": "B", "I": "I", "M": "I", "E": "E", "L": "E", "S": "S", "U": "S", "W": "S"}
_TELLTALES: tuple[tuple[SchemeName, str], ...] = (("BMES", "M"), ("BILOU", "LU"), ("BIOES", "ESW"))
_JOINTS = "-_"
_MOST = 0.95


@dataclass(frozen=True)
class Scheme:
    """How entities are written as tags; `bare` where there is one type without a name (B, I, O)."""

    name: SchemeName
    joint: str = "-"
    bare: bool = False

    @property
    def has_entities(self) -> bool:
        """Whether tags mark the ends of entities; plain ones, such as parts of speech, do not."""
        return self.name != "plain"

    @property
    def learned(self) -> "Scheme":
        """The scheme that the model learns: IOB1 hides where entities begin, and becomes IOB2."""
        return Scheme("IOB2", self.joint, self.bare) if self.name == "IOB1" else self

    def parts(self, tag: str) -> tuple[str, str]:
        """Its meaning (B, I, E, S or O) and the type of the entity; a foreign tag is outside."""
        if self.bare:
            return _MEANING.get(tag, OUTSIDE), ""
        if tag[:1] not in _MEANING or tag[1:2] != self.joint or len(tag) <= 2:  # noqa: PLR2004
            return OUTSIDE, ""
        return _MEANING[tag[0]], tag[2:]

    def spell(self, span: Span) -> list[str]:
        """The tags of an entity, one a word."""
        kind, first, last = span
        begin, inside, end, single = _LETTERS[self.name]
        ending = "" if self.bare else f"{self.joint}{kind}"
        if first == last:
            return [f"{single}{ending}"]
        middle = [f"{inside}{ending}"] * (last - first - 1)
        return [f"{begin}{ending}", *middle, f"{end}{ending}"]


PLAIN = Scheme("plain")


def recognise(rows: Iterable[Sequence[str]], declared: Iterable[str] = ()) -> Scheme:
    """The scheme of tagged rows, from the tags that occur and from how entities begin.

    Tags are plain where less than 95 % of those that are not O are a letter of a scheme
    with a type; the few others are mistakes. IOB1 writes B only between two entities of
    one type that touch; where more entities begin with I than with B it is taken for it.
    `declared` are tags that are known to exist.
    """
    rows = list(rows)
    counts = Counter(tag for row in rows for tag in row if tag != OUTSIDE)
    bare = "B" in counts and counts.keys() <= _MEANING.keys()
    joints: Counter[str] = Counter()
    for tag, count in counts.items():
        if len(tag) > 2 and tag[0] in _MEANING and tag[1] in _JOINTS:  # noqa: PLR2004
            joints[tag[1]] += count
    if not bare and joints.total() < max(1, _MOST * counts.total()):
        return PLAIN
    iob2 = Scheme("IOB2", "-" if bare else joints.most_common(1)[0][0], bare)
    letters = {t[0] for t in (*counts, *declared) if iob2.parts(t)[0] != OUTSIDE}
    for name, theirs in _TELLTALES:
        if not letters.isdisjoint(theirs):
            return replace(iob2, name=name)
    begun = Counter(_beginnings(rows, iob2))
    return replace(iob2, name="IOB1") if begun["I"] > begun["B"] else iob2


def _beginnings(rows: Iterable[Sequence[str]], scheme: Scheme) -> Iterable[str]:
    """With what each entity begins that does not touch one of its type."""
    for row in rows:
        before: str | None = None
        for tag in row:
            meaning, kind = scheme.parts(tag)
            now = kind if meaning != OUTSIDE else None
            if now is not None and now != before:
                yield meaning
            before = now


# ---------------------------------------------------------------- entities


def entities(tags: Sequence[str], scheme: Scheme) -> list[Span]:
    """The entities that are written as the scheme demands; what is not is none.

    This is the strict mode of seqeval, by which published scores are computed.
    """
    return [
        span
        for span in chunks(tags, scheme)
        if list(tags[span[1] : span[2] + 1]) == scheme.spell(span)
    ]


def chunks(tags: Sequence[str], scheme: Scheme) -> list[Span]:
    """The entities as they were meant, also where their tags break the scheme.

    The rules are those of the CoNLL-2000 scorer: an entity begins at B or S, at another
    type, and at I or E that follows no part of one; it ends at E or S, or before the next.
    """
    found: list[Span] = []
    first: int | None = None
    previous, kind = OUTSIDE, ""
    for place, tag in enumerate((*tags, OUTSIDE)):
        meaning, now = scheme.parts(tag)
        goes_on = meaning in "IE" and previous in "BI" and now == kind
        if first is not None and not goes_on:
            found.append((kind, first, place - 1))
            first = None
        if meaning != OUTSIDE and first is None:
            first = place
        previous, kind = meaning, now
    return found


def repaired(tags: Sequence[str], scheme: Scheme) -> list[str]:
    """The tags with every entity written as the scheme demands; IOB1 becomes IOB2."""
    written = [OUTSIDE] * len(tags)
    for span in chunks(tags, scheme):
        written[span[1] : span[2] + 1] = scheme.spell(span)
    return written


def in_order(tags: Iterable[str], scheme: Scheme) -> list[str]:
    """O first, then by type and place in an entity; plain tags by their name or number."""
    if scheme.has_entities:
        return sorted(
            {*tags, OUTSIDE}, key=lambda t: (t != OUTSIDE, scheme.parts(t)[1], t[0] not in "BSU", t)
        )
    return sorted(
        set(tags), key=lambda t: (t != OUTSIDE, not t.isdecimal(), len(t) * t.isdecimal(), t)
    )


# ---------------------------------------------------------------- readable


def rendered(words: Sequence[str], spans: Iterable[Span]) -> str:
    """Entities for people: `artist: Radiohead · playlist: Focus`."""
    shown = []
    for kind, first, last in spans:
        text = " ".join(words[first : last + 1])
        shown.append(f"{kind}: {text}" if kind else text)
    return " · ".join(shown) or "no entities"


def rendered_words(words: Sequence[str], tags: Sequence[str]) -> str:
    """Plain tags for people: `Ada/NOUN slept/VERB`."""
    return " ".join(f"{word}/{tag}" for word, tag in zip(words, tags, strict=True))
