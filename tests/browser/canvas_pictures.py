"""Makes the pictures of docs/canvas.md: a real studio in its states, each in both themes.

    python tests/browser/canvas_pictures.py docs/pictures [STATE ...]

With names of states only those are made.
Colours are reduced where Pillow is installed; without it the files are larger.
"""

import contextlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import canvas_late
from harness.browser import chromium_browser
from harness.lab import LabPage, launch
from harness.projects import WHOLE, prepare
from harness.server import JupyterServer, lab
from harness.waiting import PATIENCE
from pictures import Taker
from playwright.sync_api import expect

from easymodel_nb.store.first import ensure_project
from easymodel_nb.store.projects import ProjectStore

WIDE = {"width": 1160, "height": 900}
NARROW = {"width": 900, "height": 900}
TRAINING = 600_000
LAID = "first contrast narrow inspector connecting problems empty"
SMALL = {**WHOLE, "epochs": 12, "eval_size": 16}
BROKEN = """
import torch
whole = torch.Tensor.backward
def broken(*args, **kwargs):
    raise RuntimeError("The device was taken away.")
torch.Tensor.backward = broken
"""
MENDED = "torch.Tensor.backward = whole"


def branches(home: Path) -> None:
    """A second Finetuning node on the same model and data, a third on the result of the first."""
    store = ProjectStore(home)
    project = ensure_project(store)
    workflow = project.workflow
    document = workflow.dump()
    first = next(n for n in document["nodes"] if n["type"] == "finetune")
    first["data"] |= SMALL
    edges = document["edges"]
    for number, (label, change, source) in enumerate(
        [
            ("LoRA", {"method": "lora", "epochs": 24}, None),
            ("Then shorter", {"max_length": 24}, first["id"]),
        ]
    ):
        node = f"branch{number}"
        at = {"x": 400 + 400 * number, "y": first["position"]["y"] + 240 - 240 * number}
        document["nodes"].append(
            {**first, "id": node, "label": label, "position": at, "data": first["data"] | change}
        )
        for edge in [e for e in edges if e["target"] == first["id"]]:
            chained = source is not None and edge["targetHandle"] == "model"
            edges.append(
                edge
                | {"id": f"{node}-{edge['targetHandle']}", "target": node}
                | ({"source": source} if chained else {})
            )
    store.save(project.id, type(workflow).read(document), project.revision)


class Canvas:
    """One studio, brought into one state after the other."""

    def __init__(self, page: LabPage, taker: Taker) -> None:
        self.page = page
        self.take = taker.take

    def press(self, *keys: str) -> None:
        """Keys, one after the other."""
        for key in keys:
            self.page.page.keyboard.press(key)

    def ended(self, status: str) -> None:
        """Wait for the end of the run, however busy the machine is."""
        expect(self.page.node()).to_have_attribute("data-status", status, timeout=TRAINING)

    def fit(self) -> None:
        """All nodes in view."""
        self.page.page.get_by_role("button", name="Show everything").first.click()

    # ------------------------------------------------------------ the states

    def first(self) -> None:
        """The first project, checked and ready."""
        expect(self.page.hook("audit")).to_have_attribute("data-state", "done")
        self.take("first")

    def inspector(self) -> None:
        """What a node cannot hold at normal size."""
        self.page.hook("advanced").click()
        expect(self.page.hook("node-panel")).to_be_visible()
        self.take("inspector")
        self.press("Escape")

    def adding(self) -> None:
        """Search, menus, several nodes at once, the sheet of keys, the outline."""
        self.page.node("model").focus()
        self.press("/")
        expect(self.page.hook("search-add")).to_be_visible()
        self.take("search")
        self.press("Escape")
        self.page.node("model").focus()
        self.press("Shift+F10")
        expect(self.page.hook("context-menu")).to_be_visible()
        self.take("menu")
        self.press("Escape")
        self.page.node("model").focus()
        self.press("Control+a")
        expect(self.page.hook("selection-bar")).to_be_visible()
        self.take("several")
        self.press("Escape", "?")
        expect(self.page.hook("shortcuts")).to_be_visible()
        self.take("shortcuts")
        self.press("Escape")
        self.page.hook("outline-toggle").click()
        expect(self.page.hook("outline-row")).to_have_count(3)
        self.press("End", "ArrowUp", "ArrowUp", "Shift+F10")
        self.take("outline")
        self.press("Escape", "Escape")

    def connecting(self) -> None:
        """A connection being drawn: what fits lights up."""
        self.page.hook("palette-model").click()
        expect(self.page.node("model")).to_have_count(2)
        handle = self.page.page.locator(
            '[data-node-type="model"] .react-flow__handle[data-handleid="model"]'
        ).last
        box = handle.bounding_box()
        if box:
            mouse = self.page.page.mouse
            mouse.move(box["x"] + 5, box["y"] + 5)
            mouse.down()
            mouse.move(box["x"] + 60, box["y"] + 30, steps=4)
            self.take("connecting")
            self.press("Escape")
            mouse.up()
        self.press("Escape")
        while self.page.node("model").count() > 1:  # the node, and what it may be connected to
            self.page.hook("undo").click()
        self.fit()

    def problems(self) -> None:
        """An error stands on its node and field, with its fix."""
        self.page.input("epochs").fill("0")
        expect(self.page.hook("problems")).to_be_visible()
        self.take("problems")
        self.page.input("epochs").fill(str(SMALL["epochs"]))
        expect(self.page.hook("problems-none")).to_be_visible()

    def running(self) -> None:
        """A run with its stage, its loss and the time left; then stopped, then finished."""
        self.page.train()
        self.page.status("running")
        expect(self.page.hook("run-stage")).to_contain_text("Training, epoch", timeout=TRAINING)
        expect(self.page.page.locator(".em-spark")).to_be_visible()
        self.take("running")
        self.page.hook("stop").click()
        self.ended("stopped")
        self.take("stopped")
        self.page.page.get_by_title("Press to show the fields").click()
        self.page.input("epochs").fill("2")
        self.page.train()
        self.ended("finished")
        self.take("finished")
        self.page.execute(BROKEN)
        self.page.train()
        self.ended("failed")
        self.take("failed")
        self.page.execute(MENDED)

    def several(self) -> None:
        """Branches: one trains, the others wait, each with its place."""
        self.page.hook("train-all").click()
        expect(self.page.hook("queue")).to_be_visible(timeout=TRAINING)
        self.fit()
        self.page.hook("queue").click()
        expect(self.page.hook("queue-panel")).to_be_visible()
        self.take("queue")
        self.press("Escape")

    def lost(self, server: JupyterServer) -> None:
        """The kernel is gone while it trains; run again, the run was interrupted."""
        server.restart_kernel(self.page.name)
        self.page.node("model").first.click()
        expect(self.page.hook("kernel-lost")).to_be_visible()
        self.take("kernel-lost")
        self.page.run_cell(0)
        self.page.ready()
        self.fit()
        self.take("interrupted")

    def narrow(self) -> None:
        """A narrow notebook: the rail instead of the sidebar."""
        self.page.page.set_viewport_size(NARROW)
        expect(self.page.page.locator(".emnb[data-rail]")).to_be_visible()
        self.fit()
        self.take("narrow")
        self.page.page.set_viewport_size(WIDE)
        expect(self.page.page.locator(".emnb[data-rail]")).to_have_count(0)
        self.fit()

    def contrast(self) -> None:
        """More contrast, as the system or the notebook's theme asks for it."""
        self.page.page.emulate_media(contrast="more")
        expect(self.page.page.locator('.emnb-studio[data-contrast="more"]')).to_be_visible()
        self.take("contrast")
        self.page.page.emulate_media(contrast="no-preference")
        expect(self.page.page.locator('.emnb-studio[data-contrast="normal"]')).to_be_visible()

    def empty(self) -> None:
        """A new project."""
        self.page.hook("project-new").click()
        expect(self.page.hook("add-three")).to_be_visible()
        self.take("empty")


def opened(page: LabPage) -> LabPage:
    """The page with its studio running and Lab's own sidebar away."""
    page.open()
    page.command("application:toggle-left-area")
    page.run_cell(0)
    page.ready()
    return page


def main(folder: Path, wanted: list[str]) -> None:
    """Go through the states: one studio alone, then one with branches."""
    folder.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=PATIENCE * 1000)
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(lab(sys.executable, scratch / "lab"))
        browser = stack.enter_context(chromium_browser())
        context = browser.new_context(viewport=WIDE, device_scale_factor=1.25)
        context.set_default_timeout(PATIENCE * 1000)

        def start(home: Path) -> tuple[LabPage, Taker]:
            name = server.write(f"{home.name}.ipynb", launch(home))
            page = opened(LabPage(context.new_page(), server, name))
            return page, Taker(page, folder, wanted)

        def through(page: LabPage, steps: list[tuple[Callable[[], None], str]]) -> None:
            for step, names in steps:
                if due(names):
                    step()
            server.close(page.name)

        def due(names: str) -> bool:
            return not wanted or any(name in wanted for name in names.split())

        if due(f"{LAID} search menu several shortcuts outline running stopped finished failed"):
            prepare(scratch / "alone", SMALL)
            alone = Canvas(*start(scratch / "alone"))
            through(alone.page, [
                (alone.first, "first"),
                (alone.contrast, "contrast"),
                (alone.narrow, "narrow"),
                (alone.inspector, "inspector"),
                (alone.adding, "search menu several shortcuts outline"),
                (alone.connecting, "connecting"),
                (alone.problems, "problems"),
                (alone.running, "running stopped finished failed"),
                (alone.empty, "empty"),
            ])  # fmt: skip
        if due("queue kernel-lost interrupted"):
            branches(scratch / "branches")
            many = Canvas(*start(scratch / "branches"))
            through(many.page, [
                (many.several, "queue kernel-lost interrupted"),
                (lambda: many.lost(server), "kernel-lost interrupted"),
            ])  # fmt: skip
        if due("sweep sweep-runs history sweep-laid-out projects trash held kept offered conflict"):
            project = canvas_late.desk(scratch / "late")
            late = canvas_late.Late(*start(scratch / "late"), scratch / "late", project)
            through(late.page, [
                (late.sweep, "sweep sweep-runs history sweep-laid-out"),
                (late.projects, "projects trash"),
                (late.elsewhere, "held kept offered conflict"),
            ])  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
