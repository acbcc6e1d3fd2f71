"""The editing actions in one go, for front ends other than JupyterLab."""

import json

from playwright.sync_api import expect

from harness.canvas import Canvas

NODES = {"m1", "d1", "f1", "f2"}


def edit_by_hand(canvas: Canvas) -> None:
    """Mouse, keys and clipboard on the drawn project; each is undone, the kernel has it all."""
    before = canvas.doc()
    _connect(canvas)
    canvas.undo(before)
    _move(canvas)
    canvas.undo(before)
    _clipboard(canvas)
    canvas.keeps(before)
    _menu_and_search(canvas)
    canvas.keeps(before)
    _ends_and_corners(canvas)
    canvas.keeps(before)
    canvas.node("f1").focus()
    canvas.press("?")
    expect(canvas.studio.hook("shortcuts")).to_be_visible()
    canvas.press("Escape")
    expect(canvas.node("f1")).to_be_focused()


def _connect(canvas: Canvas) -> None:
    canvas.drag(
        canvas.middle(canvas.port("d1", "dataset")),
        canvas.middle(canvas.port("f2", "dataset", "target")),
    )
    canvas.becomes(lambda: ("d1", "f2", "dataset") in canvas.wires(), "connection")


def _move(canvas: Canvas) -> None:
    canvas.mouse.click(*canvas.head("m1"))
    canvas.keyboard.down("Shift")
    (x, y), (right, bottom) = canvas.head("m1"), canvas.head("d1")
    left, _ = canvas.pane(0.005, 0)
    assert left < x - 150, "the box has to begin beside the nodes"
    canvas.drag((left, y - 45), (right + 60, bottom + 40))
    canvas.keyboard.up("Shift")
    canvas.picks("m1", "d1")
    canvas.press("ArrowDown", "Shift+ArrowRight")
    canvas.becomes(lambda: canvas.at("m1") == (80, 16), "place of the model")
    assert canvas.at("d1") == (80, 176)


def _clipboard(canvas: Canvas) -> None:
    canvas.focus_pane()
    canvas.press("Control+a", "Control+c")
    copied = json.loads(canvas.page.evaluate("navigator.clipboard.readText()"))
    assert {node["id"] for node in copied["nodes"]} == NODES
    canvas.press("Control+v")
    canvas.becomes(lambda: len(canvas.nodes()) == 8, "copies")
    canvas.press("Control+x")
    canvas.becomes(lambda: len(canvas.nodes()) == 4, "cut")
    canvas.press("Control+z")
    canvas.becomes(lambda: len(canvas.nodes()) == 8, "undo")
    canvas.press("Delete")
    canvas.becomes(lambda: set(canvas.nodes()) == NODES, "deletion")
    canvas.press("Control+z", "Control+z")
    canvas.holds_focus()


def _menu_and_search(canvas: Canvas) -> None:
    canvas.mouse.click(*canvas.head("m1"), button="right")
    canvas.menu("rename")
    expect(canvas.studio.hook("node-rename")).to_be_focused()
    canvas.press("Control+a")
    canvas.keyboard.type("b m dd")  # what the notebook would take for commands
    canvas.press("Enter")
    canvas.becomes(lambda: canvas.nodes()["m1"]["label"] == "b m dd", "name")
    canvas.press("/")
    canvas.keyboard.type("note")
    canvas.press("Enter")
    canvas.becomes(lambda: "note" in canvas.types(), "note")
    canvas.press("Escape", "Control+z", "Control+z")


def _ends_and_corners(canvas: Canvas) -> None:
    """The end of an edge to another input and off, a note made larger; then all of it undone."""
    held = canvas.middle(canvas.port("f1", "dataset", "target"))
    canvas.drag(held, canvas.middle(canvas.port("f2", "dataset", "target")))
    canvas.becomes(lambda: ("d1", "f2", "dataset") in canvas.wires(), "moved end")
    canvas.drag(canvas.middle(canvas.port("f2", "dataset", "target")), canvas.pane(0.6, 0.9))
    canvas.becomes(lambda: canvas.wires() == {("m1", "f1", "model")}, "edge removed")
    canvas.mouse.click(*canvas.pane(0.6, 0.7), button="right")
    canvas.menu("note")
    expect(canvas.node_of("note").locator("textarea")).to_be_focused()
    x, y = canvas.middle(canvas.studio.hook("note-grip"))
    canvas.drag((x, y), (x + 60, y + 20))
    canvas.becomes(
        lambda: any(n["data"].get("width", 0) > 240 for n in canvas.nodes().values()), "size"
    )
    canvas.focus_pane()
    canvas.press(*["Control+z"] * 4)
