"""What may connect to what: one table, read from ports.json, which the view reads too."""

import json
from functools import cache
from importlib.resources import files

from pydantic import BaseModel


class Port(BaseModel):
    """One handle of a node: what flows through it, and how many edges it takes."""

    type: str
    required: bool = False
    max: int | None = None


class NodeKind(BaseModel):
    """A kind of node: its title and its handles."""

    title: str
    inputs: dict[str, Port]
    outputs: dict[str, Port]


@cache
def kinds() -> dict[str, NodeKind]:
    """Every node kind by its type name."""
    table = json.loads(files(__package__).joinpath("ports.json").read_text(encoding="utf-8"))
    return {name: NodeKind.model_validate(kind) for name, kind in table["nodes"].items()}


def output(node_type: str, handle: str | None) -> Port | None:
    """The output port of a node type, or None when it has no such handle."""
    kind = kinds().get(node_type)
    return kind.outputs.get(handle or "") if kind else None


def input_(node_type: str, handle: str | None) -> Port | None:
    """The input port of a node type, or None when it has no such handle."""
    kind = kinds().get(node_type)
    return kind.inputs.get(handle or "") if kind else None


def fits(source_type: str, source_handle: str, target_type: str, target_handle: str) -> bool:
    """Whether an edge from one handle to the other carries one type of thing."""
    out, into = output(source_type, source_handle), input_(target_type, target_handle)
    return out is not None and into is not None and out.type == into.type
