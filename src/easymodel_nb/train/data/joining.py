"""Shards as one table, also where what was guessed of their columns differs."""

import pyarrow as pa

from easymodel_nb.train.data.json_files import table_of
from easymodel_nb.train.data.reading import LARGE, Reading, refusal


def joined(tables: list[pa.Table], reading: Reading) -> pa.Table:
    """The rows of all tables; a column that is text in one of them is text in all.

    Raises
    ------
    StudioError
        When the columns cannot be brought together.

    """
    if len(tables) == 1:
        return tables[0]
    text = {
        field.name
        for table in tables
        for field in table.schema
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
    }
    tables = [_as_text(table, text) for table in tables]
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        if sum(table.nbytes for table in tables) <= LARGE:
            rows = [row for table in tables for row in table.to_pylist()]
            made = table_of(rows, reading)
            if made is not None:
                return made
        raise refusal(
            "file.columns",
            f"The files of one split have columns of different kinds: {str(error).rstrip('.')}. "
            "Write them all in the same way.",
        ) from None


def _as_text(table: pa.Table, names: set[str]) -> pa.Table:
    for place, field in enumerate(table.schema):
        number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        if field.name in names and number:
            # Python writes a number as it was read from a CSV file; Arrow may not.
            cells = [None if v is None else str(v) for v in table[field.name].to_pylist()]
            table = table.set_column(place, field.name, pa.array(cells, pa.string()))
    return table
