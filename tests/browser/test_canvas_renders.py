"""What a gesture on the canvas renders does not grow with the number of nodes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness.lab import LabPage, launch
from harness.scripts import add_scripts, renders
from harness.waiting import until
from playwright.sync_api import BrowserContext, expect

from easymodel_nb.store.first import ensure_project
from easymodel_nb.store.projects import ProjectStore
from easymodel_nb.workflow.document import Workflow

FEW, MANY = 3, 20
"""Groups of three nodes: 9 and 60."""
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


def prepared(home: Path, groups: int) -> str:
    store = ProjectStore(home)
    project = ensure_project(store)
    document = {
        "name": project.name,
        "nodes": [node for number in range(groups) for node in pair(number)],
        "edges": [edge(number) for number in range(groups)],
    }
    return store.save(project.id, Workflow.model_validate(document), project.revision).id


@pytest.fixture
def opened(
    notebook: Callable[..., LabPage], context: BrowserContext, tmp_path: Path
) -> Callable[[int], LabPage]:
    """Opens a studio with so many groups of three nodes, all of them open, each in view or not."""
    add_scripts(context)

    def make(groups: int) -> LabPage:
        home = tmp_path / f"home-{groups}"
        project = prepared(home, groups)
        opened = {f"{project}/f{number}": True for number in range(groups)}
        text = json.dumps(json.dumps(opened))
        context.add_init_script(f"localStorage.setItem('easymodel-nb:open', {text})")
        page = notebook(launch(home))
        page.run_cell(0)
        page.ready()
        # Every source was looked at: what comes from Python later would be counted as well.
        expect(page.page.locator('[data-testid="facts"][data-state="ok"]')).to_have_count(groups)
        return page

    return make


def dropped(page: LabPage) -> dict[str, Any]:
    """What is rendered until a node was dragged, let go elsewhere and saved there."""
    node = page.page.locator('.react-flow__node[data-id="f0"]')
    before = node.get_attribute("style")
    counted = renders(page, "drop", STEPS, "f0")
    assert node.get_attribute("style") != before
    return counted


def test_a_drag_and_its_drop_render_as_much_with_many_nodes_as_with_few(
    opened: Callable[[int], LabPage],
):
    few, many = (dropped(opened(groups)) for groups in (FEW, MANY))
    # React Flow tells a node where it lies at every move, and to let go is an edit, sent to Python
    # and answered: none of ours draws that.
    for counted in (few, many):
        assert set(counted["nodes"]) <= {"f0"}
        assert counted["nodes"].get("f0", 0) < STEPS, counted
    grown = sum(many["outside"].values()) - sum(few["outside"].values())
    assert grown < (MANY - FEW) * STEPS / 2, "a part renders for each node at each move"


def test_nodes_fold_when_they_are_too_small_to_read(opened: Callable[[int], LabPage]):
    page = opened(FEW)
    body = page.page.locator('[data-node-id="m0"] [data-testid="facts"]')

    def zoomed(how: str, *, visible: bool) -> Callable[[], bool]:
        def step() -> bool:
            page.hook(how).click()
            return body.is_visible() == visible

        return step

    until(zoomed("zoomOut", visible=False), "nodes folded")
    until(zoomed("zoomIn", visible=True), "nodes open again")
    page.page.locator(".react-flow__pane").dispatch_event(
        "wheel", {"ctrlKey": True, "deltaY": 200, "bubbles": True}
    )
    expect(body).to_have_count(0)


def test_panning_renders_no_node(opened: Callable[[int], LabPage]):
    page = opened(FEW)
    assert renders(page, "pan", STEPS)["nodes"] == {}
