"""Nobody is kept out of what unfolds, asks or tells: axe-core, contrast, forced colours.

As test_reach.py, for the states that come and go.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness.lab import LabPage
from harness.late import come_back, held_elsewhere, lose_kernel
from harness.one import one_studio
from harness.projects import QUICK, prepare
from harness.reach import Reach
from harness.server import JupyterServer
from playwright.sync_api import Browser, expect

from easymodel_nb.store.projects import ProjectStore

LONG_NAME = "Rechtsschutzversicherungsgesellschaften " * 3
ARABIC = "مشروع تصنيف الرسائل الطويلة"


@dataclass(frozen=True)
class Desk:
    """The studio, its home and its first project."""

    page: LabPage
    home: Path
    project: str

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.page.keyboard.press(key)

    def bring(self, text: str) -> None:
        """Import a file."""
        self.page.page.locator('[data-testid="project-import-file"]').set_input_files(
            {
                "name": "brought.easymodel.json",
                "mimeType": "application/json",
                "buffer": text.encode(),
            }
        )


@pytest.fixture(scope="module")
def desk_of_all(
    server: JupyterServer, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("reach-states")
    project = prepare(home, QUICK)
    store = ProjectStore(home)
    for name in (LONG_NAME[:120], ARABIC, "Thrown away"):
        store.create(name)
    with one_studio(server, browser, home, folded=True) as page:
        yield Desk(page, home, project)


@pytest.fixture
def desk(desk_of_all: Desk, request: pytest.FixtureRequest) -> Desk:
    request.node.pages = [desk_of_all.page.page]
    return desk_of_all


@pytest.fixture
def reach(desk: Desk) -> Reach:
    return Reach(desk.page.page)


def none(wrong: list[str]) -> None:
    assert not wrong, "\n".join(wrong)


def test_what_opens_over_the_canvas(desk: Desk, reach: Reach):
    page = desk.page
    page.node("model").focus()
    desk.press("/")
    expect(page.hook("search-add")).to_be_visible()
    wrong = reach.look("search")
    page.page.emulate_media(forced_colors="active")
    chosen = page.hook("search-add").locator('[aria-selected="true"]')
    expect(chosen).to_have_css("outline-style", "solid")
    page.page.emulate_media(forced_colors="none")
    page.page.keyboard.type("nothing of this name")
    wrong += reach.look("search without a result")
    desk.press("Escape")
    page.node("finetune").focus()
    desk.press("Shift+F10")
    expect(page.hook("context-menu")).to_be_visible()
    wrong += reach.look("menu of a Finetuning node")
    desk.press("Escape")
    page.node("model").focus()
    desk.press("Control+a")
    expect(page.hook("selection-bar")).to_be_visible()
    desk.press("Shift+F10")
    expect(page.hook("context-menu")).to_be_visible()
    wrong += reach.look("several nodes and their menu")
    desk.press("Escape", "Escape", "?")
    expect(page.hook("shortcuts")).to_be_visible()
    wrong += reach.look("shortcuts")
    desk.press("Escape")
    none(wrong)


def test_what_is_typed_in_a_node(desk: Desk, reach: Reach):
    page = desk.page
    page.hook("token").get_by_role("button").click()
    wrong = reach.look("token line")
    desk.press("Escape")
    page.hook("advanced").click()
    page.input("learning_rate").fill("1e-5, 5e-5, oops")
    expect(page.hook("problem").filter(has_text="oops")).not_to_have_count(0)
    wrong += reach.look("sweep with a problem")
    page.input("learning_rate").fill("1e-5, 5e-5")
    expect(page.hook("sweep-runs")).to_have_text("2 runs")
    wrong += reach.look("sweep")
    page.hook("node-panel-close").click()
    page.hook("undo").click()
    expect(page.hook("train")).to_have_text("Train Model")
    none(wrong)


def test_the_trash_and_files(desk: Desk, reach: Reach):
    page = desk.page
    page.hook("project-item").first.focus()
    desk.press("Delete")
    expect(page.hook("notice")).to_contain_text("is in the trash")
    wrong = reach.look("a deleted project")
    page.hook("projects-more").click()
    page.hook("project-trash").click()
    expect(page.hook("trash-item")).to_have_count(1)
    wrong += reach.look("trash")
    page.hook("trash-empty").click()
    wrong += reach.look("the trash asks")
    page.page.get_by_role("button", name="Keep").click()
    desk.press("Escape")
    expect(page.hook("trash")).to_have_count(0)
    desk.bring('{"format": "easymodel.workflow", "version": 99}')
    expect(page.hook("notice")).to_contain_text("newer EasyModel")
    wrong += reach.look("a file that is refused")
    document = ProjectStore(desk.home).load(desk.project).workflow.dump()
    document["nodes"][1]["data"]["source"] = ""
    desk.bring(json.dumps(document | {"name": "Brought"}))
    expect(page.hook("project-item", title="Brought")).to_have_attribute("aria-current", "true")
    expect(page.hook("problems")).to_be_visible()
    wrong += reach.look("an imported project without its data")
    page.hook("project-item", data_project_id=desk.project).click()
    expect(page.hook("problems-none")).to_be_visible()
    none(wrong)


def test_full_screen(desk: Desk, reach: Reach):
    page = desk.page
    page.page.get_by_role("button", name="Full screen").first.click()
    page.page.wait_for_function("document.fullscreenElement !== null")
    wrong = reach.look("full screen")
    page.page.evaluate("document.exitFullscreen()")
    page.page.wait_for_function("document.fullscreenElement === null")
    none(wrong)


def test_what_happens_elsewhere(desk: Desk, reach: Reach):
    page = desk.page
    with held_elsewhere(page, desk.home, desk.project):
        wrong = reach.look("held by another notebook")
    lose_kernel(page, desk.home, epochs="31", batch_size="16")
    wrong += reach.look("the kernel is lost")
    come_back(page, desk.home, desk.project, epochs=51, batch_size=4)
    wrong += reach.look("kept edits are offered")
    page.hook("draft-use").click()
    expect(page.hook("conflict")).to_be_visible()
    page.page.get_by_role("button", name="Epochs: 31 here").click()
    wrong += reach.look("two sides of an edit")
    page.hook("use-theirs").click()
    expect(page.hook("conflict")).to_have_count(0)
    none(wrong)
