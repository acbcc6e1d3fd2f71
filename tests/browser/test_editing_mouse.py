"""Each editing action by mouse; what it did is read from what the kernel saved."""

import pytest
from harness.canvas import Canvas
from playwright.sync_api import expect


def test_drag_a_chip_onto_the_pane(canvas: Canvas):
    before = canvas.doc()
    canvas.studio.hook("palette-dataset").drag_to(
        canvas.studio.hook("em-canvas"), target_position={"x": 300, "y": 420}
    )
    canvas.becomes(lambda: canvas.types().count("dataset") == 2, "dataset")
    canvas.undo(before)


def test_dragging_several_nodes_is_one_step(canvas: Canvas):
    before = canvas.doc()
    canvas.select("m1", "d1")
    x, y = canvas.head("m1")
    canvas.drag((x, y), (x + 60, y + 40))
    canvas.becomes(lambda: canvas.at("m1") != (0, 0), "place of the model")
    right, down = canvas.at("m1")
    assert 40 < right <= 60
    assert 25 < down <= 40
    assert canvas.at("d1") == (right, 160 + down)
    assert canvas.at("f1") == (400, 0)
    canvas.undo(before)
    canvas.picks("m1", "d1")  # what was selected still is


def test_box_selection_with_shift_and_with_the_tool(canvas: Canvas):
    (x, y), (right, bottom) = canvas.head("m1"), canvas.head("d1")
    corners = (x - 175, y - 45), (right + 100, bottom + 70)
    canvas.keyboard.down("Shift")
    canvas.drag(*corners)
    canvas.keyboard.up("Shift")
    canvas.picks("m1", "d1")
    canvas.mouse.click(*canvas.pane())
    canvas.picks()
    canvas.studio.hook("tool").click()
    canvas.drag(*corners)
    canvas.picks("m1", "d1")
    canvas.holds_focus()
    canvas.studio.hook("tool").click()


def test_shift_and_click_adds_and_takes_away(canvas: Canvas):
    canvas.select("m1", "f2", "d1")
    for key in ("Shift", "Control"):
        canvas.keyboard.down(key)
        canvas.mouse.click(*canvas.head("f2"))
        canvas.keyboard.up(key)
        canvas.picks("m1", "d1", *([] if key == "Shift" else ["f2"]))
    canvas.holds_focus()


def test_connect_replace_and_refuse(canvas: Canvas):
    before = canvas.doc()
    canvas.drag(
        canvas.middle(canvas.port("m1", "model")),
        canvas.middle(canvas.port("f2", "model", "target")),
    )
    canvas.becomes(lambda: ("m1", "f2", "model") in canvas.wires(), "connection")
    # A second one into the same input takes the place of the first.
    canvas.drag(
        canvas.middle(canvas.port("f1", "model")),
        canvas.middle(canvas.port("f2", "model", "target")),
    )
    canvas.becomes(lambda: ("f1", "f2", "model") in canvas.wires(), "new connection")
    assert ("m1", "f2", "model") not in canvas.wires()
    chained = canvas.doc()
    # The chain cannot be closed to a ring, and the view says why.
    canvas.drag(
        canvas.middle(canvas.port("f2", "model")),
        canvas.middle(canvas.port("f1", "model", "target")),
    )
    expect(canvas.studio.hook("refusal")).to_contain_text("its own result")
    canvas.studio.hook("undo").click()
    canvas.undo(before)
    canvas.studio.hook("redo").click()
    canvas.studio.hook("redo").click()
    canvas.keeps(chained)


def test_what_fits_shows_itself_while_a_connection_is_drawn(canvas: Canvas):
    canvas.mouse.move(*canvas.middle(canvas.port("d1", "dataset")))
    canvas.mouse.down()
    canvas.mouse.move(*canvas.pane(), steps=4)
    for node in ("f1", "f2"):
        fits = canvas.port(node, "dataset", "target")
        expect(fits).to_have_attribute("data-fits", "true")
        expect(fits).to_have_css("width", "15px")
        faded = canvas.port(node, "model", "target")
        expect(faded).to_have_attribute("data-fits", "false")
        expect(faded).to_have_css("opacity", "0.35")
    canvas.mouse.move(*canvas.middle(canvas.port("f2", "dataset", "target")), steps=4)
    canvas.mouse.up()
    canvas.becomes(lambda: ("d1", "f2", "dataset") in canvas.wires(), "connection")
    expect(canvas.page.locator("[data-fits]")).to_have_count(0)


def test_a_connection_let_go_on_a_node_finds_its_port(canvas: Canvas):
    canvas.drag(canvas.middle(canvas.port("d1", "dataset")), canvas.head("f2"))
    canvas.becomes(lambda: ("d1", "f2", "dataset") in canvas.wires(), "connection")


def test_a_connection_let_go_on_the_pane_adds_a_node_that_fits(canvas: Canvas):
    before = canvas.doc()
    canvas.drag(canvas.middle(canvas.port("d1", "dataset")), canvas.pane(0.45, 0.75))
    entries = canvas.studio.hook("search-entry")
    expect(entries).to_have_count(1)  # a dataset goes into a Finetuning node and nowhere else
    entries.click()
    canvas.becomes(lambda: canvas.types().count("finetune") == 3, "node")
    (new,) = set(canvas.nodes()) - {"m1", "d1", "f1", "f2"}
    assert ("d1", new, "dataset") in canvas.wires()
    canvas.undo(before)


def test_connect_by_two_clicks(canvas: Canvas):
    canvas.port("m1", "model").click()
    expect(canvas.port("f2", "model", "target")).to_have_attribute("data-fits", "true")
    canvas.port("f2", "model", "target").click()
    canvas.becomes(lambda: ("m1", "f2", "model") in canvas.wires(), "connection")


def test_an_edge_is_deleted_by_its_own_button(canvas: Canvas):
    before = canvas.doc()
    canvas.mouse.move(*canvas.middle(canvas.edge("e2")))
    canvas.studio.hook("edge-remove").click()
    canvas.becomes(lambda: canvas.wires() == {("m1", "f1", "model")}, "edge removed")
    canvas.undo(before)


def test_the_menu_of_an_edge(canvas: Canvas):
    canvas.mouse.click(*canvas.middle(canvas.edge("e2")), button="right")
    canvas.menu("remove")
    canvas.becomes(lambda: canvas.wires() == {("m1", "f1", "model")}, "edge removed")
    canvas.holds_focus()


def test_the_menu_of_a_node_copies_cuts_pastes_duplicates_and_deletes(canvas: Canvas):
    before = canvas.doc()
    canvas.mouse.click(*canvas.head("f1"), button="right")
    canvas.menu("duplicate")
    canvas.becomes(lambda: len(canvas.nodes()) == 5, "duplicate")
    (new,) = set(canvas.nodes()) - set(ids(before))
    assert {("m1", new, "model"), ("d1", new, "dataset")} <= canvas.wires()
    canvas.undo(before)

    canvas.mouse.click(*canvas.head("m1"), button="right")
    canvas.menu("cut")
    canvas.becomes(lambda: "m1" not in canvas.nodes(), "cut")
    canvas.mouse.click(*canvas.pane(0.4, 0.8), button="right")
    canvas.menu("paste")
    canvas.becomes(lambda: canvas.types().count("model") == 1, "paste")
    canvas.studio.hook("undo").click()
    canvas.undo(before)

    canvas.mouse.click(*canvas.head("d1"), button="right")
    canvas.menu("remove")
    canvas.becomes(lambda: "d1" not in canvas.nodes(), "deletion")
    canvas.undo(before)


def test_the_bar_of_a_selection(canvas: Canvas):
    before = canvas.doc()
    canvas.select("m1", "f2", "d1")
    canvas.studio.hook("align-left").click()
    canvas.becomes(lambda: canvas.at("f2") == (0, 160), "alignment")
    canvas.undo(before)
    canvas.picks("m1", "f2", "d1")
    canvas.studio.hook("align-down").click()
    canvas.undo(before)
    canvas.studio.hook("selection-duplicate").click()
    canvas.becomes(lambda: len(canvas.nodes()) == 7, "duplicates")
    canvas.undo(before)
    canvas.select("m1", "d1")
    canvas.studio.hook("selection-delete").click()
    canvas.becomes(lambda: len(canvas.nodes()) == 2, "deletion")
    canvas.undo(before)


def test_rename_by_double_click(canvas: Canvas):
    canvas.node("m1").locator("b").dblclick()
    field = canvas.studio.hook("node-rename")
    expect(field).to_be_focused()
    field.fill("The teacher")
    field.press("Enter")
    canvas.becomes(lambda: canvas.nodes()["m1"]["label"] == "The teacher", "name")
    expect(canvas.node("m1")).to_be_focused()


def test_a_note(canvas: Canvas):
    before = canvas.doc()
    canvas.mouse.click(*canvas.pane(0.4, 0.75), button="right")
    canvas.menu("note")
    text = canvas.node_of("note").locator("textarea")
    expect(text).to_be_focused()
    canvas.keyboard.type("Why this rate?\nSee the paper.")

    def written() -> bool:
        notes = [n for n in canvas.nodes().values() if n["type"] == "note"]
        return bool(notes) and notes[0]["data"]["text"] == "Why this rate?\nSee the paper."

    canvas.becomes(written, "note")
    canvas.studio.hook("undo").click()
    canvas.undo(before)


def test_double_click_on_the_pane_searches_and_adds_there(canvas: Canvas):
    before = canvas.doc()
    x, y = canvas.pane(0.4, 0.4)
    canvas.mouse.dblclick(x, y)
    expect(canvas.studio.hook("search-input")).to_be_focused()
    canvas.keyboard.type("requests")
    entry = canvas.studio.hook("search-entry").first
    expect(entry).to_contain_text("equests")
    entry.click()
    canvas.becomes(lambda: canvas.types().count("dataset") == 2, "dataset")
    (new,) = set(canvas.nodes()) - set(ids(before))
    assert canvas.nodes()[new]["data"]["source"] == "builtin:requests"
    box = canvas.node(new).bounding_box()
    assert box is not None
    assert abs(box["x"] - x) <= 1
    assert abs(box["y"] - y) <= 1
    canvas.undo(before)


def test_arrange_is_one_step(canvas: Canvas):
    x, y = canvas.head("f1")
    canvas.drag((x, y), (x - 300, y + 200))
    canvas.becomes(lambda: canvas.at("f1") != (400, 0), "move")
    before = canvas.doc()
    canvas.studio.hook("arrange").click()
    canvas.becomes(lambda: canvas.at("f1")[0] > canvas.at("m1")[0] + 232, "layout")
    canvas.undo(before)


def test_nodes_snap_to_the_grid(canvas: Canvas):
    canvas.studio.hook("snap").click()
    expect(canvas.studio.hook("snap")).to_have_attribute("aria-pressed", "true")
    x, y = canvas.head("f2")
    canvas.drag((x, y), (x + 53, y + 21))
    canvas.becomes(lambda: canvas.at("f2") == (448, 176), "place on the grid")
    canvas.studio.hook("snap").click()


@pytest.mark.parametrize(
    ("address", "kind", "source"),
    [
        ("https://huggingface.co/distilbert/distilgpt2", "model", "distilbert/distilgpt2"),
        ("https://huggingface.co/datasets/rajpurkar/squad", "dataset", "rajpurkar/squad"),
        ("https://example.org/rows.csv", "dataset", "https://example.org/rows.csv"),
    ],
)
def test_an_address_dropped_on_the_pane(canvas: Canvas, address: str, kind: str, source: str):
    canvas.page.evaluate(
        """([address, x, y]) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.setData("text/uri-list", address);
          const pane = document.elementFromPoint(x, y);
          for (const type of ["dragover", "drop"])
            pane.dispatchEvent(new DragEvent(type,
              { dataTransfer, clientX: x, clientY: y, bubbles: true, cancelable: true }));
        }""",
        [address, *canvas.pane()],
    )

    def made() -> bool:
        nodes = canvas.nodes().values()
        return any(n["type"] == kind and n["data"].get("source") == source for n in nodes)

    canvas.becomes(made, f"{kind} node")


def test_clear_the_canvas_and_back(canvas: Canvas):
    before = canvas.doc()
    canvas.mouse.click(*canvas.pane(), button="right")
    canvas.menu("clear")
    canvas.becomes(lambda: canvas.nodes() == {}, "empty canvas")
    canvas.undo(before)


def ids(document: dict[str, list[dict[str, str]]]) -> list[str]:
    return [node["id"] for node in document["nodes"]]
