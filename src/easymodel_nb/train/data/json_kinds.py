"""Which Arrow type holds JSON values, also where rows differ; what fits none is JSON text."""

import json
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

_FAILS = (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError)


def kind_of(values: list[Any]) -> pa.DataType:
    """The type that holds every one of some values."""
    try:
        return pa.array(values).type
    except _FAILS:
        return merged(_kind(value) for value in values)


def _kind(value: Any) -> pa.DataType:
    if isinstance(value, dict):
        return pa.struct([pa.field(name, _kind(v)) for name, v in value.items()])
    if isinstance(value, list):
        return pa.list_(merged(_kind(v) for v in value))
    try:
        return pa.array([value]).type
    except _FAILS:  # such as a number of thirty digits
        return pa.string()


def merged(kinds: Iterable[pa.DataType]) -> pa.DataType:
    """The type that holds the values of several types."""
    result = pa.null()
    for kind in kinds:
        result = _both(result, kind)
    return result


def _both(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    if {one, other} == {pa.int64(), pa.float64()}:
        return pa.float64()
    if pa.types.is_struct(one) and pa.types.is_struct(other):
        names = dict.fromkeys([*_names(one), *_names(other)])
        return pa.struct([pa.field(n, _both(_inside(one, n), _inside(other, n))) for n in names])
    if pa.types.is_list(one) and pa.types.is_list(other):
        return pa.list_(_both(one.value_type, other.value_type))
    return pa.string()


def _names(kind: pa.DataType) -> list[str]:
    return [kind.field(n).name for n in range(kind.num_fields)]


def _inside(kind: pa.DataType, name: str) -> pa.DataType:
    return kind.field(name).type if name in _names(kind) else pa.null()


def column(values: list[Any], kind: pa.DataType) -> tuple[pa.Array, bool]:
    """The values as that type, and whether some had to become JSON text."""
    try:
        return pa.array(values, kind), False
    except _FAILS:
        return pa.array([_fit(value, kind) for value in values], kind), True


def _fit(value: Any, kind: pa.DataType) -> Any:
    if value is None:
        return None
    if pa.types.is_string(kind):
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if pa.types.is_struct(kind):
        return {name: _fit(value.get(name), _inside(kind, name)) for name in _names(kind)}
    if pa.types.is_list(kind):
        return [_fit(item, kind.value_type) for item in value]
    return value
