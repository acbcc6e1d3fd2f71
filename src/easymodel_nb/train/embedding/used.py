"""Which tokens the training rows hold."""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]  # sorted, each once
_CHUNK = 4096  # rows looked at together


def ids_of(rows: Sequence[Any], padding_id: int) -> Ids:
    """The distinct tokens of training rows, with the one that fills short rows.

    A token too many does no harm: its row has no gradient and stays as it is.
    """
    seen = np.zeros(padding_id + 1, dtype=bool)
    seen[padding_id] = True
    for ids in _parts(rows):
        if len(ids) and (end := int(ids.max()) + 1) > len(seen):
            seen = np.concatenate([seen, np.zeros(end - len(seen), dtype=bool)])
        seen[ids] = True
    return np.flatnonzero(seen)


def digest(ids: Ids) -> str:
    """Tells other tokens from these."""
    return hashlib.sha256(ids.astype("<i8").tobytes()).hexdigest()[:16]


def _parts(rows: Sequence[Any]) -> Iterator[Ids]:
    known = getattr(rows, "token_ids", None)  # rows that can tell without being made one by one
    if known is not None:
        yield from known()
        return
    for start in range(0, len(rows), _CHUNK):
        some = (rows[place].ids for place in range(start, min(start + _CHUNK, len(rows))))
        yield np.fromiter(itertools.chain.from_iterable(some), dtype=np.int64)
