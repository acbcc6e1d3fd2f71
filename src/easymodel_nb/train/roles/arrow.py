"""Value paths in Arrow tables: the column that a path names, without reading rows into Python."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from easymodel_nb.train.roles.values import parts_of

_CHUNK_BYTES = 1 << 31  # what the 32-bit offsets of one chunk of strings can reach


def column_at(table: pa.Table, path: str) -> pa.ChunkedArray:
    """The column of values under a path, row for row; null where a row has none."""
    names = table.schema.names
    if path in names:  # a name may stand twice; the first is meant
        return decoded(table.column(names.index(path)))
    root, *steps = parts_of(path) or [path]
    if root not in names:
        return _nothing(table.num_rows)
    return inside(table.column(names.index(str(root))), steps)


def inside(column: pa.ChunkedArray, steps: Sequence[str | int]) -> pa.ChunkedArray:
    """The values below a column, after the steps of a path."""
    column = decoded(column)
    for step in steps:
        column = _element(column, step) if isinstance(step, int) else _field(column, step)
    return decoded(column)


def decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Categories, as pandas writes them, as their values."""
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column


def _nothing(rows: int) -> pa.ChunkedArray:
    return pa.chunked_array([pa.nulls(rows)])


def _field(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    kind = column.type
    if not pa.types.is_struct(kind) or kind.get_field_index(name) < 0:
        return _nothing(len(column))
    return pc.struct_field(column, [kind.get_field_index(name)])


def _element(column: pa.ChunkedArray, index: int) -> pa.ChunkedArray:
    if not is_list(column.type):
        return _nothing(len(column))
    long_enough = pc.greater(pc.list_value_length(column), index)
    return pc.list_element(pc.if_else(long_enough, column, pa.scalar(None, column.type)), index)


# ---------------------------------------------------------------- types


def is_list(kind: pa.DataType) -> bool:
    """Whether values are lists of any size."""
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def is_text(kind: pa.DataType) -> bool:
    """Whether values are strings, or categories that are."""
    if pa.types.is_dictionary(kind):  # categories, as pandas writes them
        kind = kind.value_type
    # string views are younger than the oldest pyarrow this runs with
    return any(
        is_kind(kind)
        for name in ("is_string", "is_large_string", "is_string_view")
        if (is_kind := getattr(pa.types, name, None)) is not None
    )


def first_columns(table: pa.Table) -> pa.Table:
    """The table without columns whose name stands before, which no path can name."""
    first: dict[str, int] = {}
    for index, name in enumerate(table.schema.names):
        first.setdefault(name, index)
    return table if len(first) == table.num_columns else table.select(list(first.values()))


def text_columns(table: pa.Table) -> list[str]:
    """The columns that hold strings."""
    return [field.name for field in table.schema if is_text(field.type)]


# ---------------------------------------------------------------- rows


def spread(table: pa.Table, rows: int, pieces: int = 20) -> pa.Table:
    """About `rows` rows in evenly spread slices, uncopied; sorted data shows all its kinds."""
    if table.num_rows <= rows:
        return table
    each = max(1, rows // pieces)
    step = (table.num_rows - each) / (pieces - 1)
    return pa.concat_tables(table.slice(round(piece * step), each) for piece in range(pieces))


def take_rows(table: pa.Table, indices: Any) -> pa.Table:
    """The rows at the indices (NumPy integers), in their order.

    Batch by batch: taking from many chunks at once would join them in memory first,
    and strings of more than 2 GB do not fit one chunk (they come back as large strings).
    """
    import numpy as np  # noqa: PLC0415

    order = np.argsort(indices, kind="stable")
    ascending = np.asarray(indices)[order]
    pieces, start = [], 0
    for batch in table.to_batches():
        low, high = np.searchsorted(ascending, [start, start + batch.num_rows])
        if high > low:
            pieces.append(batch.take(pa.array(ascending[low:high] - start)))
        start += batch.num_rows
    taken = pa.Table.from_batches(pieces, schema=table.schema)
    if taken.nbytes >= _CHUNK_BYTES:
        taken = _with_large_strings(taken)
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.arange(len(order))
    return taken.take(pa.array(back))


def _with_large_strings(table: pa.Table) -> pa.Table:
    """The table with 64-bit offsets in its columns of strings."""
    fields = [
        field.with_type(pa.large_string()) if pa.types.is_string(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(fields, metadata=table.schema.metadata))
