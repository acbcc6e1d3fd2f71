"""Everything by keyboard: the order of the focus, that one sees it, and the outline's actions."""

import re
from collections.abc import Iterator

import pytest
from harness.lab import LabPage
from harness.one import one_studio
from harness.projects import LONG, prepare
from harness.reach import Reach
from harness.server import JupyterServer
from playwright.sync_api import Browser, Locator, expect

REGIONS = ["em-sidebar", "em-toolbar", "em-outline", "em-canvas", "em-inspector", "em-grip"]
MANY = 160
"""More stops than the studio has: by then Tab has left it, or it is a trap."""


@pytest.fixture(scope="module")
def studio(
    server: JupyterServer, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LabPage]:
    home = tmp_path_factory.mktemp("reach-keys")
    prepare(home, LONG)
    with one_studio(server, browser, home, "'another cell'", folded=True) as opened:
        yield opened


@pytest.fixture
def page(studio: LabPage, request: pytest.FixtureRequest) -> LabPage:
    request.node.pages = [studio.page]
    return studio


def press(page: LabPage, *keys: str) -> None:
    for key in keys:
        page.page.keyboard.press(key)


def rows(page: LabPage) -> Locator:
    return page.hook("outline-row")


def row(page: LabPage, name: str) -> Locator:
    return page.hook("outline-node").filter(has_text=re.compile(f"^{name}"))


def live(page: LabPage) -> Locator:
    return page.page.get_by_role("log", name="What happened")


def test_tab_goes_through_the_studio_in_order_and_one_sees_where(page: LabPage):
    reach = Reach(page.page)
    expect(page.hook("audit")).to_have_attribute("data-state", "done")
    page.page.get_by_role("button", name="Full screen").first.focus()
    press(page, "Shift+Tab", "Tab")
    stops = []
    for _ in range(MANY):
        at = reach.focused()
        if at is None or not at["studio"]:
            break
        stops.append(at)
        press(page, "Tab")
    else:
        pytest.fail("Tab does not leave the studio.")
    for stop in stops:
        told = f"{stop['tag']} {stop['classes']} {stop['name']!r}"
        assert stop["name"], f"{told} has no name"
        assert stop["seen"], f"{told} shows no focus"
        assert stop["inside"], f"{told} cannot be seen"
    hooks = {stop["hook"] for stop in stops}
    assert hooks >= {
        *("tab-canvas", "tab-analytics", "project-new", "project-item", "theme-toggle"),
        *("palette-model", "palette-dataset", "palette-finetune", "outline-toggle", "train-all"),
        *("node", "field-source", "field-task", "field-epochs", "train", "advanced"),
    }
    order = [stop["region"] for stop in stops if stop["region"]]
    assert order == sorted(order, key=REGIONS.index), "The focus jumps between the parts."


def test_the_outline_does_it_all(page: LabPage):
    page.node("dataset").focus()
    press(page, "Shift+O")
    expect(rows(page)).to_have_count(3)
    expect(row(page, "Dataset")).to_be_focused()
    press(page, "Home")
    expect(row(page, "Model")).to_be_focused()
    press(page, "End")
    expect(page.hook("outline-input", data_handle="dataset")).to_be_focused()
    press(page, "ArrowUp", "ArrowUp")
    expect(row(page, "Finetuning")).to_be_focused()

    # Duplicated from the menu, renamed, deleted, brought back: the focus is always on a node.
    press(page, "Home", "Shift+F10", "D")
    expect(page.page.get_by_role("menuitem", name="Duplicate")).to_be_focused()
    press(page, "Enter")
    expect(rows(page)).to_have_count(4)
    press(page, "F2")
    page.page.keyboard.type("Second")
    press(page, "Enter")
    expect(row(page, "Second")).to_be_focused()
    press(page, "Delete")
    expect(rows(page)).to_have_count(3)
    expect(live(page)).to_contain_text("Deleted Second.")
    expect(page.page.locator('[data-testid="outline-node"]:focus')).to_have_count(1)
    press(page, "Control+z")
    expect(rows(page)).to_have_count(4)
    expect(live(page)).to_contain_text("Undone: deleted Second.")

    # Connections, from either end.
    press(page, "End", "ArrowUp", "ArrowUp")  # past the loose node and the other input
    model = page.hook("outline-input", data_handle="model")
    expect(model).to_be_focused()
    press(page, "Enter", "S", "Enter")
    expect(model).to_contain_text("Second")
    expect(model).to_be_focused()
    expect(live(page)).to_contain_text("Connected Second to Finetuning.")
    press(page, "Shift+F10")
    page.hook("outline-disconnect-model").press("Enter")
    expect(model).to_contain_text("not connected")
    row(page, "Model").focus()
    press(page, "Shift+F10", "C", "Enter")
    expect(page.page.get_by_role("menu", name="Connect Model to")).to_be_visible()
    press(page, "Enter")
    expect(model).to_contain_text("Model")
    expect(page.page.locator(".react-flow__edge")).to_have_count(2)

    # Opened in the inspector, and back to where one was.
    press(page, "Enter")
    expect(page.hook("node-panel")).to_be_focused()
    press(page, "Escape")
    expect(row(page, "Model")).to_be_focused()
    page.hook("outline-add").press("Enter")
    press(page, "N", "Enter")
    expect(rows(page)).to_have_count(5)
    expect(row(page, "Note")).to_be_focused()


def test_a_run_is_started_and_stopped_from_the_outline(page: LabPage):
    row(page, "Finetuning").focus()
    press(page, "Shift+F10")
    page.hook("outline-train").press("Enter")
    page.status("running")
    expect(row(page, "Finetuning")).to_be_focused()
    expect(row(page, "Finetuning")).to_have_attribute("aria-label", re.compile("Running"))
    expect(live(page)).to_contain_text("Finetuning: ")
    press(page, "Shift+F10")
    page.hook("outline-stop").press("Enter")
    page.status("stopped")
    expect(live(page)).to_contain_text(re.compile("Finetuning: Stopped"))
    press(page, "Escape")
    expect(page.hook("outline")).to_have_count(0)
    expect(page.node("finetune")).to_be_focused()


def test_the_focus_stays_in_the_studio_when_what_had_it_is_gone(page: LabPage):
    before = page.cells()
    page.node("note").focus()
    press(page, "Delete")
    expect(page.node("note")).to_have_count(0)
    assert (Reach(page.page).focused() or {}).get("studio")
    page.node("finetune").get_by_label("Menu of Finetuning").press("Enter")
    page.page.get_by_role("menuitem", name="Details").press("Enter")
    expect(page.hook("node-panel")).to_be_focused()
    page.hook("node-panel-close").press("Enter")
    expect(page.hook("node-panel")).to_have_count(0)
    assert (Reach(page.page).focused() or {}).get("studio")
    press(page, "d", "d")
    assert page.cells() == before
