"""What a column looks like: its kind, and a few numbers of a sample of its values."""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import pyarrow as pa

from easymodel_nb.train.roles import names
from easymodel_nb.train.roles.arrow import inside, is_list, is_text, spread
from easymodel_nb.train.roles.chat import is_turn
from easymodel_nb.train.roles.labels import declared, features_of
from easymodel_nb.train.roles.values import parts_of

Kind = Literal[
    "text", "integer", "number", "boolean", "words", "codes", "chat", "struct", "empty", "other"
]
_SAMPLE = 1000
_CELLS = 100_000
_BYTES = 32 << 20
_LEAST = 50  # rows of a sample, however wide they are
_DEPTH = 4
_MARKS = re.compile(r"[.\[\]]")
_URL = re.compile(r"^(https?://|www\.|[a-z]+://)\S+$")
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
_DATE = re.compile(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T]\d{1,2}:\d{2}.*)?$")
_UUID = re.compile(r"^[0-9a-f]{8,}(-[0-9a-f]{4,})*$", re.IGNORECASE)
_GENERIC = frozenset(("text", "value", "content", "answer", "normalized_value"))
_PROSE = 12  # mean characters from which a column without spaces may be prose
_PROSE_WORDS = 3


@dataclass(frozen=True)
class Column:
    """A value path with a sample of its values."""

    path: str
    root: str  # the column that the path starts from
    kind: Kind
    raw: list[Any]  # of the sample, row by row
    classes: list[str] | None = None  # the names of the classes, where the data brings them

    @property
    def sampled(self) -> int:
        """How many rows the sample has."""
        return len(self.raw)

    @cached_property
    def values(self) -> list[Any]:
        """The sampled values without nulls, blanks and empty lists."""
        return [value for value in self.raw if not _empty(value)]

    @property
    def nested(self) -> bool:
        """Whether the path goes below a column."""
        return self.path != self.root

    @cached_property
    def name(self) -> str:
        """The telling name: `answers` of `answers.text[0]`, `de` of `translation.de`."""
        last = re.split(r"\.", re.sub(r"\[\d+\]", "", self.path))[-1]
        return self.root if self.nested and names.normal(last) in _GENERIC else last or self.path

    @cached_property
    def texts(self) -> list[str]:
        """The sampled values as text."""
        return [value if isinstance(value, str) else str(value) for value in self.values]

    @cached_property
    def distinct(self) -> int:
        """How many different values the sample holds; of lists, different elements."""
        if self.kind in {"words", "codes"}:
            return len({element for value in self.values for element in value})
        return len(set(self.texts))

    @cached_property
    def mean_length(self) -> float:
        """Mean characters of the sampled values; of lists, mean elements."""
        if self.kind in {"words", "codes"}:
            return sum(map(len, self.values)) / max(1, len(self.values))
        return sum(map(len, self.texts)) / max(1, len(self.texts))

    @cached_property
    def mean_words(self) -> float:
        """Mean runs of characters without a space."""
        return sum(len(text.split()) for text in self.texts) / max(1, len(self.texts))

    @cached_property
    def whole(self) -> bool:
        """Whether every number is a whole one, such as 1.0."""
        return all(float(value).is_integer() for value in self.values)

    @cached_property
    def constant(self) -> bool:
        """Whether all sampled values are one; of a single row nothing can be said."""
        return self.distinct <= 1 < len(self.values)

    @cached_property
    def mark(self) -> str | None:
        """What the values are when they are no language: `id`, `url`, `email`, `date`; or None."""
        if self.kind not in {"text", "integer"} or not self.texts:
            return None
        shown = self.texts[:50]
        marks = (("url", _URL), ("email", _EMAIL), ("date", _DATE), ("id", _UUID))
        for what, pattern in marks:
            if self.kind == "text" and all(pattern.match(text.strip()) for text in shown):
                if what == "id" and self.distinct < len(self.texts) * 0.9:
                    continue
                return what
        classes = names.rank(self.name, names.LABELS) is not None  # Class Index, label_id
        if names.has_word(self.name, names.IDS) and self.mean_words < _PROSE_WORDS:
            return None if classes else "id"
        if names.has_word(self.name, names.TIMES) and self.mean_words < 2 * _PROSE_WORDS:
            return "date"
        return None

    @cached_property
    def prose(self) -> bool:
        """Whether the values read like language rather than like codes or names."""
        if self.kind != "text" or self.mark or not self.texts:
            return False
        many = self.distinct > min(20, len(self.texts) * 0.3)
        return many and (self.mean_words >= _PROSE_WORDS or self.mean_length >= _PROSE)


def columns_of(table: pa.Table) -> list[Column]:
    """Every value path that could play a role, in the table's order; names must not repeat."""
    found = [
        (index, path, kind)
        for index, field in enumerate(table.schema)
        if field.name
        for path, kind in _paths(field.name, field.type, 0)
    ]
    each = max(1, table.nbytes // max(1, table.num_rows))
    rows = max(_LEAST, min(_SAMPLE, _CELLS // max(1, len(found)), _BYTES // each))
    sample, features = spread(table, rows).combine_chunks(), features_of(table)
    names_ = table.schema.names
    return [
        _column(sample.column(index), path, names_[index], kind, declared(features, path))
        for index, path, kind in found
    ]


def _column(
    column: pa.ChunkedArray, path: str, root: str, kind: Kind, classes: list[str] | None
) -> Column:
    if kind in {"struct", "empty", "other"}:
        return Column(path, root, kind, [])
    raw = inside(column, parts_of(path)[1:] if path != root else []).to_pylist()
    if kind in {"words", "codes"}:
        raw = [[e for e in value if e is not None] if value else None for value in raw]
    return Column(path, root, kind, raw, classes)


def _empty(value: Any) -> bool:
    if value is None or value == []:
        return True
    if isinstance(value, float):
        return math.isnan(value)
    return isinstance(value, str) and not value.strip()


def _paths(path: str, kind: pa.DataType, depth: int) -> Iterator[tuple[str, Kind]]:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    yield path, _kind(kind)
    if depth >= _DEPTH or (depth == 0 and _MARKS.search(path)):
        return  # below a name with dots no path leads
    if pa.types.is_struct(kind):
        for child in kind:
            if child.name and not _MARKS.search(child.name):
                yield from _paths(f"{path}.{child.name}", child.type, depth + 1)
    elif is_list(kind) and (is_text(kind.value_type) or pa.types.is_struct(kind.value_type)):
        yield from _paths(f"{path}[0]", kind.value_type, depth + 1)


def _kind(kind: pa.DataType) -> Kind:
    if is_text(kind):
        return "text"
    if is_list(kind):
        return _list_kind(kind.value_type)
    if pa.types.is_struct(kind):
        return "chat" if is_turn([f.name for f in kind if is_list(f.type)]) else "struct"
    simple: tuple[tuple[Kind, Callable[[pa.DataType], bool]], ...] = (
        ("boolean", pa.types.is_boolean),
        ("integer", pa.types.is_integer),
        ("number", pa.types.is_floating),
        ("empty", pa.types.is_null),
    )
    return next((name for name, fits in simple if fits(kind)), "other")


def _list_kind(inner: pa.DataType) -> Kind:
    if is_text(inner):
        return "words"
    if pa.types.is_integer(inner):
        return "codes"
    return "chat" if pa.types.is_struct(inner) and is_turn([f.name for f in inner]) else "other"
