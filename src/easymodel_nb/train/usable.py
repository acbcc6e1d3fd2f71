"""Which rows can be used, and which are the same: over columns, batch by batch.

Only the columns of the roles are read, and never more than one batch of them at once,
so that a table of millions of memory-mapped rows stays where it is.
"""

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from easymodel_nb.train.roles import Roles, column_at, path_root
from easymodel_nb.train.roles.arrow import is_list, is_text
from easymodel_nb.train.roles.values import slot_path, slots
from easymodel_nb.train.splits import HIDDEN
from easymodel_nb.workflow.document import Task

Mask = npt.NDArray[np.bool_]
Keys = npt.NDArray[np.uint64]
_BATCH = 16_384
_VERDICT = "answer"  # accept, reject or ignore, where rows were annotated with Prodigy
_MIX = np.uint64(0x9E3779B97F4A7C15)


def role_table(table: pa.Table, paths: Sequence[str]) -> pa.Table:
    """Only the columns that the value paths start from."""
    wanted = {path if path in table.schema.names else path_root(path) for path in paths}
    seen: dict[str, int] = {}
    for index, name in enumerate(table.schema.names):
        if name in wanted:
            seen.setdefault(name, index)
    return table.select(list(seen.values()))


def batches(table: pa.Table) -> Iterator[pa.Table]:
    """The table in pieces of bounded size, without copying."""
    for batch in table.to_batches(max_chunksize=_BATCH):
        yield pa.Table.from_batches([batch])


# ---------------------------------------------------------------- rows that can be used


def usable_rows(
    table: pa.Table, roles: Roles, task: Task, *, hidden: bool, tick: Callable[[], None]
) -> tuple[Mask, dict[str, int]]:
    """The rows that have a value for every role, and how many have not, by the reason.

    With `hidden`, a label of -1 is none. A row is counted once, for its first reason.
    """
    masks: list[Mask] = []
    dropped: dict[str, int] = {}
    verdict = [_VERDICT] if _is_reviewed(table, roles) else []
    for piece in batches(role_table(table, [*roles.columns, *verdict])):
        tick()
        kept = np.ones(piece.num_rows, dtype=bool)
        checks = _checks(piece, roles, task, hidden=hidden)
        if verdict:
            accepted = _mask(pc.equal(piece[_VERDICT].cast(pa.large_string()), "accept"))
            checks = itertools.chain([(f"{_VERDICT!r} is not 'accept'", accepted)], checks)
        for why, good in checks:
            lost = int((kept & ~good).sum())
            if lost:
                dropped[why] = dropped.get(why, 0) + lost
            kept &= good
        masks.append(kept)
    return (np.concatenate(masks) if masks else np.ones(0, dtype=bool)), dropped


def _is_reviewed(table: pa.Table, roles: Roles) -> bool:
    """Whether the rows carry an annotator's verdict, as Prodigy writes it."""
    names = table.schema.names
    return (
        _VERDICT in names
        and "_input_hash" in names
        and _VERDICT not in {path_root(path) for path in roles.columns}
        and is_text(table.schema.field(_VERDICT).type)
    )


def _checks(
    piece: pa.Table, roles: Roles, task: Task, *, hidden: bool
) -> Iterator[tuple[str, Mask]]:
    for path in _needed(piece, roles):
        yield f"{path!r} is empty", filled(column_at(piece, path), lists=True)
    if roles.label is None:
        return
    label = column_at(piece, roles.label)
    # Without labels is something a row of several labels can be.
    yield f"{roles.label!r} is empty", filled(label, lists=task == "token_classification")
    if hidden and (pa.types.is_integer(label.type) or pa.types.is_floating(label.type)):
        shown = _mask(pc.not_equal(label, HIDDEN), fill=True)
        yield f"{roles.label!r} is {HIDDEN}, which means hidden", shown
    if task == "token_classification" and roles.text:
        words = column_at(piece, roles.text)
        if is_list(words.type) and is_list(label.type):
            same = pc.equal(pc.list_value_length(words), pc.list_value_length(label))
            yield f"{roles.text!r} and {roles.label!r} differ in length", _mask(same)


def _needed(piece: pa.Table, roles: Roles) -> list[str]:
    """The paths without which a row gives nothing."""
    paths = [roles.text, roles.text_pair, roles.prompt, roles.messages, roles.target]
    for slot in slots(roles.template or ""):
        path, optional = (slot, False) if slot in piece.schema.names else slot_path(slot)
        if not optional:
            paths.append(path)
    return list(dict.fromkeys(path for path in paths if path))


def filled(column: pa.ChunkedArray, *, lists: bool) -> Mask:
    """Where a column holds something: no null, no blank text; with `lists`, no empty list."""
    kind = column.type
    if is_text(kind):
        text = column.cast(pa.large_string())
        blank = pc.or_(pc.equal(pc.binary_length(text), 0), pc.utf8_is_space(text))
        return _mask(pc.invert(blank))
    if lists and is_list(kind):
        return _mask(pc.greater(pc.list_value_length(column), 0))
    if pa.types.is_floating(kind):
        return _mask(pc.invert(pc.is_nan(column)))
    return _mask(pc.is_valid(column))


def _mask(column: pa.ChunkedArray, *, fill: bool = False) -> Mask:
    values: Mask = pc.fill_null(column, fill).to_numpy().astype(bool)
    return values


# ---------------------------------------------------------------- rows that are the same


@dataclass(frozen=True)
class RowKeys:
    """A 64-bit key for each row's input, and one for its input and answer."""

    inputs: Keys
    rows: Keys

    def where(self, mask: Mask) -> "RowKeys":
        """The keys of some of the rows."""
        return RowKeys(self.inputs[mask], self.rows[mask])


def row_keys(table: pa.Table, roles: Roles, tick: Callable[[], None]) -> RowKeys:
    """Keys that are the same for rows with the same values in the roles."""
    inputs, rows = [np.zeros(0, dtype=np.uint64)], [np.zeros(0, dtype=np.uint64)]
    verdict = [_VERDICT] if _is_reviewed(table, roles) else []
    for piece in batches(role_table(table, [*roles.columns, *verdict])):
        tick()
        keys = np.zeros(piece.num_rows, dtype=np.uint64)
        for path in roles.inputs:
            keys = keys * _MIX + _hashed(column_at(piece, path))
        inputs.append(keys)
        for path in roles.outputs:
            keys = keys * _MIX + _hashed(column_at(piece, path))
        rows.append(keys)
    return RowKeys(np.concatenate(inputs), np.concatenate(rows))


def _hashed(column: pa.ChunkedArray) -> Keys:
    from pandas.util import hash_array  # noqa: PLC0415

    kind = column.type
    if pa.types.is_null(kind):
        return np.zeros(len(column), dtype=np.uint64)
    if pa.types.is_nested(kind):
        values = [_digest(value) for value in column.to_pylist()]
        return np.array(values, dtype=np.uint64)
    text = column.cast(pa.large_string()).to_numpy()
    keys: Keys = hash_array(text.astype(object), categorize=False)
    return keys


def _digest(value: Any) -> int:
    raw = json.dumps(value, default=str, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest(), "little")


def class_codes(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """A number from 0 for each value; labels that differ only in outer spaces are one."""
    if is_text(column.type):
        column = pc.utf8_trim_whitespace(column.cast(pa.large_string()))
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):  # of no rows
        encoded = encoded.combine_chunks()
    codes: npt.NDArray[np.int64] = pc.fill_null(encoded.indices, 0).to_numpy().astype(np.int64)
    return codes
