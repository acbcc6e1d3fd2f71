"""The canvas as a hand uses it; what it did is looked up in what the kernel saved."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, expect

from easymodel_nb.store.projects import ProjectStore
from easymodel_nb.workflow.document import Workflow
from harness.lab import LabPage
from harness.projects import saved
from harness.studio import StudioPage
from harness.waiting import until

Point = tuple[float, float]
Document = dict[str, Any]

DRAWN: Document = {
    "nodes": [
        {"id": "m1", "type": "model", "position": {"x": 0, "y": 0}},
        {"id": "d1", "type": "dataset", "position": {"x": 0, "y": 160}},
        {"id": "f1", "type": "finetune", "position": {"x": 400, "y": 0}},
        {"id": "f2", "type": "finetune", "position": {"x": 400, "y": 160}},
    ],
    "edges": [
        {"id": "e1", "source": "m1", "sourceHandle": "model"}
        | {"target": "f1", "targetHandle": "model"},
        {"id": "e2", "source": "d1", "sourceHandle": "dataset"}
        | {"target": "f1", "targetHandle": "dataset"},
    ],
    "viewport": {"x": 40, "y": 60, "zoom": 1},
}
"""Two sources and two Finetuning nodes, of which the second is not connected."""


def draw(home: Path, count: int) -> list[str]:
    """Make projects of that document, one for each test that will change it."""
    store = ProjectStore(home)
    names = [f"Canvas {i}" for i in range(count)]
    return [store.create(name, Workflow.model_validate(DRAWN)).id for name in names]


def turn_to(studio: LabPage, project: str) -> None:
    """Open a project that was drawn and wait until all of it is there."""
    studio.execute(f"studio.command('project_switch', project_id={project!r})")
    expect(studio.hook("project-item", data_project_id=project)).to_have_attribute(
        "aria-current", "true"
    )
    expect(studio.page.locator(".react-flow__node")).to_have_count(len(DRAWN["nodes"]))
    expect(studio.page.locator(".react-flow__edge")).to_have_count(len(DRAWN["edges"]))


class Drawings:
    """A studio, and a project of that document for each test that will change one."""

    def __init__(self, studio: LabPage, home: Path, projects: list[str]) -> None:
        self.studio = studio
        self.home = home
        self._unused = iter(projects)

    def next(self) -> "Canvas":
        """The next of them, open."""
        project = next(self._unused)
        turn_to(self.studio, project)
        return Canvas(self.studio, self.home, project)


class Canvas:
    """One open project."""

    def __init__(self, studio: StudioPage, home: Path, project: str) -> None:
        self.studio = studio
        self.page = studio.page
        self.keyboard = studio.page.keyboard
        self.mouse = studio.page.mouse
        self.home = home
        self.project = project

    # ---- what is there ----

    def doc(self) -> Document:
        """The document as the kernel saved it."""
        return saved(self.home, self.project)

    def nodes(self) -> dict[str, Any]:
        return {node["id"]: node for node in self.doc()["nodes"]}

    def wires(self) -> set[tuple[str, str, str]]:
        """Source, target, input of every connection."""
        return {(e["source"], e["target"], e["targetHandle"]) for e in self.doc()["edges"]}

    def at(self, node: str) -> Point:
        position = self.nodes()[node]["position"]
        return position["x"], position["y"]

    def types(self) -> list[str]:
        return sorted(node["type"] for node in self.doc()["nodes"])

    def becomes(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait until the kernel has it."""
        return until(condition, what, 30)

    def keeps(self, before: Document) -> None:
        """Wait until the kernel has what it had before, but for the place of the view."""
        self.becomes(lambda: shape(self.doc()) == shape(before), "return to what was before")

    def node(self, node: str) -> Locator:
        return self.page.locator(f'.react-flow__node[data-id="{node}"]')

    def node_of(self, kind: str) -> Locator:
        return self.page.locator(f'.react-flow__node[data-node-type="{kind}"]')

    def port(self, node: str, name: str, side: str = "source") -> Locator:
        return self.node(node).locator(f'.react-flow__handle.{side}[data-handleid="{name}"]')

    def edge(self, edge: str) -> Locator:
        return self.page.locator(f'.react-flow__edge[data-id="{edge}"]')

    def selected(self) -> set[str]:
        found = self.page.locator(".react-flow__node.selected").evaluate_all(
            "(all) => all.map((e) => e.dataset.id)"
        )
        return set(found)

    def picks(self, *nodes: str) -> None:
        """Wait until just these are selected."""
        until(lambda: self.selected() == set(nodes), f"selection of {nodes}", 30)

    def holds_focus(self) -> None:
        """The focus is in the studio and not on the page."""
        self.page.wait_for_function("document.activeElement.closest('.emnb')")

    # ---- what the hand does ----

    def middle(self, locator: Locator) -> Point:
        box = locator.bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def head(self, node: str) -> Point:
        """A point of a node's header, where it can be held."""
        box = self.node(node).bounding_box()
        assert box is not None
        return box["x"] + 150, box["y"] + 20

    def pane(self, x: float = 0.5, y: float = 0.8) -> Point:
        """A point of the canvas that no node covers, in parts of its size."""
        box = self.studio.hook("em-canvas").bounding_box()
        assert box is not None
        return box["x"] + box["width"] * x, box["y"] + box["height"] * y

    def drag(self, start: Point, end: Point) -> None:
        self.mouse.move(*start)
        self.mouse.down()
        self.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=4)
        self.mouse.move(*end, steps=4)
        self.mouse.up()

    def select(self, *nodes: str) -> None:
        """Select by key: focus the first, add the others with Shift and a click."""
        first, *others = nodes
        self.node(first).focus()
        self.keyboard.press("Enter")
        for node in others:
            self.mouse.move(*self.head(node))
            self.keyboard.down("Shift")
            self.mouse.click(*self.head(node))
            self.keyboard.up("Shift")
        self.picks(*nodes)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.keyboard.press(key)

    def focus_pane(self) -> None:
        self.mouse.click(*self.pane())
        expect(self.studio.hook("em-canvas")).to_be_focused()

    def undo(self, before: Document) -> None:
        """One undo brings back what was."""
        self.studio.hook("undo").click()
        self.keeps(before)
        self.holds_focus()

    def menu(self, item: str) -> None:
        self.studio.hook("context-menu").locator(f'[data-testid="menu-{item}"]').click()


def shape(document: Document) -> Document:
    return {key: value for key, value in document.items() if key != "viewport"}
