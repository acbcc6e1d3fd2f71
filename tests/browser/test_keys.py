"""Keys pressed in the studio stay there, and those pressed elsewhere do not reach it.

JupyterLab's command mode turns single letters into cuts, deletions and new cells; React
Flow listens for Delete on the whole document. Either would destroy the user's work.
"""

from collections.abc import Iterator

import pytest
from harness.lab import LabPage
from harness.one import one_studio
from harness.projects import QUICK, prepare
from harness.server import JupyterServer
from playwright.sync_api import Browser, Locator, expect

LETTERS = ["x", "m", "a", "b", "z", "d d"]
DELETING = ["Delete", "Backspace"]


@pytest.fixture(scope="module")
def studio(
    server: JupyterServer, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LabPage]:
    """One notebook for all these tests: what they press leaves it as it was."""
    home = tmp_path_factory.mktemp("keys")
    prepare(home, QUICK)
    with one_studio(server, browser, home, "'another cell'", "'a third'") as opened:
        yield opened


@pytest.fixture
def page(studio: LabPage, request: pytest.FixtureRequest) -> LabPage:
    request.node.pages = [studio.page]
    assert [kind for kind, _ in studio.cells()] == ["code"] * 3
    expect(nodes(studio)).to_have_count(3)
    studio.select_cell(0)  # the cell that holds the studio: what a cut would take away
    return studio


def press(page: LabPage, keys: str) -> None:
    for key in keys.split():
        page.page.keyboard.press(key)


def focus_node(page: LabPage) -> None:
    page.node("model").focus()


def focus_button(page: LabPage) -> None:
    page.hook("train").focus()


def focus_pane(page: LabPage) -> None:
    box = page.hook("em-canvas").bounding_box()
    assert box is not None
    # Bottom right: the nodes of the first project and the minimap are elsewhere.
    page.page.mouse.click(box["x"] + box["width"] - 40, box["y"] + box["height"] - 60)


def focus_input(page: LabPage) -> None:
    field = page.input("max_length")
    field.focus()
    field.press("End")


PLACES = {"node": focus_node, "button": focus_button, "pane": focus_pane, "input": focus_input}


def nodes(page: LabPage) -> Locator:
    return page.page.locator('[data-testid="node"]')


@pytest.mark.parametrize("place", PLACES)
def test_letters_leave_the_notebook_alone(page: LabPage, place: str):
    before = page.cells()
    for keys in LETTERS:
        PLACES[place](page)
        press(page, keys)
        assert page.cells() == before, f"{keys} with the focus on the {place}"
    assert page.do("return panel.content.mode;") == "command"
    expect(nodes(page)).to_have_count(3)
    page.ready()


@pytest.mark.parametrize("key", DELETING)
def test_delete_on_a_node_removes_that_node_and_undo_brings_it_back(page: LabPage, key: str):
    before = page.cells()
    focus_node(page)
    press(page, key)
    expect(page.node("model")).to_have_count(0)
    expect(nodes(page)).to_have_count(2)
    page.hook("undo").click()
    expect(nodes(page)).to_have_count(3)
    expect(page.page.locator(".react-flow__edge")).to_have_count(2)
    assert page.cells() == before


@pytest.mark.parametrize("key", DELETING)
@pytest.mark.parametrize("place", ["button", "input"])
def test_delete_elsewhere_in_the_studio_removes_no_node(page: LabPage, place: str, key: str):
    before = page.cells()
    page.node("model").click()  # selected, but without the focus
    PLACES[place](page)
    press(page, key)
    assert page.cells() == before
    expect(nodes(page)).to_have_count(3)


@pytest.mark.parametrize("key", DELETING)
@pytest.mark.parametrize("mode", ["command", "edit"])
def test_delete_in_another_cell_removes_no_node(page: LabPage, key: str, mode: str):
    page.node("model").click()
    page.select_cell(1, mode)
    press(page, key)
    expect(nodes(page)).to_have_count(3)
    assert len(page.cells()) == 3


def test_letters_typed_in_an_input_arrive_there(page: LabPage):
    before = page.cells()
    page.hook("project-new").focus()
    focus_input(page)
    field = page.input("max_length")
    field.fill("")
    page.page.keyboard.type("64")
    expect(field).to_have_value("64")
    press(page, "Backspace")
    expect(field).to_have_value("6")
    assert page.cells() == before
