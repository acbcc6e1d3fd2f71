"""A prompt and the target that is learned after it, for generation and seq2seq."""

import re
from dataclasses import dataclass
from itertools import product

from easymodel_nb.train.roles import names
from easymodel_nb.train.roles.columns import Column
from easymodel_nb.train.roles.matching import exactly, first, named, texts, why_named
from easymodel_nb.train.roles.roles import Roles

_LANGUAGE = re.compile(r"^[a-z]{2,3}([-_][a-z]{2,4})?$", re.IGNORECASE)
_SCRIPT = re.compile(r"(^|_)[a-z]{3}_[A-Z][a-z]{3}$")  # sentence_eng_Latn
COUNTS = ("integer", "number", "boolean")
_FEW_ROWS = 10
_FEW_VALUES = 0.25
_NAMELESS = frozenset(("column", "col", "c", "v", "x", "f", "field", "unnamed"))
_TITLES = frozenset(("title", "headline", "name", "id"))


@dataclass(frozen=True)
class Two:
    """Two columns that belong together, with the reason of each."""

    source: Column
    target: Column
    why_source: str
    why_target: str

    def roles(self) -> Roles:
        """As roles of a run."""
        return Roles(
            prompt=self.source.path,
            target=self.target.path,
            reasons=(
                ("prompt_field", self.source.path, self.why_source),
                ("target_field", self.target.path, self.why_target),
            ),
        )


def translation(columns: list[Column]) -> Two | None:
    """Two languages: children of one column, or columns of their own; the first is the source."""
    by_parent: dict[str, list[Column]] = {}
    for column in texts(columns):
        parent, _, last = column.path.rpartition(".")
        if _is_language(last if parent else column.path, nested=bool(parent)):
            by_parent.setdefault(parent, []).append(column)
    for parent, found in by_parent.items():
        if len(found) > 1:
            where = f"in {parent!r}" if parent else "of the columns"
            return Two(
                found[0],
                found[1],
                f"it is the first language {where}",
                f"it is the second language {where}; swap the two to translate the other way",
            )
    return None


def _is_language(name: str, *, nested: bool) -> bool:
    if _SCRIPT.search(name):
        return True
    if nested and _LANGUAGE.match(name):
        return names.normal(name).split("_")[0] in names.LANGUAGES
    return names.normal(name) in names.LANGUAGES


def by_name(columns: list[Column], *, plain_texts: bool) -> Two | None:
    """Source and target by their names, whole names before words in one.

    With `plain_texts`, a title beside a text is no target: the text is learned as it is.
    """
    usable = [c for c in texts(columns) if not c.mark and may_be_target(c)]
    for find in (exactly, named):
        sources = sorted(find(usable, names.SOURCES), key=lambda c: (c.constant, not c.prose))
        targets = sorted(find(usable, names.TARGETS), key=_like_labels)
        pairs = [
            (source, target)
            for target, source in product(targets, sources)
            if source.root != target.root
            and "[" not in source.path
            and not (plain_texts and _own_text(source, target))
        ]
        if pairs:  # the best target, and for it the best source
            source, target = pairs[0]
            return Two(source, target, why_named(source), why_named(target))
    return _counted_answer(columns, usable) or _empty_answer(columns, usable)


def _like_labels(column: Column) -> bool:
    """Whether few values repeat, as in target_language beside target_sentence."""
    return column.constant or (
        len(column.values) >= _FEW_ROWS and column.distinct <= _FEW_VALUES * len(column.values)
    )


def _counted_answer(columns: list[Column], usable: list[Column]) -> Two | None:
    """A question and an answer that is a number, or yes and no."""
    asked = first([c for c in usable if "[" not in c.path], names.QUESTIONS)
    counts = [c for c in columns if c.kind in COUNTS and c.values]
    answer = first(counts, [name for name in names.ANSWERS if name != "target"])
    if asked is None or answer is None or asked.root == answer.root:
        return None
    return Two(asked, answer, why_named(asked), why_named(answer))


def _empty_answer(columns: list[Column], usable: list[Column]) -> Two | None:
    """A prompt beside a target without any value: to learn the prompt instead would be wrong."""
    empty = [c for c in columns if c.kind in {"text", "empty"} and not c.values and not c.nested]
    source, target = first(usable, names.SOURCES), first(empty, names.TARGETS)
    if source is None or target is None or _own_text(source, target):
        return None
    if names.normal(source.name) in names.PLAIN or "[" in source.path:
        return None
    return Two(source, target, why_named(source), why_named(target))


def _own_text(source: Column, target: Column) -> bool:
    """Whether what looks like a target is rather a text, or the title of one."""
    if names.has_word(target.name, _TITLES) or names.normal(target.name) in names.WEAK_TARGETS:
        return True
    asked = names.normal(source.name) in names.INSTRUCTIONS
    return not asked and names.normal(target.name) in names.PLAIN


def may_be_target(column: Column) -> bool:
    """Of lists, only the first text of an answer's own list is a candidate."""
    return "[" not in column.path or bool(exactly([column], names.TARGETS))


def numbered(columns: list[Column]) -> Two | None:
    """Two columns whose names differ in a last 1 and 2, or a and b."""
    found = pair_of_texts([c for c in texts(columns, nested=False) if not c.mark])
    if found is None:
        return None
    source, target = found
    return Two(
        source, target, "it is the first of the two texts", "it is the second of the two texts"
    )


def pair_of_texts(columns: list[Column]) -> tuple[Column, Column] | None:
    """Two texts that are compared with each other: by known names, or names 1 and 2, a and b."""
    by_normal = {names.normal(c.path): c for c in reversed(columns)}
    for left, right in names.TEXT_PAIRS:
        if left in by_normal and right in by_normal:
            return by_normal[left], by_normal[right]
    if not by_normal.keys().isdisjoint(names.PLAIN):
        return None  # the text has a name of its own
    for name, column in {names.normal(c.path): c for c in columns}.items():
        stem, end = name[:-1], name[-1:]
        second, third = {"1": ("2", "3"), "a": ("b", "c")}.get(end, (" ", " "))
        two_only = stem + second in by_normal and stem + third not in by_normal
        told = stem.strip("_") not in _NAMELESS and (end == "1" or stem.endswith("_"))
        if stem and two_only and told:
            return column, by_normal[stem + second]
    return None
