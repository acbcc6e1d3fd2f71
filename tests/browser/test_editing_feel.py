"""How the canvas feels in the hand: ends of edges, lines while dragging, room for what is new."""

from harness.canvas import Canvas
from playwright.sync_api import expect


def hold(canvas: Canvas, node: str, port: str) -> tuple[float, float]:
    """Where an edge's end can be held at an input: on the port, and beside it on the edge."""
    return canvas.middle(canvas.port(node, port, "target"))


def test_an_end_is_dragged_to_another_port(canvas: Canvas):
    before = canvas.doc()
    start = hold(canvas, "f1", "model")
    there = canvas.middle(canvas.port("f2", "model", "target"))
    canvas.drag(start, there)
    canvas.becomes(
        lambda: canvas.wires() == {("m1", "f2", "model"), ("d1", "f1", "dataset")}, "moved end"
    )
    canvas.undo(before)
    beside = start[0] - 18, start[1]  # on the line, before the port
    canvas.drag(beside, there)
    canvas.becomes(lambda: ("m1", "f2", "model") in canvas.wires(), "moved end")
    assert ("m1", "f1", "model") not in canvas.wires()
    canvas.undo(before)


def test_an_end_let_go_on_the_pane_is_removed_and_on_its_port_stays(canvas: Canvas):
    before = canvas.doc()
    start = hold(canvas, "f1", "dataset")
    canvas.mouse.move(*start)
    canvas.mouse.down()
    canvas.mouse.move(start[0] - 90, start[1] + 60, steps=4)
    expect(canvas.page.locator(".react-flow__connection-path")).to_be_visible()
    expect(canvas.port("f2", "dataset", "target")).to_have_attribute("data-fits", "true")
    canvas.mouse.move(*start, steps=4)
    canvas.mouse.up()
    expect(canvas.page.locator(".react-flow__connection-path")).to_have_count(0)
    expect(canvas.page.locator(".react-flow__edge")).to_have_count(2)
    canvas.drag(start, canvas.pane(0.4, 0.8))
    canvas.becomes(lambda: canvas.wires() == {("m1", "f1", "model")}, "edge removed")
    expect(canvas.studio.hook("search-add")).to_have_count(0)
    canvas.undo(before)


def test_an_end_finds_a_fitting_port_of_the_node_it_is_let_go_on(canvas: Canvas):
    before = canvas.doc()
    canvas.drag(hold(canvas, "f1", "dataset"), canvas.head("f2"))
    canvas.becomes(lambda: ("d1", "f2", "dataset") in canvas.wires(), "moved end")
    canvas.undo(before)
    # A node that has no such input can be where it comes from.
    canvas.drag(hold(canvas, "f1", "model"), canvas.head("f2"))
    canvas.becomes(lambda: ("m1", "f2", "model") in canvas.wires(), "moved end")
    canvas.drag(hold(canvas, "f2", "model"), canvas.head("d1"))
    expect(canvas.studio.hook("refusal")).to_contain_text("no port that fits")
    assert ("m1", "f2", "model") in canvas.wires()
    canvas.undo(before)


def test_a_ring_is_refused_where_the_end_is_let_go(canvas: Canvas):
    canvas.drag(
        canvas.middle(canvas.port("f1", "model")),
        canvas.middle(canvas.port("f2", "model", "target")),
    )
    canvas.becomes(lambda: ("f1", "f2", "model") in canvas.wires(), "chain")
    before = canvas.wires()
    start = canvas.middle(canvas.port("m1", "model"))
    canvas.drag(
        (start[0] + 20, start[1]),  # the other end of the first edge
        canvas.middle(canvas.port("f2", "model")),
    )
    expect(canvas.studio.hook("refusal")).to_contain_text("its own result")
    assert canvas.wires() == before


def test_an_edge_is_led_elsewhere_by_key(canvas: Canvas):
    before = canvas.doc()
    canvas.edge("e1").focus()
    canvas.press("c")
    entries = canvas.studio.hook("search-entry")
    expect(entries).to_have_count(2)  # to the other Finetuning node, or from its result
    expect(entries.first).to_contain_text("in place of")
    canvas.press("Enter")
    canvas.becomes(
        lambda: canvas.wires() == {("m1", "f2", "model"), ("d1", "f1", "dataset")}, "moved end"
    )
    expect(canvas.node("f2")).to_be_focused()
    canvas.press("Control+z")
    canvas.keeps(before)
    canvas.mouse.click(*canvas.middle(canvas.edge("e1")), button="right")
    canvas.menu("connect")
    expect(entries).to_have_count(2)
    canvas.press("ArrowDown", "Enter")
    canvas.becomes(lambda: ("f2", "f1", "model") in canvas.wires(), "other source")
    canvas.press("Control+z")
    canvas.keeps(before)


def test_lines_show_and_hold_what_lies_in_one_row(canvas: Canvas):
    before = canvas.doc()
    x, y = canvas.head("d1")
    guide = canvas.studio.hook("guide", data_axis="x")

    def come_near() -> tuple[int, int]:
        """From the right, until the left side snaps to that of the model."""
        canvas.mouse.move(x, y)
        canvas.mouse.down()
        canvas.mouse.move(x + 60, y + 90, steps=4)
        expect(guide).to_have_count(0)
        for step in range(59, -1, -1):
            canvas.mouse.move(x + step, y + 90)
            if guide.count():
                return x + step, y + 90
        raise AssertionError("no line was shown")

    come_near()
    expect(guide).to_have_count(3)  # both its sides and its middle: the nodes are as wide
    canvas.mouse.up()
    expect(guide).to_have_count(0)
    canvas.becomes(lambda: canvas.at("d1")[1] != 160, "place of the dataset")
    assert canvas.at("d1")[0] == 0
    canvas.undo(before)

    x, y = canvas.head("d1")
    left, top = come_near()
    canvas.keyboard.down("Alt")
    canvas.mouse.move(left, top + 1)
    expect(guide).to_have_count(0)
    canvas.mouse.up()
    canvas.keyboard.up("Alt")
    canvas.becomes(lambda: canvas.at("d1")[1] != 160, "place of the dataset")
    assert 0 < canvas.at("d1")[0] <= 6
    canvas.undo(before)
