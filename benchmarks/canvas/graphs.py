"""Graphs of ten nodes and of many times ten, as a project of a home."""

from pathlib import Path
from typing import Any

from easymodel_nb.store.first import ensure_project
from easymodel_nb.store.projects import ProjectStore
from easymodel_nb.workflow.document import Workflow

SIZES = (10, 100, 1000)
GROUP = 10
OPEN = "f0"
"""The Finetuning node of each group that stands open, with all its fields."""
_WIDTH, _HEIGHT, _COLUMNS = 1240, 900, 10
_FINETUNE = {"epochs": 3, "subset_size": 60, "max_length": 32, "max_new_tokens": 4}


def document(size: int, name: str, first: int = 0) -> dict[str, Any]:
    """Groups of two models and two data sets that feed five Finetuning nodes, and a note."""
    nodes: list[dict[str, Any]] = []
    edges: list[dict[str, Any]] = []
    for number in range(size // GROUP):
        left = number % _COLUMNS * _WIDTH
        top = number // _COLUMNS * _HEIGHT
        nodes += [_placed(first + number, node, left, top) for node in _group()]
        edges += _edges(first + number)
    return {
        "format": "easymodel.workflow",
        "version": 1,
        "name": name,
        "nodes": nodes,
        "edges": edges,
    }


def _group() -> list[dict[str, Any]]:
    model = {"type": "model", "data": {"source": "builtin:tiny-gpt2"}}
    dataset = {"type": "dataset", "data": {"source": "builtin:requests"}}
    finetune = {"type": "finetune", "data": _FINETUNE}
    note = {"type": "note", "data": {"text": "Which of these learns best?"}}
    return [
        {"id": "m0", **model, "at": (0, 0)},
        {"id": "m1", **model, "at": (0, 170)},
        {"id": "d0", **dataset, "at": (0, 340)},
        {"id": "d1", **dataset, "at": (0, 590)},
        {"id": "f0", **finetune, "at": (404, 0)},
        *({"id": f"f{i}", **finetune, "at": (820, i * 150 - 150)} for i in range(1, 5)),
        {"id": "n0", **note, "at": (820, 600)},
    ]


def _placed(number: int, node: dict[str, Any], left: int, top: int) -> dict[str, Any]:
    x, y = node.pop("at")
    return {
        "label": None,
        **node,
        "id": f"{node['id']}-{number}",
        "position": {"x": left + x, "y": top + y},
    }


def _edges(number: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"e-{kind}{i}-{number}",
            "source": f"{kind[0]}{i % 2}-{number}",
            "sourceHandle": kind,
            "target": f"f{i}-{number}",
            "targetHandle": kind,
        }
        for i in range(5)
        for kind in ("model", "dataset")
    ]


def prepare(home: Path, size: int) -> str:
    """Make it the first project of a home; the project's id."""
    store = ProjectStore(home)
    project = ensure_project(store)
    workflow = Workflow.model_validate(document(size, project.name))
    return store.save(project.id, workflow, project.revision).id


def opened(project: str, size: int) -> dict[str, bool]:
    """Which nodes this browser remembers as open."""
    return {f"{project}/{OPEN}-{number}": True for number in range(size // GROUP)}


def prepare_projects(home: Path, count: int) -> dict[str, str]:
    """Make so many projects of ten nodes; the first node of each by the project's id."""
    store = ProjectStore(home)
    found = {prepare(home, GROUP): "m0-0"}
    for number in range(1, count):
        name = f"Project {number}"
        workflow = Workflow.model_validate(document(GROUP, name, number))
        found[store.create(name, workflow).id] = f"m0-{number}"
    return found
