"""A sweep: a finetune node that is trained once for each combination of listed values.

`data.sweep` is {field: [values]}. The plain value of a field that is swept is kept for the time
after the sweep and trains nothing.
"""

import itertools
import math
from typing import Any, NamedTuple

from easymodel_nb.workflow.document import FinetuneData, Node

MOST = 64  # runs of one node
# The task decides what every other field means; the rest are about the node, not the training.
NOT_SWEPT = frozenset({"task", "sweep", "accept", "output_name", "processes"})
SWEPT = tuple(name for name in FinetuneData.model_fields if name not in NOT_SWEPT)
_LONG = 40  # characters of a value in a name


class Variant(NamedTuple):
    """One run of a finetune node: what it is called by, its values, and the node it trains."""

    name: str  # "learning_rate 1e-05, seed 7"; empty where nothing is swept
    values: dict[str, Any]
    node: Node  # with plain values and no sweep


def listed(node: Node) -> dict[str, list[Any]]:
    """The sweep of a node as far as it can be read; `check` says what cannot."""
    sweep = node.data.get("sweep")
    if not isinstance(sweep, dict):
        return {}
    return {str(field): v for field, v in sweep.items() if isinstance(v, list) and v}


def count(sweep: dict[str, list[Any]]) -> int:
    """How many runs a sweep makes."""
    return math.prod(len(values) for values in sweep.values())


def variants(node: Node) -> list[Variant]:
    """The runs of a node, the last field's values changing first; one where nothing is swept."""
    sweep = listed(node)
    if not sweep:
        return [Variant("", {}, node)]
    return [
        variant(node, dict(zip(sweep, values, strict=True)))
        for values in itertools.product(*sweep.values())
    ]


def variant(node: Node, values: dict[str, Any]) -> Variant:
    """The node with these values in place of its sweep, named by them."""
    name = spelled(values)
    plain = node.model_copy(
        update={
            "label": f"{node.title} · {name}",
            "data": {**node.data, **values, "sweep": {}},
        }
    )
    return Variant(name, values, plain)


def spelled(values: dict[str, Any]) -> str:
    """Fields and values as the name of a run: "learning_rate 1e-05, method lora"."""
    return ", ".join(f"{field} {_spell(value)}" for field, value in values.items())


def _spell(value: Any) -> str:
    if value is None:
        return "auto"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return "+".join(map(str, value))
    text = str(value)
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"
