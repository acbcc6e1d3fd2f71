"""Which columns of text are numbers: only where every cell is written as that number is.

So 007, 1.50 and +5 stay text: the model learns the text of the file, not what it may mean.
"""

import contextlib
import math

import pyarrow as pa
import pyarrow.compute as pc


class Numbers:
    """Looks at the columns chunk by chunk; what was once text stays text."""

    def __init__(self) -> None:
        self._types: dict[str, pa.DataType | None] = {}  # None: only empty cells so far

    def look(self, table: pa.Table) -> None:
        """Look at the next rows, whose columns are all text."""
        for name, column in zip(table.column_names, table.columns, strict=True):
            if name not in self._types:
                self._types[name] = None
            if self._types[name] != pa.string():
                self._types[name] = _narrower(self._types[name], column)

    @property
    def any(self) -> bool:
        """Whether there is a column of numbers."""
        return any(kind not in {None, pa.string()} for kind in self._types.values())

    def is_empty(self, name: str) -> bool:
        """Whether no row has a value in the column."""
        return self._types.get(name) is None

    def settle(self, table: pa.Table) -> pa.Table:
        """The rows with those columns as numbers."""
        for place, name in enumerate(table.column_names):
            kind = self._types.get(name)
            if kind not in {None, pa.string()}:
                table = table.set_column(place, name, pc.cast(table[name], kind))
        return table


def _narrower(before: pa.DataType | None, column: pa.ChunkedArray) -> pa.DataType | None:
    if column.null_count == len(column):
        return before
    if before != pa.float64() and _is_whole(column):
        return pa.int64()
    if before != pa.int64() and _is_fraction(column):
        return pa.float64()
    return pa.string()


def _is_whole(column: pa.ChunkedArray) -> bool:
    with contextlib.suppress(pa.ArrowInvalid):
        again = pc.cast(pc.cast(column, pa.int64()), pa.string())
        return bool(pc.all(pc.equal(again, column)).as_py())
    return False


def _is_fraction(column: pa.ChunkedArray) -> bool:
    for text in column.to_pylist():
        if text is None:
            continue
        try:
            number = float(text)
        except ValueError:
            return False
        if not math.isfinite(number) or str(number) != text:
            return False
    return True
