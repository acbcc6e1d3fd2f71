"""The groups of the data that answers are compared by: a column's values, or quarters by length."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from easymodel_nb.train.roles import column_at

QUARTERS = "length quartile"
MOST = 12  # groups; the texts of smaller ones are together in one
_NO_VALUE = "no value"
_OTHERS = "others"
_LEAST = 8  # texts that are divided into quarters


class Groups(NamedTuple):
    """What divides the texts, and the group of each."""

    name: str
    of: list[str]

    @property
    def order(self) -> list[str]:
        """The groups: quarters from the shortest on, others by name."""
        if self.name == QUARTERS:
            return sorted(set(self.of), key=lambda name: int(name.split()[0].replace(",", "")))
        return sorted(set(self.of))


def by_column(table: pa.Table, field: str, places: Sequence[int]) -> Groups:
    """The values of a column at some rows of a table; rare ones are together."""
    cells = column_at(table, field).to_pylist()
    told = [_NO_VALUE if cells[p] is None else str(cells[p]).strip() for p in places]
    counts = Counter(told)
    if len(counts) > MOST:
        kept = {name for name, _ in counts.most_common(MOST - 1)}
        told = [name if name in kept else _OTHERS for name in told]
    return Groups(field, told)


def by_length(lengths: Sequence[int], unit: str = "tokens") -> Groups:
    """Quarters by length, named by what lies in them: "3 to 12 tokens"."""
    if len(lengths) < _LEAST:
        return Groups(QUARTERS, [_between(lengths, unit)] * len(lengths))
    edges = np.percentile(lengths, [25, 50, 75])
    quarter = np.searchsorted(edges, lengths, side="left")  # equal lengths stay together
    names = {
        int(q): _between([n for n, of in zip(lengths, quarter, strict=True) if of == q], unit)
        for q in np.unique(quarter)
    }
    return Groups(QUARTERS, [names[int(q)] for q in quarter])


def _between(lengths: Sequence[int], unit: str) -> str:
    low, high = min(lengths, default=0), max(lengths, default=0)
    return f"{low:,} {unit}" if low == high else f"{low:,} to {high:,} {unit}"
