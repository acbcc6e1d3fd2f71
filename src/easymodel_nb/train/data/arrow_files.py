"""Parquet, Arrow and Feather files; their metadata, with the names of classes, stays."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from easymodel_nb.train.data.large import gather, mapped
from easymodel_nb.train.data.reading import LARGE, Reading

_BUFFER = 1 << 20


def read_parquet(path: Path, reading: Reading) -> pa.Table | None:
    """The table of a parquet file; a large one by way of the cache."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    # By default each row group is read whole, and kept until the end.
    with pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
        about = file.metadata
        size = sum(about.row_group(n).total_byte_size for n in range(about.num_row_groups))
        if size <= LARGE:
            return file.read()
        rows = max(1, about.num_rows * reading.chunk // size)
        return gather(path, _batches(file, rows), reading, large=True)


def _batches(file: "pa.parquet.ParquetFile", rows: int) -> Iterator[pa.Table]:
    for batch in file.iter_batches(rows):
        yield pa.Table.from_batches([batch], file.schema_arrow)


def read_arrow(path: Path) -> pa.Table:
    """The table of an Arrow file or stream, mapped into memory: its size does not matter."""
    try:
        return mapped(path)
    except pa.ArrowInvalid:
        from pyarrow import feather  # noqa: PLC0415  version 1 is a format of its own

        return feather.read_table(path)
