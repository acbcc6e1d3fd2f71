"""What the gate counts of the trained rows; every task fills it from what it tokenised."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Unit = Literal["tokens", "labels", "words"]


@dataclass(frozen=True)
class RowFigures:
    """Of each trained row, before anything is cut and after; each array is (rows,).

    Where `max_length` holds for two sides apart, `lengths` is that of the longer one.
    """

    lengths: Counts  # tokens before anything is cut, special tokens included
    cut: Mask  # whether something of the row is left out for `max_length`
    targets: Counts  # what there is to learn, before anything is cut
    learned: Counts  # what of it is learned
    tokens: int  # read in one epoch, without padding
    unit: Unit = "tokens"  # of targets and learned
    windowed: bool = False  # long rows are read in windows


def counts(column: pa.ChunkedArray) -> Counts:
    """A column of numbers or booleans without nulls."""
    values: Counts = column.to_numpy().astype(np.int64)
    return values


def sizes(column: pa.ChunkedArray) -> Counts:
    """How long each list of a column is."""
    return counts(pc.list_value_length(column))


def true_in(column: pa.ChunkedArray) -> Counts:
    """How many values of each list of a column of lists of booleans are true."""
    found = []
    for chunk in column.chunks:
        running = np.concatenate([[0], np.cumsum(chunk.values.to_numpy(zero_copy_only=False))])
        ends = chunk.offsets.to_numpy()
        found.append((running[ends[1:]] - running[ends[:-1]]).astype(np.int64))
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


def by_row(first: pa.ChunkedArray) -> Counts:
    """The row (from 0) of each text, where `first` is true at the first text of each row."""
    return np.cumsum(counts(first)) - 1


def summed(values: Counts, rows: Counts) -> Counts:
    """Values of texts, added up by row."""
    total: Counts = np.bincount(rows, weights=values).astype(np.int64)
    return total


def highest(values: Counts, rows: Counts) -> Counts:
    """The greatest value among the texts of each row."""
    top: Counts = np.zeros(int(rows[-1]) + 1 if len(rows) else 0, dtype=np.int64)
    np.maximum.at(top, rows, values)
    return top
