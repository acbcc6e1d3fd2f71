"""What a page keeps does not grow with what was done in it: counted, no time and no size."""

from collections.abc import Callable
from pathlib import Path

from harness.lab import LabPage, launch
from harness.waiting import until
from playwright.sync_api import BrowserContext, expect

from easymodel_nb.store.projects import ProjectStore
from easymodel_nb.workflow.document import Workflow

PROJECTS, VISITED = 12, 4
BEFORE, MORE = 12, 24

# What was drawn, as the bundle tells of it (js/src/preact.ts), held so that it may be let go.
_DRAWN = """
window.drawn = [];
window.emnbRenders = (vnode) => drawn.push(new WeakRef(vnode));
"""
_ALIVE = "() => (window.drawn = drawn.filter((ref) => ref.deref() !== undefined)).length"


def prepared(home: Path) -> list[str]:
    """Projects with a node of their own name, so that one sees which is open."""
    store = ProjectStore(home)
    return [
        store.create(
            f"Project {number}",
            Workflow.model_validate({"nodes": [{"id": f"n{number}", "type": "note"}]}),
        ).id
        for number in range(PROJECTS)
    ]


def kept(page: LabPage) -> tuple[int, int, int]:
    """Elements that were drawn and are still held, DOM nodes, listeners."""
    session = page.page.context.new_cdp_session(page.page)
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    alive = int(page.page.evaluate(_ALIVE))
    counted = session.send("Memory.getDOMCounters")
    session.detach()
    return alive, counted["nodes"], counted["jsEventListeners"]


def test_switching_projects_keeps_nothing_of_those_before(
    notebook: Callable[..., LabPage], context: BrowserContext, home: Path
):
    context.add_init_script(_DRAWN)
    ids = prepared(home)
    page = notebook(launch(home))
    page.run_cell(0)
    page.ready()

    def switch(count: int) -> None:
        for turn in range(count):
            number = turn % VISITED
            page.hook("project-item", data_project_id=ids[number]).click()
            expect(page.page.locator(f'.react-flow__node[data-id="n{number}"]')).to_be_visible()

    switch(BEFORE)
    before = kept(page)
    assert before[0] > PROJECTS, "nothing was counted"
    switch(MORE)
    # What a last timer or answer still holds is let go of by itself.
    until(lambda: kept(page)[0] <= before[0] * 1.1, "as little as before", 60)
    _, nodes, listeners = kept(page)
    assert nodes <= before[1] * 1.1
    assert listeners <= before[2] * 1.1
