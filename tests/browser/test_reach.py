"""Nobody is kept out: axe-core, contrast as it is seen, forced colours, less motion, the focus.

One studio in all its states, each in both themes and with more contrast.
"""

from collections.abc import Iterator

import pytest
from harness.lab import LabPage
from harness.one import WIDE, one_studio
from harness.projects import LONG, prepare
from harness.reach import Reach
from harness.server import JupyterServer
from playwright.sync_api import Browser, Locator, expect

NARROW = {"width": 790, "height": 1000}
BROKEN = """
import torch
def broken(*args, **kwargs):
    raise RuntimeError("The device was taken away.")
torch.Tensor.backward = broken
"""


@pytest.fixture(scope="module")
def studio(
    server: JupyterServer, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LabPage]:
    home = tmp_path_factory.mktemp("reach")
    prepare(home, LONG)
    with one_studio(server, browser, home, "'another cell'", folded=True) as opened:
        yield opened


@pytest.fixture
def page(studio: LabPage, request: pytest.FixtureRequest) -> LabPage:
    request.node.pages = [studio.page]
    studio.hook("tab-canvas").click()  # where a test before this one may have failed
    return studio


@pytest.fixture
def reach(page: LabPage) -> Reach:
    return Reach(page.page)


def none(wrong: list[str]) -> None:
    """What the looks found, all of it, once the studio is as it was."""
    assert not wrong, "\n".join(wrong)


def rows(page: LabPage) -> Locator:
    return page.hook("outline-row")


def press(page: LabPage, *keys: str) -> None:
    for key in keys:
        page.page.keyboard.press(key)


# ------------------------------------------------------------------ looks


def test_the_first_project(page: LabPage, reach: Reach):
    expect(page.hook("audit")).to_have_attribute("data-state", "done")
    none(reach.look("first project"))


def test_the_inspector(page: LabPage, reach: Reach):
    page.hook("advanced").click()
    expect(page.hook("node-panel")).to_be_visible()
    wrong = reach.look("inspector of a Finetuning node")
    page.hook("node-panel-close").click()
    page.menu("dataset")
    wrong += reach.look("menu of a node")
    page.details("dataset")
    wrong += reach.look("inspector of a Dataset node")
    press(page, "Escape")
    expect(page.hook("node-panel")).to_have_count(0)
    none(wrong)


def test_lists_and_problems(page: LabPage, reach: Reach):
    page.node("model").locator(".em-combo-arrow").click()
    wrong = reach.look("list of sources")
    press(page, "Escape")
    page.input("epochs").fill("0")
    expect(page.hook("problems")).to_be_visible()
    wrong += reach.look("problems")
    page.input("epochs").fill("1000")
    expect(page.hook("problems-none")).to_be_visible()
    none(wrong)


def test_the_outline(page: LabPage, reach: Reach):
    page.hook("outline-toggle").click()
    expect(rows(page)).to_have_count(3)
    press(page, "Shift+F10")
    wrong = reach.look("outline with a menu")
    press(page, "Escape", "Escape")
    expect(page.hook("outline")).to_have_count(0)
    none(wrong)


def test_the_rail(page: LabPage, reach: Reach):
    page.page.set_viewport_size(NARROW)
    expect(page.page.locator(".emnb[data-rail]")).to_be_visible()
    wrong = reach.look("rail")
    page.hook("outline-toggle").click()
    wrong += reach.look("rail with the outline")
    press(page, "Escape")
    page.page.set_viewport_size(WIDE)
    expect(page.page.locator(".emnb[data-rail]")).to_have_count(0)
    none(wrong)


def test_a_run_in_its_states_and_the_dashboard(page: LabPage, reach: Reach):
    page.train()
    page.status("running")
    expect(page.hook("run-stage")).to_contain_text("Training, epoch")
    wrong = reach.look("running")
    live = page.page.get_by_role("log", name="What happened")
    expect(live).to_contain_text("Finetuning: Training, epoch 1 of 1000")
    page.page.emulate_media(reduced_motion="reduce")
    moving = "() => document.getAnimations().filter((a) => a.playState === 'running').length"
    assert page.page.evaluate(moving) == 0
    page.page.emulate_media(reduced_motion="no-preference", forced_colors="active")
    edge, full, bar = (
        page.node().locator(".em-node").evaluate("(e) => getComputedStyle(e).borderColor"),
        *(
            page.hook("run-progress").evaluate(
                "(e, name) => getComputedStyle(e.querySelector(name)).backgroundColor", name
            )
            for name in (".em-segment > span", ".em-segment")
        ),
    )
    assert edge != "rgb(255, 255, 255)"
    assert full != bar
    page.page.emulate_media(forced_colors="none")
    page.hook("stop").click()
    page.status("stopped")
    expect(live).to_contain_text("Finetuning: Stopped")
    wrong += reach.look("stopped")

    page.hook("tab-analytics").click()
    expect(page.hook("chart-loss").locator(".bqplot text").first).to_be_visible()
    wrong += reach.look("analytics")
    page.hook("tab-canvas").click()

    page.page.get_by_title("Press to show the fields").click()
    page.input("epochs").fill("1")
    page.train()
    page.status("finished")
    wrong += reach.look("finished")
    page.execute(BROKEN)
    page.train()
    page.status("failed")
    wrong += reach.look("failed")
    none(wrong)


def test_the_empty_canvas(page: LabPage, reach: Reach):
    page.hook("project-new").click()
    expect(page.hook("add-three")).to_be_visible()
    expect(page.page.get_by_role("log", name="What happened")).to_contain_text("empty.")
    wrong = reach.look("empty canvas")
    page.page.locator(".em-project[data-active] [aria-haspopup=menu]").click()
    wrong += reach.look("menu of a project")
    press(page, "Escape")
    none(wrong)
