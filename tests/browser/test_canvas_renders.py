"""What a gesture on the canvas renders does not grow with the number of nodes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness.lab import LabPage, launch
from harness.scripts import add_scripts, renders
from playwright.sync_api import BrowserContext, expect

from easymodel_nb.store.first import ensure_project
from easymodel_nb.store.projects import ProjectStore
from easymodel_nb.workflow.document import Workflow

FEW, MANY = 4, 40
STEPS = 20


def pair(number: int) -> list[dict[str, Any]]:
    """A model and a Finetuning node without data, so that nothing is audited meanwhile."""
    at = {"y": number // 4 * 240}
    left = number % 4 * 800
    return [
        {"id": f"n{number}", "type": "note", "data": {}, "position": {"x": left, **at}},
        {"id": f"f{number}", "type": "finetune", "data": {}, "position": {"x": left + 300, **at}},
        {
            "id": f"m{number}",
            "type": "model",
            "data": {"source": "builtin:tiny-gpt2"},
            "position": {"x": left - 300, **at},
        },
    ]


def edge(number: int) -> dict[str, str]:
    ends = {"source": f"m{number}", "target": f"f{number}"}
    return {"id": f"e{number}", **ends, "sourceHandle": "model", "targetHandle": "model"}


def prepared(home: Path, groups: int) -> None:
    store = ProjectStore(home)
    project = ensure_project(store)
    document = {
        "name": project.name,
        "nodes": [node for number in range(groups) for node in pair(number)],
        "edges": [edge(number) for number in range(groups)],
    }
    store.save(project.id, Workflow.model_validate(document), project.revision)


@pytest.fixture
def opened(
    notebook: Callable[..., LabPage], context: BrowserContext, tmp_path: Path
) -> Callable[[int], LabPage]:
    """Opens a studio with so many groups of three nodes, each in view or drawn all the same."""
    add_scripts(context)

    def make(groups: int) -> LabPage:
        home = tmp_path / f"home-{groups}"
        prepared(home, groups)
        page = notebook(launch(home))
        page.run_cell(0)
        page.ready()
        # Every source was looked at: what comes from Python later would be counted as well.
        expect(page.page.locator('[data-testid="facts"][data-state="ok"]')).to_have_count(groups)
        return page

    return make


def test_a_drag_renders_as_much_with_many_nodes_as_with_few(opened: Callable[[int], LabPage]):
    few, many = (renders(opened(groups), "drag", STEPS, "f0") for groups in (FEW, MANY))
    # React Flow tells a node where it lies at every move: none of ours draws that.
    assert set(few["nodes"]) == set(many["nodes"]) == {"f0"}
    assert few["nodes"]["f0"] < STEPS
    grown = sum(many["outside"].values()) - sum(few["outside"].values())
    assert grown < (MANY - FEW) * STEPS / 2, "a part renders for each node at each move"


def test_panning_renders_no_node(opened: Callable[[int], LabPage]):
    page = opened(FEW)
    assert renders(page, "pan", STEPS)["nodes"] == {}
