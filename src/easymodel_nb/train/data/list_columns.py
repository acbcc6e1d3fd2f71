"""Which columns of text are lists: cells such as `["a", "b"]` or `['a', 'b']`, as pandas writes.

Only columns that are named like labels, tags or words: elsewhere a list is text to be learned.
"""

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from easymodel_nb.train.roles import names

_NAMES = (*names.WORDS, *names.TAGS, *names.LABELS, *names.THEMES)
_WRITTEN = (*names.TARGETS, *names.ANSWERS, *names.TEXTS)
_CLOSE = re.compile(r"""['"]\s*['"](?!\s*[,\]])""")
_FAILS = (ValueError, SyntaxError, MemoryError, RecursionError)


class Lists:
    """Looks at the columns chunk by chunk; what was once text stays text."""

    def __init__(self) -> None:
        self._types: dict[str, pa.DataType | None] = {}  # None: only empty lists so far

    def look(self, table: pa.Table) -> None:
        """Look at the next rows, whose columns are all text."""
        for name, column in zip(table.column_names, table.columns, strict=True):
            if name not in self._types:
                self._types[name] = None if _may_be(name) else pa.string()
            if self._types[name] != pa.string():
                self._types[name] = _narrower(self._types[name], column.to_pylist())

    @property
    def found(self) -> list[str]:
        """The columns of lists."""
        return [name for name, kind in self._types.items() if kind not in {None, pa.string()}]

    def settle(self, table: pa.Table) -> pa.Table:
        """The rows with those columns as lists."""
        for name in self.found:
            cells = [None if c is None else parsed(c) for c in table[name].to_pylist()]
            place = table.column_names.index(name)
            table = table.set_column(place, name, pa.array(cells, self._types[name]))
        return table


def _may_be(name: str) -> bool:
    named = names.rank(name, _NAMES) is not None
    written = names.rank(name, _WRITTEN)
    return named and not (written is not None and written < len(_WRITTEN))


def _narrower(before: pa.DataType | None, cells: Iterable[str | None]) -> pa.DataType:
    for cell in cells:
        if cell is None:
            continue
        value = parsed(cell)
        if value is None:
            return pa.string()
        if value:
            kind = pa.list_(pa.string() if isinstance(value[0], str) else pa.int64())
            if before not in {None, kind}:
                return pa.string()
            before = kind
    return before


def parsed(cell: str) -> list[Any] | None:
    """A cell's list of texts or of whole numbers; None where it holds none."""
    text = cell.strip()
    if not (text.startswith("[") and text.endswith("]")):
        return None
    try:
        value = json.loads(text)
    except _FAILS:
        try:
            value = ast.literal_eval(text)
        except _FAILS:
            return None
        if _CLOSE.search(text) and _texts(text) != len(value):
            return None
    return value if isinstance(value, list) and _alike(value) else None


def _texts(code: str) -> int:
    """How many texts are written; Python reads two without a comma, as NumPy writes, as one."""
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    return sum(token.type == tokenize.STRING for token in tokens)


def _alike(value: list[Any]) -> bool:
    most = 2**63
    return all(isinstance(v, str) for v in value) or all(
        type(v) is int and -most <= v < most for v in value
    )
