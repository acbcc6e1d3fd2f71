"""What belongs to editing beside single actions: each by mouse and by keyboard."""

import base64
from pathlib import Path

import pytest
from harness.canvas import Canvas, Drawings, draw
from harness.files import drop
from harness.lab import LabPage, launch
from harness.server import JupyterServer
from playwright.sync_api import Locator, expect

NODES = {"m1", "d1", "f1", "f2"}
BOTH = pytest.mark.parametrize("by", ["mouse", "keys"])
CSV = b"prompt,text\n" + b"".join(b"say %d,number %d\n" % (i, i) for i in range(12))
_PASTE_FILE = """([name, content]) => {
  const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([bytes], name));
  document.activeElement.dispatchEvent(
    new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""


def press_or_click(canvas: Canvas, by: str, target: Locator, key: str = "Enter") -> None:
    """A button by the hand that the test is about."""
    if by == "mouse":
        target.click()
    else:
        target.focus()
        canvas.press(key)


def undo(canvas: Canvas, by: str) -> None:
    if by == "mouse":
        canvas.studio.hook("undo").click()
    else:
        canvas.press("Control+z")


def menu_of_pane(canvas: Canvas, by: str, item: str) -> None:
    """What the menu of the empty canvas does."""
    if by == "mouse":
        canvas.mouse.click(*canvas.pane(), button="right")
        canvas.menu(item)
        return
    canvas.focus_pane()
    canvas.press("Escape", "Shift+F10")
    wanted = canvas.studio.hook(f"menu-{item}")
    for _ in range(12):
        if wanted.evaluate("(e) => e === document.activeElement"):
            break
        canvas.press("ArrowDown")
    canvas.press("Enter")


@BOTH
def test_a_node_of_the_palette(canvas: Canvas, by: str):
    before = canvas.doc()
    press_or_click(canvas, by, canvas.studio.hook("palette-model"))
    canvas.becomes(lambda: canvas.types().count("model") == 2, "model")
    undo(canvas, by)
    canvas.keeps(before)


@BOTH
def test_undo_goes_on_after_another_project(canvas: Canvas, drawings: Drawings, by: str):
    before = canvas.doc()
    canvas.select("m1", "f2")
    canvas.press("ArrowDown")
    canvas.becomes(lambda: canvas.at("f2") == (400, 176), "move")
    canvas.node("d1").focus()
    canvas.press("Delete")
    canvas.becomes(lambda: "d1" not in canvas.nodes(), "deletion")
    after = canvas.doc()
    other = drawings.next()
    untouched = other.doc()
    row = canvas.studio.hook("project-item", data_project_id=canvas.project)
    press_or_click(canvas, by, row)
    expect(row).to_have_attribute("aria-current", "true")
    expect(canvas.page.locator(".react-flow__node")).to_have_count(3)
    if by == "keys":
        canvas.node("m1").focus()
    undo(canvas, by)
    undo(canvas, by)
    canvas.keeps(before)
    redone = "Control+Shift+z"
    if by == "mouse":
        canvas.studio.hook("redo").click()
        canvas.studio.hook("redo").click()
    else:
        canvas.press(redone, redone)
    canvas.keeps(after)
    assert other.doc() == untouched


@BOTH
def test_what_is_typed_is_one_step_for_each_field(canvas: Canvas, by: str):
    before = canvas.doc()
    canvas.node("f1").focus()
    canvas.press("i")
    panel = canvas.studio.hook("node-panel")
    for field, text in (("epochs", "12"), ("batch_size", "16")):
        box = panel.get_by_test_id(f"field-{field}")
        press_or_click(canvas, by, box, "Control+a")
        canvas.press("Control+a")
        canvas.keyboard.type(text)
        canvas.becomes(
            lambda f=field, t=text: canvas.nodes()["f1"]["data"].get(f) == int(t), f"{field} {text}"
        )
    canvas.node("f1").focus()
    undo(canvas, by)
    canvas.becomes(lambda: "batch_size" not in canvas.nodes()["f1"]["data"], "first undo")
    assert canvas.nodes()["f1"]["data"]["epochs"] == 12
    undo(canvas, by)
    canvas.keeps(before)
    canvas.studio.hook("node-panel-close").click()


def test_connecting_by_key_replaces_and_offers_no_ring(canvas: Canvas):
    before = canvas.doc()

    def choose(node: str, entry: str) -> None:
        canvas.node(node).focus()
        canvas.press("c")
        entries = canvas.studio.hook("search-entry")
        expect(entries.first).to_be_visible()
        wanted = canvas.studio.hook("search-entry", data_entry=entry)
        for _ in range(20):
            if wanted.get_attribute("aria-selected") == "true":
                break
            canvas.press("ArrowDown")
        canvas.press("Enter")

    choose("f2", "port:target:model:m1:model")
    canvas.becomes(lambda: ("m1", "f2", "model") in canvas.wires(), "connection")
    choose("f2", "port:target:model:f1:model")
    canvas.becomes(lambda: ("f1", "f2", "model") in canvas.wires(), "new connection")
    assert ("m1", "f2", "model") not in canvas.wires()
    canvas.node("f2").focus()
    canvas.press("c")
    expect(canvas.studio.hook("search-entry").first).to_be_visible()
    ring = canvas.studio.hook("search-entry", data_entry="port:source:model:f1:model")
    expect(ring).to_have_count(0)
    canvas.press("Escape", "Control+z", "Control+z")
    canvas.keeps(before)


@BOTH
def test_problems_are_led_to_one_by_one(canvas: Canvas, by: str):
    """The Finetuning node without inputs, then the sources that are not chosen."""
    counter = canvas.studio.hook("problems")
    expect(counter).to_be_visible()
    led = []
    for _ in range(4):
        if by == "mouse":
            counter.click()
        else:
            canvas.press("p") if led else counter.press("Enter")
        canvas.page.wait_for_function("document.activeElement.closest('.react-flow__node')")
        led.append(canvas.page.evaluate("document.activeElement.dataset.id"))
    assert len(set(led)) > 1
    assert canvas.selected() <= NODES


@BOTH
def test_a_problem_is_removed_by_its_button(canvas: Canvas, by: str):
    canvas.node("f1").focus()
    canvas.press("i")
    panel = canvas.studio.hook("node-panel")
    epochs = panel.get_by_test_id("field-epochs")
    epochs.fill("0")
    fix = panel.locator('[data-field="epochs"] [data-testid="fix"]')
    expect(fix).to_be_visible()
    before = canvas.doc()
    press_or_click(canvas, by, fix)
    expect(fix).to_have_count(0)
    canvas.becomes(lambda: canvas.nodes()["f1"]["data"]["epochs"] > 0, "fix")
    canvas.node("f1").focus()
    undo(canvas, by)
    canvas.keeps(before)
    canvas.studio.hook("node-panel-close").click()


@BOTH
def test_a_file_from_outside(canvas: Canvas, by: str):
    """Dropped on the pane, or copied in the files of the computer and pasted."""
    before = canvas.doc()
    if by == "mouse":
        x, y = canvas.pane(0.4, 0.75)
        box = canvas.studio.hook("em-canvas").bounding_box()
        assert box is not None
        at = round(x - box["x"]), round(y - box["y"])
        drop(canvas.page, canvas.studio.hook("em-canvas"), "rows.csv", CSV, at)
    else:
        canvas.focus_pane()
        canvas.page.evaluate(_PASTE_FILE, ["rows.csv", base64.b64encode(CSV).decode()])
    canvas.becomes(lambda: canvas.types().count("dataset") == 2, "Dataset node")
    (new,) = set(canvas.nodes()) - NODES
    expect(canvas.node(new)).to_contain_text("12 rows")
    assert canvas.nodes()[new]["label"] == "rows.csv"
    assert (new, "f2", "dataset") in canvas.wires()
    canvas.node("m1").focus()
    undo(canvas, by)
    undo(canvas, by)
    canvas.keeps(before)


@BOTH
def test_the_whole_canvas_is_selected_and_cleared(canvas: Canvas, by: str):
    before = canvas.doc()
    menu_of_pane(canvas, by, "selectAll")
    canvas.picks(*NODES)
    menu_of_pane(canvas, by, "clear")
    canvas.becomes(lambda: canvas.nodes() == {}, "empty canvas")
    undo(canvas, by)
    canvas.keeps(before)


def test_several_are_selected_and_lined_up_by_key(canvas: Canvas):
    before = canvas.doc()
    canvas.node("m1").focus()
    canvas.press("Enter")
    canvas.picks("m1")
    canvas.node("f2").focus()
    canvas.press("Shift+Space")
    canvas.picks("m1", "f2")
    canvas.press("Shift+F10")
    wanted = canvas.studio.hook("menu-align-top")
    for _ in range(12):
        if wanted.evaluate("(e) => e === document.activeElement"):
            break
        canvas.press("ArrowDown")
    canvas.press("Enter")
    canvas.becomes(lambda: canvas.at("f2") == (400, 0), "alignment")
    canvas.holds_focus()
    canvas.press("Control+z")
    canvas.keeps(before)


def test_the_grid_is_switched_by_key(canvas: Canvas):
    snap = canvas.studio.hook("snap")
    canvas.node("m1").focus()
    canvas.press("g")
    expect(snap).to_have_attribute("aria-pressed", "true")
    canvas.press("g")
    expect(snap).to_have_attribute("aria-pressed", "false")


def test_the_sheet_of_shortcuts_by_its_button(canvas: Canvas):
    canvas.studio.hook("help").click()
    sheet = canvas.studio.hook("shortcuts")
    expect(sheet).to_be_visible()
    sheet.get_by_role("button", name="Close").click()
    expect(sheet).to_have_count(0)
    canvas.holds_focus()


def test_an_address_is_pasted_by_the_menu(canvas: Canvas):
    before = canvas.doc()
    address = "https://huggingface.co/datasets/stanfordnlp/imdb"
    canvas.page.evaluate("(text) => navigator.clipboard.writeText(text)", address)
    menu_of_pane(canvas, "mouse", "paste")
    canvas.becomes(lambda: canvas.types().count("dataset") == 2, "dataset")
    (new,) = set(canvas.nodes()) - NODES
    assert canvas.nodes()[new]["data"]["source"] == "stanfordnlp/imdb"
    canvas.undo(before)


def test_copies_go_by_mouse_into_another_project(canvas: Canvas, drawings: Drawings):
    canvas.select("m1", "f1")
    canvas.studio.hook("selection-copy").click()
    there = drawings.next()
    before = there.doc()
    menu_of_pane(there, "mouse", "paste")
    there.becomes(lambda: len(there.nodes()) == 6, "paste")
    there.undo(before)
    assert set(canvas.nodes()) == NODES


def test_copies_go_into_another_notebook(canvas: Canvas, server: JupyterServer, tmp_path: Path):
    """Another kernel, another home: nothing but the clipboard joins the two."""
    canvas.select("m1", "f1")
    canvas.studio.hook("selection-copy").click()
    (project,) = draw(tmp_path, 1)
    name = server.write("editing-there.ipynb", launch(tmp_path))
    page = canvas.page.context.new_page()
    try:
        notebook = LabPage(page, server, name).open()
        notebook.run_cell(0)
        notebook.ready()
        there = Canvas(notebook, tmp_path, project)
        expect(page.locator(".react-flow__node")).to_have_count(4)
        menu_of_pane(there, "mouse", "paste")
        there.becomes(lambda: len(there.nodes()) == 6, "paste")
        assert len(there.wires()) == 4  # the model among them, the data as it is there

        canvas.page.bring_to_front()
        canvas.focus_pane()
        canvas.press("Control+a", "Control+c")
        page.bring_to_front()
        there.focus_pane()
        there.press("Control+v")
        there.becomes(lambda: len(there.nodes()) == 10, "paste")
        assert len(there.wires()) == 6
        assert len(notebook.cells()) == 1
    finally:
        page.close()
        server.close(name)
