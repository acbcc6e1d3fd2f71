"""Class names that a data set brings along, in the Arrow schema's `huggingface` metadata."""

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from easymodel_nb.train.roles.values import parts_of

_KEY = b"huggingface"
_NAMED = ("text", "name", "names", "str", "string", "title")


def class_names(table: pa.Table, path: str) -> list[str] | None:
    """The names of a column's classes by their number, or None where none are known.

    They come from a ClassLabel feature (also inside a list, as for tags), else from a
    column beside it that spells the same classes out, such as `label_text` beside `label`.
    """
    return declared(features_of(table), path) or _beside(table, path)


def declared(features: dict[str, Any], path: str) -> list[str] | None:
    """The names of a ClassLabel feature under a path, or of those in its lists."""
    feature = features.get(path)
    if feature is None and features:
        steps = parts_of(path)
        feature = features.get(str(steps[0])) if steps else None
        for step in steps[1:]:
            feature = _inside(feature) if isinstance(step, int) else _child(feature, step)
    return _names(feature) or _names(_inside(feature))


def features_of(table: pa.Table) -> dict[str, Any]:
    """What the schema says of the columns, as `datasets` writes it."""
    raw = (table.schema.metadata or {}).get(_KEY)
    if not raw:
        return {}
    try:
        found = json.loads(raw)["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _child(feature: Any, name: str) -> Any:
    if not isinstance(feature, dict):
        return None
    inner = feature.get("feature") if feature.get("_type") in {"Sequence", "List"} else feature
    return inner.get(name) if isinstance(inner, dict) else None


def _inside(feature: Any) -> Any:
    """What a list feature holds; lists are written as Sequence, List, LargeList or [feature]."""
    if isinstance(feature, list) and len(feature) == 1:
        return feature[0]
    return feature.get("feature") if isinstance(feature, dict) else None


def _names(feature: Any) -> list[str] | None:
    if not isinstance(feature, dict) or feature.get("_type") != "ClassLabel":
        return None
    names = feature.get("names")
    if not isinstance(names, list) or not names:
        return None
    return [str(name) for name in names]


def _beside(table: pa.Table, path: str) -> list[str] | None:
    columns = set(table.schema.names)
    if path not in columns or not pa.types.is_integer(table.schema.field(path).type):
        return None
    for ending in _NAMED:
        other = f"{path}_{ending}"
        if other in columns and pa.types.is_string(table.schema.field(other).type):
            pairs = table.select([path, other]).group_by([path, other]).aggregate([])
            pairs = pairs.filter(pc.and_(pc.is_valid(pairs[path]), pc.is_valid(pairs[other])))
            numbers, names = pairs[path].to_pylist(), pairs[other].to_pylist()
            whole = sorted(numbers) == list(range(len(numbers)))
            if whole and numbers and len(set(names)) == len(names):
                return [name for _, name in sorted(zip(numbers, names, strict=True))]
    return None
