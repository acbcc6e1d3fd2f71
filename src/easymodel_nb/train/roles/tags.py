"""Roles for token classification: a column of word lists and one of their tags."""

import re
from typing import Any

import pyarrow as pa

from easymodel_nb.train.roles import names
from easymodel_nb.train.roles.arrow import is_list
from easymodel_nb.train.roles.columns import Column
from easymodel_nb.train.roles.matching import exactly, named, texts, why_named
from easymodel_nb.train.roles.problems import none_fits, unclear
from easymodel_nb.train.roles.roles import Reason, Roles
from easymodel_nb.workflow.document import FinetuneData

_SCHEME = re.compile(r"^([BIOESLU]|[BIESLU]-.+|-100)$")
_SINGLE_WORD = 1.5
_MOST = 0.9
_SHARE = 0.3
_ADVICE = (
    'Bring a .conll file, or rows such as {"tokens": ["Ada", "slept"], "tags": ["B-PER", "O"]}.'
)
_EXPORT = "Annotation tools export such tags as CoNLL. "
_TOKENS = frozenset(("tokens", "token", "words"))  # which say where they stand
_SPAN = 3  # start, end, label
_FEW = 100  # elements too few to tell


def choose(table: pa.Table, columns: list[Column], data: FinetuneData) -> Roles:
    """What the document names, and a guess for what it leaves open."""
    reasons: list[Reason] = []
    text, label = data.text_field, data.label_field
    if text is None:
        text, why = _words(table, columns, label)
        reasons.append(("text_field", text, why))
    if label is None:
        label, why = _tags(table, columns, text)
        reasons.append(("label_field", label, why))
    return Roles(text=text, label=label, reasons=tuple(reasons))


def word_lists(columns: list[Column]) -> list[Column]:
    """The columns that could be the words, the likeliest first."""
    lists = [c for c in columns if c.kind == "words" and c.values and not is_scheme(c)]
    lists = [c for c in lists if "[" not in c.path]  # the first of several is not the sentence
    known = named(lists, names.WORDS)
    return [*known, *sorted((c for c in lists if c not in known), key=lambda c: -c.distinct)]


def tag_lists(columns: list[Column], words: str | None) -> list[Column]:
    """The columns that could be the tags of those words, the likeliest first."""
    reference = next((c for c in columns if c.path == words), None)
    lists = [
        c
        for c in columns
        if c.kind in {"words", "codes"} and c.path != words and _repeat(c) and _fits(reference, c)
    ]
    schemes = [c for c in lists if is_scheme(c)]
    known = exactly(lists, names.TAGS)
    order = [
        *(c for c in known if c in schemes or c.classes),
        *known,
        *named(schemes, names.TAGS),
        *schemes,
        *(c for c in lists if c.classes),
        *sorted(lists, key=lambda c: c.distinct),
    ]
    return list({c.path: c for c in order}.values())


def is_scheme(column: Column) -> bool:
    """Whether the values are tags such as O, B-person, I-person."""
    shown = column.classes or {str(e) for value in column.values[:200] for e in value}
    marked = [tag for tag in shown if _SCHEME.match(str(tag))]
    return len(marked) > 1 and len(marked) >= _MOST * len(shown)


def _repeat(column: Column) -> bool:
    """Whether the values are used again and again, as tags are."""
    elements = sum(map(len, column.values))
    return bool(elements) and (elements < _FEW or column.distinct <= _SHARE * elements)


def _fits(words: Column | None, tags: Column) -> bool:
    """Whether there is a tag a word in most rows."""
    if words is None:
        return True
    both = [(a, b) for a, b in zip(words.raw, tags.raw, strict=True) if a and b]
    return bool(both) and sum(len(a) == len(b) for a, b in both) >= _MOST * len(both)


def _words(table: pa.Table, columns: list[Column], label: str | None) -> tuple[str, str]:
    found = [c for c in word_lists(columns) if c.path != label]
    fitting = [c for c in found if label or tag_lists(columns, c.path)]
    if fitting:
        best = fitting[0]
        if names.rank(best.name, names.WORDS) is not None:
            return best.path, why_named(best) + " and every row is a list of words"
        return best.path, "every row is a list of words"
    if spans := _spans(table, columns):
        why = f"{spans!r} marks spans by the places of their letters, and tags of words are learned"
        raise none_fits(table, "text_field", why, "column.spans", _EXPORT + _ADVICE)
    if found:
        why = f"no column has a tag for each of {found[0].path!r}"
        raise none_fits(table, "label_field", why, "column.unclear", _ADVICE)
    raise none_fits(table, "text_field", *_no_lists(columns))


def _spans(table: pa.Table, columns: list[Column]) -> str | None:
    """The column of `{"start": 0, "end": 4, ...}` or `[0, 4, "PER"]`, as annotation tools write."""
    paths = {c.path for c in columns}
    for column in columns:
        start = column.path.endswith((".start", ".start_offset"))
        if start and column.path.replace(".start", ".end") in paths and column.root not in _TOKENS:
            return column.root
    for name, kind in zip(table.schema.names, table.schema.types, strict=True):
        if is_list(kind) and is_list(kind.value_type):
            value: list[Any] = next((v for v in table[name][:_FEW].to_pylist() if v), [[]])
            if len(value[0] or []) == _SPAN and all(str(p).isdigit() for p in value[0][:2]):
                return str(name)
    return None


def _no_lists(columns: list[Column]) -> tuple[str, str, str]:
    advice = _ADVICE
    plain = texts(columns, nested=False)
    short = [c for c in plain if 0 < c.mean_words < _SINGLE_WORD]
    if any(_SCHEME.match(t) for c in short for t in c.texts[:50]) and len(short) > 1:
        return "each row is one word, and not a sentence as a list", "column.no_words", advice
    return "no column holds lists of words", "column.no_words", advice


def _tags(table: pa.Table, columns: list[Column], text: str) -> tuple[str, str]:
    found = tag_lists(columns, text)
    if not found:
        why = f"no column holds lists with a tag for each word of {text!r}"
        raise none_fits(table, "label_field", why, "column.no_tags")
    best, others = found[0], found[1:]
    if best.classes:
        return best.path, f"the data names its {len(best.classes)} tags"
    if names.rank(best.name, names.TAGS) is not None:
        return best.path, f"{why_named(best)} and has a tag for each word"
    if is_scheme(best) or not others or best.distinct < others[0].distinct:
        return best.path, f"it has one of {best.distinct} tags for each word"
    raise unclear(
        "label_field",
        "several columns have a value for each word",
        [c.path for c in (best, *others)],
    )
