"""The plan of a node without a run: everything before the weights."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from easymodel_nb import environment
from easymodel_nb.errors import StudioError, problem_error
from easymodel_nb.secrets import TokenHolder
from easymodel_nb.train.control import Control
from easymodel_nb.train.preparation import Preparation, prepare
from easymodel_nb.train.reporter import Unlogged
from easymodel_nb.train.scratch import scratch
from easymodel_nb.workflow.check import check
from easymodel_nb.workflow.document import Node, Workflow
from easymodel_nb.workflow.sweeps import variants


@contextmanager
def resolve(workflow: Workflow, node: str, home: Path | None = None) -> Iterator[Preparation]:
    """A node with every open value chosen that needs no weights.

    Raises
    ------
    StudioError
        With everything that `check` finds, or what the data and the tokenizer lack.

    """
    errors = [p for p in check(workflow, node) if p.severity == "error"]
    if errors:
        raise StudioError(errors)
    request = request_of(workflow, node)
    home = environment.writable_home(home)
    with scratch(home) as folder:
        yield prepare(
            request,
            TokenHolder().token,
            Control(folder),
            Unlogged(home, folder),
            weights=False,
        )


def request_of(workflow: Workflow, name: str) -> dict[str, Any]:
    """The node, its model and its dataset, as a run would be asked for."""
    node = _node(workflow, name)
    model = _source(workflow, name, "model")
    if model.type == "finetune":
        raise problem_error(
            "export.chain",
            f"{node.title} goes on from the model of {model.title}, which plain code cannot name. "
            "Save that model (Take it away), choose its folder in a Model node, and connect it.",
            node=name,
            field="model",
        )
    return {
        "name": workflow.name,
        "node": variants(node)[0].node.model_dump(mode="json"),  # of a sweep its first run
        "model": model.model_dump(mode="json"),
        "dataset": _source(workflow, name, "dataset").model_dump(mode="json"),
    }


def _source(workflow: Workflow, name: str, handle: str) -> Node:
    return _node(workflow, workflow.into(name, handle)[0].source)


def _node(workflow: Workflow, name: str) -> Node:
    node = workflow.node(name)
    assert node is not None  # noqa: S101  check() has seen both ends of every edge
    return node
