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

THEMES = ("light", "dark")
CONTRASTS = ("no-preference", "more")
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
    return studio


@pytest.fixture
def reach(page: LabPage) -> Reach:
    return Reach(page.page)


def dress(page: LabPage, theme: str, contrast: str) -> None:
    """Theme and contrast as the page around the studio has them, with nothing pressed."""
    page.page.emulate_media(contrast=contrast)  # type: ignore[arg-type]
    light = "true" if theme == "light" else "false"
    page.page.evaluate("(light) => { document.body.dataset.jpThemeLight = light }", light)
    frame = page.page.locator('[data-testid="em-studio"]')
    expect(frame).to_have_attribute("data-theme", theme)
    expect(frame).to_have_attribute("data-contrast", "more" if contrast == "more" else "normal")
    page.page.wait_for_function(
        "() => document.getAnimations().every("
        "(a) => a.playState !== 'running' || a.effect.getTiming().iterations === Infinity)"
    )


def look(page: LabPage, reach: Reach, state: str) -> list[str]:
    """All that is wrong with one state, in every dress."""
    wrong = []
    for contrast in CONTRASTS:
        for theme in THEMES:
            dress(page, theme, contrast)
            told = f"{state}, {theme}, contrast {contrast}"
            wrong += [f"{told}: {line}" for line in reach.pale()]
            if contrast == "no-preference":
                wrong += [f"{told}: {line}" for line in reach.violations()]
    dress(page, "light", "no-preference")
    return wrong


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
    none(look(page, reach, "first project"))


def test_the_inspector(page: LabPage, reach: Reach):
    page.hook("advanced").click()
    expect(page.hook("node-panel")).to_be_visible()
    wrong = look(page, reach, "inspector of a Finetuning node")
    page.hook("node-panel-close").click()
    page.node("dataset").get_by_label("Menu of Dataset").click()
    wrong += look(page, reach, "menu of a node")
    page.page.get_by_role("menuitem", name="Details").click()
    wrong += look(page, reach, "inspector of a Dataset node")
    press(page, "Escape")
    expect(page.hook("node-panel")).to_have_count(0)
    none(wrong)


def test_lists_and_problems(page: LabPage, reach: Reach):
    page.node("model").locator(".em-combo-arrow").click()
    wrong = look(page, reach, "list of sources")
    press(page, "Escape")
    page.input("epochs").fill("0")
    expect(page.hook("problems")).to_be_visible()
    wrong += look(page, reach, "problems")
    page.input("epochs").fill("1000")
    expect(page.hook("problems-none")).to_be_visible()
    none(wrong)


def test_the_outline(page: LabPage, reach: Reach):
    page.hook("outline-toggle").click()
    expect(rows(page)).to_have_count(3)
    press(page, "Shift+F10")
    wrong = look(page, reach, "outline with a menu")
    press(page, "Escape", "Escape")
    expect(page.hook("outline")).to_have_count(0)
    none(wrong)


def test_the_rail(page: LabPage, reach: Reach):
    page.page.set_viewport_size(NARROW)
    expect(page.page.locator(".emnb[data-rail]")).to_be_visible()
    wrong = look(page, reach, "rail")
    page.hook("outline-toggle").click()
    wrong += look(page, reach, "rail with the outline")
    press(page, "Escape")
    page.page.set_viewport_size(WIDE)
    expect(page.page.locator(".emnb[data-rail]")).to_have_count(0)
    none(wrong)


def test_a_run_in_its_states_and_the_dashboard(page: LabPage, reach: Reach):
    page.train()
    page.status("running")
    expect(page.hook("run-stage")).to_contain_text("Training, epoch")
    wrong = look(page, reach, "running")
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
    wrong += look(page, reach, "stopped")

    page.hook("tab-analytics").click()
    expect(page.hook("chart-loss").locator(".bqplot text").first).to_be_visible()
    wrong += look(page, reach, "analytics")
    page.hook("tab-canvas").click()

    page.page.get_by_title("Press to show the fields").click()
    page.input("epochs").fill("1")
    page.train()
    page.status("finished")
    wrong += look(page, reach, "finished")
    page.execute(BROKEN)
    page.train()
    page.status("failed")
    wrong += look(page, reach, "failed")
    none(wrong)


def test_the_empty_canvas(page: LabPage, reach: Reach):
    page.hook("project-new").click()
    expect(page.hook("add-three")).to_be_visible()
    expect(page.page.get_by_role("log", name="What happened")).to_contain_text("empty.")
    wrong = look(page, reach, "empty canvas")
    page.page.locator(".em-project[data-active] [aria-haspopup=menu]").click()
    wrong += look(page, reach, "menu of a project")
    press(page, "Escape")
    none(wrong)
