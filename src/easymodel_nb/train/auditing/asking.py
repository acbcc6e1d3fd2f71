"""What a run, an audit or a fit check is asked: a finetune node with its model and its data."""

from typing import Any

from easymodel_nb.workflow.document import Node, Workflow


def source_of(workflow: Workflow, name: str, handle: str) -> Node:
    """The node that feeds an input; `check` has seen that there is one."""
    node = workflow.node(workflow.into(name, handle)[0].source)
    assert node is not None  # noqa: S101  check() has seen both ends of every edge
    return node


def root_model(workflow: Workflow, name: str) -> Node:
    """The model node at the root of a chain of finetune nodes.

    What needs no weights takes its config and tokenizer from there: a run changes neither.
    """
    node = source_of(workflow, name, "model")
    return node if node.type != "finetune" else root_model(workflow, node.id)


def audit_request(workflow: Workflow, name: str) -> dict[str, Any]:
    """The request of a finetune node that `check` finds no error in, from its root model."""
    node = workflow.node(name)
    assert node is not None  # noqa: S101  check() has seen it
    return {
        "name": workflow.name,
        "node": node.model_dump(mode="json"),
        "model": root_model(workflow, name).model_dump(mode="json"),
        "dataset": source_of(workflow, name, "dataset").model_dump(mode="json"),
    }
