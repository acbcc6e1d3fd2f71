"""Finding columns by name, and saying so."""

from collections.abc import Iterable, Sequence

from easymodel_nb.train.roles import names
from easymodel_nb.train.roles.columns import Column


def named(columns: Iterable[Column], wanted: Sequence[str]) -> list[Column]:
    """The columns of one of the names, the most telling first; whole names before words in one."""
    ranked = [(names.rank(column.name, wanted), column) for column in columns]
    found = [(place, column) for place, column in ranked if place is not None]
    return [column for _, column in sorted(found, key=lambda pair: pair[0])]


def exactly(columns: Iterable[Column], wanted: Sequence[str]) -> list[Column]:
    """The columns whose whole name is one of the names, the most telling first."""
    columns = list(columns)
    return [c for c in named(columns, wanted) if (names.rank(c.name, wanted) or 0) < len(wanted)]


def first(columns: Iterable[Column], wanted: Sequence[str]) -> Column | None:
    """The column that is named best, by its whole name."""
    return next(iter(exactly(columns, wanted)), None)


def why_named(column: Column) -> str:
    """The reason for a choice by name."""
    return f"the {'value' if column.nested else 'column'} is named {column.name!r}"


def texts(columns: Iterable[Column], *, nested: bool = True) -> list[Column]:
    """The columns of text with something in them; first values of lists only where wanted."""
    return [c for c in columns if c.kind == "text" and c.texts and (nested or not c.nested)]
