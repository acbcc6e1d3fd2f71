"""Each editing action by keyboard alone; what it did is read from what the kernel saved."""

import json

import pytest
from harness.canvas import Canvas, Drawings, shape
from playwright.sync_api import expect

NODES = {"m1", "d1", "f1", "f2"}


def clipboard(canvas: Canvas, text: str | None = None) -> str:
    """What lies in the clipboard, after `text` was put there."""
    if text is not None:
        canvas.page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
    return str(canvas.page.evaluate("navigator.clipboard.readText()"))


def test_delete_undo_redo(canvas: Canvas):
    before = canvas.doc()
    canvas.node("d1").focus()
    canvas.press("Delete")
    canvas.becomes(lambda: set(canvas.nodes()) == {"m1", "f1", "f2"}, "deletion")
    expect(canvas.studio.hook("em-canvas")).to_be_focused()
    canvas.press("Control+z")
    canvas.keeps(before)
    canvas.picks("d1")  # what came back is what one goes on with
    canvas.press("Control+Shift+z")
    canvas.becomes(lambda: "d1" not in canvas.nodes(), "redo")
    canvas.press("Meta+z")
    canvas.keeps(before)
    canvas.press("Control+y")
    canvas.becomes(lambda: "d1" not in canvas.nodes(), "redo")


def test_select_all_and_nothing(canvas: Canvas):
    canvas.focus_pane()
    canvas.press("Control+a")
    canvas.picks(*NODES)
    canvas.press("Escape")
    canvas.picks()
    expect(canvas.studio.hook("em-canvas")).to_be_focused()
    canvas.node("m1").focus()
    canvas.press("Enter")
    canvas.picks("m1")
    canvas.press("Escape")
    canvas.picks()
    canvas.holds_focus()


def test_copy_and_paste_as_a_workflow(canvas: Canvas):
    before = canvas.doc()
    canvas.focus_pane()
    canvas.press("Control+a", "Control+c")
    copied = json.loads(clipboard(canvas))
    assert (copied["format"], copied["version"]) == ("easymodel.workflow", 1)
    assert {node["id"] for node in copied["nodes"]} == NODES
    canvas.press("Control+v")
    canvas.becomes(lambda: len(canvas.nodes()) == 8, "copies")
    after = canvas.doc()
    assert len(canvas.wires()) == 4
    fresh = set(canvas.nodes()) - NODES
    canvas.picks(*fresh)
    canvas.press("Control+v")
    canvas.becomes(lambda: len(canvas.nodes()) == 12, "more copies")
    places = {tuple(node["position"].values()) for node in canvas.nodes().values()}
    assert len(places) == 12  # none lies upon another
    canvas.press("Control+z")
    canvas.keeps(after)
    canvas.press("Control+z")
    canvas.keeps(before)


def test_paste_into_another_project(canvas: Canvas, drawings: Drawings):
    canvas.node("f1").focus()
    canvas.press("Control+c")
    there = drawings.next()
    before = there.doc()
    there.focus_pane()
    there.press("Control+v")
    there.becomes(lambda: len(there.nodes()) == 5, "paste")
    (new,) = set(there.nodes()) - NODES
    # The sources it had are there too, under the same ids.
    assert {("m1", new, "model"), ("d1", new, "dataset")} <= there.wires()
    there.press("Control+z")
    there.keeps(before)
    assert len(canvas.nodes()) == 4


def test_cut_and_paste(canvas: Canvas):
    before = canvas.doc()
    canvas.node("m1").focus()
    canvas.press("Control+x")
    canvas.becomes(lambda: set(canvas.nodes()) == {"d1", "f1", "f2"}, "cut")
    expect(canvas.studio.hook("em-canvas")).to_be_focused()
    canvas.press("Control+v")
    canvas.becomes(lambda: canvas.types().count("model") == 1, "paste")
    canvas.press("Control+z", "Control+z")
    canvas.keeps(before)


@pytest.mark.parametrize(
    ("address", "kind", "source"),
    [
        ("https://huggingface.co/openai-community/gpt2", "model", "openai-community/gpt2"),
        ("https://hf.co/datasets/stanfordnlp/imdb", "dataset", "stanfordnlp/imdb"),
        ("https://example.org/rows.jsonl", "dataset", "https://example.org/rows.jsonl"),
    ],
)
def test_paste_an_address(canvas: Canvas, address: str, kind: str, source: str):
    before = canvas.doc()
    canvas.focus_pane()
    clipboard(canvas, address)
    canvas.press("Control+v")

    def made() -> bool:
        nodes = canvas.nodes().values()
        return any(n["type"] == kind and n["data"].get("source") == source for n in nodes)

    canvas.becomes(made, f"{kind} node")
    canvas.press("Control+z")
    canvas.keeps(before)


def test_pasting_anything_else_is_answered(canvas: Canvas):
    canvas.focus_pane()
    clipboard(canvas, "buy milk")
    canvas.press("Control+v")
    expect(canvas.studio.hook("notice")).to_contain_text("nothing to paste")
    assert set(canvas.nodes()) == NODES


def test_without_a_clipboard_a_copy_is_kept_in_the_page(canvas: Canvas):
    """A notebook's frame may forbid the clipboard to the page: menus still copy and paste."""
    canvas.page.evaluate(
        """() => {
          window.taken = navigator.clipboard;
          const refuse = () => Promise.reject(new DOMException("no", "NotAllowedError"));
          const none = { readText: refuse, writeText: refuse };
          Object.defineProperty(navigator, "clipboard", { value: none, configurable: true });
        }"""
    )
    try:
        canvas.node("f2").focus()
        canvas.press("Shift+F10")
        canvas.menu("copy")
        canvas.focus_pane()
        canvas.press("Shift+F10")
        canvas.menu("paste")
        canvas.becomes(lambda: canvas.types().count("finetune") == 3, "paste")
    finally:
        canvas.page.evaluate(
            "Object.defineProperty(navigator, 'clipboard',"
            " { value: window.taken, configurable: true })"
        )


def test_duplicate(canvas: Canvas):
    before = canvas.doc()
    canvas.node("f1").focus()
    canvas.press("Control+d")
    canvas.becomes(lambda: canvas.types().count("finetune") == 3, "duplicate")
    (new,) = set(canvas.nodes()) - NODES
    assert {("m1", new, "model"), ("d1", new, "dataset")} <= canvas.wires()
    expect(canvas.node(new)).to_be_focused()
    canvas.press("Control+z")
    canvas.keeps(before)


def test_a_run_of_nudges_is_one_step(canvas: Canvas):
    before = canvas.doc()
    canvas.node("f2").focus()
    canvas.press("ArrowRight", "ArrowRight", "ArrowDown", "Shift+ArrowLeft")
    canvas.becomes(lambda: canvas.at("f2") == (400 + 2 * 16 - 5 * 16, 160 + 16), "place")
    canvas.press("Control+z")
    canvas.keeps(before)
    canvas.focus_pane()
    canvas.press("Control+a", "ArrowUp")
    canvas.becomes(lambda: canvas.at("m1") == (0, -16), "place of the model")
    assert canvas.at("f2") == (400, 144)
    expect(canvas.studio.hook("em-canvas")).to_be_focused()


def test_rename(canvas: Canvas):
    before = canvas.doc()
    canvas.node("m1").focus()
    canvas.press("F2")
    expect(canvas.studio.hook("node-rename")).to_be_focused()
    canvas.press("Control+a")
    canvas.keyboard.type("Teacher")
    canvas.press("Enter")
    canvas.becomes(lambda: canvas.nodes()["m1"]["label"] == "Teacher", "name")
    expect(canvas.node("m1")).to_be_focused()
    canvas.press("F2", "Escape")
    expect(canvas.node("m1")).to_be_focused()
    canvas.press("Control+z")
    canvas.keeps(before)


def test_search_adds_a_node_and_a_source(canvas: Canvas):
    before = canvas.doc()
    canvas.focus_pane()
    canvas.press("/")
    expect(canvas.studio.hook("search-input")).to_be_focused()
    canvas.keyboard.type("finetuning")
    canvas.press("Enter")
    canvas.becomes(lambda: canvas.types().count("finetune") == 3, "node")
    (new,) = set(canvas.nodes()) - NODES
    expect(canvas.node(new)).to_be_focused()
    canvas.press("Delete")
    canvas.becomes(lambda: set(canvas.nodes()) == NODES, "deletion")

    canvas.press("/")
    canvas.keyboard.type("some-org/some-model")
    expect(canvas.studio.hook("search-entry").first).to_contain_text("some-org/some-model")
    canvas.press("ArrowDown", "ArrowUp", "Enter")
    canvas.becomes(lambda: canvas.types().count("model") == 2, "model")
    (new,) = set(canvas.nodes()) - NODES
    assert canvas.nodes()[new]["data"]["source"] == "some-org/some-model"
    canvas.press("Control+z", "Control+z", "Control+z")
    canvas.keeps(before)


def test_search_adds_what_a_task_needs_and_runs_an_action(canvas: Canvas):
    before = canvas.doc()
    canvas.focus_pane()
    canvas.press("/")
    canvas.keyboard.type("ready classif")
    canvas.press("Enter")
    canvas.becomes(lambda: len(canvas.nodes()) == 7, "three nodes")
    fresh = [n for i, n in canvas.nodes().items() if i not in NODES and n["type"] == "finetune"]
    assert fresh[0]["data"]["task"] == "classification"
    assert len(canvas.wires()) == 4
    canvas.press("/")
    canvas.keyboard.type("undo")
    canvas.press("Enter")
    canvas.keeps(before)


def test_connect(canvas: Canvas):
    before = canvas.doc()
    canvas.node("m1").focus()
    canvas.press("c")
    canvas.keyboard.type("canvas")  # what is there, not what could be added
    entries = canvas.studio.hook("search-entry")
    expect(entries).to_have_count(2)
    canvas.press("Enter")  # free inputs come first
    canvas.becomes(lambda: ("m1", "f2", "model") in canvas.wires(), "connection")
    expect(canvas.node("m1")).to_be_focused()
    canvas.press("Control+z")
    canvas.keeps(before)

    canvas.node("f2").focus()
    canvas.press("c")
    canvas.keyboard.type("new node dataset")
    canvas.press("Enter")
    canvas.becomes(lambda: canvas.types().count("dataset") == 2, "dataset")
    (new,) = set(canvas.nodes()) - NODES
    assert (new, "f2", "dataset") in canvas.wires()
    canvas.press("Control+z")
    canvas.keeps(before)


def test_delete_an_edge(canvas: Canvas):
    before = canvas.doc()
    canvas.edge("e2").focus()
    canvas.press("Delete")
    canvas.becomes(lambda: canvas.wires() == {("m1", "f1", "model")}, "edge removed")
    canvas.holds_focus()
    canvas.press("Control+z")
    canvas.keeps(before)
    canvas.edge("e1").focus()
    canvas.press("Shift+F10")
    items = canvas.studio.hook("context-menu").get_by_role("menuitem")
    expect(items.first).to_be_focused()
    canvas.press("End", "Enter")
    canvas.becomes(lambda: canvas.wires() == {("d1", "f1", "dataset")}, "edge removed")


def test_the_menu_by_key(canvas: Canvas):
    before = canvas.doc()
    canvas.node("f1").focus()
    canvas.press("Shift+F10")
    menu = canvas.studio.hook("context-menu")
    expect(menu.get_by_role("menuitem").first).to_be_focused()
    canvas.press("Escape")
    expect(menu).to_have_count(0)
    expect(canvas.node("f1")).to_be_focused()
    canvas.press("ContextMenu", "ArrowUp", "Enter")  # the last of them
    canvas.becomes(lambda: "f1" not in canvas.nodes(), "deletion")
    canvas.holds_focus()
    canvas.press("Control+z")
    canvas.keeps(before)


def test_align_by_the_menu(canvas: Canvas):
    canvas.select("m1", "f2")
    canvas.press("Shift+F10")
    canvas.menu("align-top")
    canvas.becomes(lambda: canvas.at("f2") == (400, 0), "alignment")
    canvas.holds_focus()


def test_a_note_and_the_layout(canvas: Canvas):
    canvas.focus_pane()
    canvas.press("n")
    expect(canvas.node_of("note").locator("textarea")).to_be_focused()
    canvas.keyboard.type("n / ? l f v")  # letters for the note, not for the canvas
    canvas.becomes(lambda: "note" in canvas.types(), "note")
    (note,) = [n["id"] for n in canvas.nodes().values() if n["type"] == "note"]
    canvas.becomes(lambda: canvas.nodes()[note]["data"]["text"] == "n / ? l f v", "text")
    canvas.node("m1").focus()
    before = canvas.doc()
    canvas.press("l")
    canvas.becomes(lambda: shape(canvas.doc()) != shape(before), "layout")
    canvas.press("Control+z")
    canvas.keeps(before)


def test_the_sheet_names_every_shortcut_and_closes(canvas: Canvas):
    canvas.node("m1").focus()
    canvas.press("?")
    sheet = canvas.studio.hook("shortcuts")
    expect(sheet).to_be_focused()
    for keys in ("Ctrl+Z", "Ctrl+Shift+Z", "Ctrl+D", "F2", "Shift+F10", "/", "?"):
        expect(sheet.locator("kbd", has_text=keys).first).to_be_visible()
    canvas.press("Delete")  # nothing happens beneath it
    canvas.press("Escape")
    expect(sheet).to_have_count(0)
    expect(canvas.node("m1")).to_be_focused()
    assert set(canvas.nodes()) == NODES


def test_keys_of_another_cell_and_of_a_field_reach_no_node(canvas: Canvas, drawings: Drawings):
    before = canvas.doc()
    canvas.focus_pane()
    canvas.press("Control+a", "Control+c")
    studio = drawings.studio
    studio.select_cell(1, "edit")
    canvas.press("Control+v", "Control+z", "Delete")
    studio.do("panel.content.widgets[1].model.sharedModel.setSource(argument);", "'another cell'")
    canvas.node("m1").locator("input").first.focus()
    canvas.press("Control+a", "Delete", "Backspace", "ArrowLeft")
    canvas.focus_pane()
    expect(canvas.page.locator(".react-flow__node")).to_have_count(4)
    assert shape(canvas.doc()) == shape(before)
