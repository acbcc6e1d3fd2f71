"""How the canvas feels in the hand: ends of edges, lines while dragging, room for what is new."""

import json
import re

from harness.canvas import Canvas, Drawings
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


def test_escape_lets_go_of_an_end_or_a_new_edge_in_the_hand(canvas: Canvas):
    line = canvas.page.locator(".react-flow__connection-path")
    fresh = canvas.middle(canvas.port("f1", "model"))  # an output: a new edge
    for start in (hold(canvas, "f1", "dataset"), fresh):
        before = canvas.doc()
        canvas.mouse.move(*start)
        canvas.mouse.down()
        canvas.mouse.move(*canvas.middle(canvas.port("f2", "dataset", "target")), steps=4)
        expect(line).to_be_visible()
        canvas.keyboard.press("Escape")
        expect(line).to_have_count(0)
        expect(canvas.page.locator("[data-fits]")).to_have_count(0)
        canvas.mouse.up()
        expect(canvas.page.locator(".react-flow__edge")).to_have_count(2)
        expect(canvas.studio.hook("search-add")).to_have_count(0)
        canvas.keeps(before)


def test_what_is_typed_at_once_after_a_new_note_is_in_it(canvas: Canvas):
    canvas.focus_pane()
    # In one go, faster than any hand: no frame is drawn in between.
    canvas.page.evaluate(
        """() => {
          const press = (key) => document.activeElement.dispatchEvent(
            new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
          for (const key of ["n", "N", "o", "w"]) press(key);
        }"""
    )
    text = canvas.node_of("note").locator("textarea")
    expect(text).to_be_focused()
    expect(text).to_have_value("Now")
    canvas.keyboard.type(", why?")
    canvas.becomes(
        lambda: (
            [n["data"]["text"] for n in canvas.nodes().values() if n["type"] == "note"]
            == ["Now, why?"]
        ),
        "note",
    )


def test_of_a_long_path_the_end_is_seen_until_it_is_edited(canvas: Canvas):
    field = canvas.node("d1").locator('[data-testid="field-source"]')
    path = "/home/somebody/projects/reviews of two thousand and six/reviews.csv"
    field.fill(path)
    scrolled = "(e) => e.scrollLeft > 0"
    canvas.focus_pane()
    expect(field).to_have_attribute("data-cut", "")
    assert field.evaluate(scrolled)
    field.focus()
    expect(field).not_to_have_attribute("data-cut", "")
    expect(field).to_have_value(path)
    field.fill("reviews.csv")
    canvas.focus_pane()
    expect(field).to_have_value("reviews.csv")
    assert not field.evaluate(scrolled)


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
    expect(guide).to_have_count(2)  # both its sides: the nodes are as wide
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


def boxes(canvas: Canvas, selector: str) -> list[dict[str, float]]:
    found = canvas.page.locator(selector).locator("visible=true").all()
    return [box for box in (one.bounding_box() for one in found) if box]


def meet(a: dict[str, float], b: dict[str, float]) -> bool:
    """Whether two boxes of the page share more than a border."""
    return all(
        a[at] + a[length] > b[at] + 1 and b[at] + b[length] > a[at] + 1
        for at, length in (("x", "width"), ("y", "height"))
    )


def test_the_bar_of_a_selection_covers_no_node(canvas: Canvas):
    canvas.select("m1", "f1")
    bar = canvas.studio.hook("selection-bar")
    expect(bar).to_be_visible()
    place = bar.bounding_box()
    nodes = boxes(canvas, ".react-flow__node")
    assert not any(meet(place, node) for node in nodes)
    x, y = canvas.pane(0.5, 0.8)
    canvas.drag((x, y), (x, y - 60))  # now the nodes lie where the bar was
    canvas.picks("m1", "f1")
    expect(bar).to_be_visible()
    nodes = boxes(canvas, ".react-flow__node")
    assert any(meet(place, node) for node in nodes)
    assert not any(meet(bar.bounding_box(), node) for node in nodes)


def test_what_is_added_lies_under_nothing(canvas: Canvas):
    """Chip after chip: each where there is room, and none under the bars of the canvas."""
    known = set(canvas.nodes())
    for chip in ("dataset", "model", "dataset", "model"):
        canvas.studio.hook(f"palette-{chip}").click()
        expect(canvas.page.locator(".react-flow__node")).to_have_count(len(known) + 1)
        (new,) = canvas.selected()
        known.add(new)
        shown = canvas.node(new)
        box = shown.bounding_box()
        canvas.page.wait_for_function(
            "() => document.getAnimations().every((a) => a.playState !== 'running')"
        )
        box = shown.bounding_box()
        panels = boxes(canvas, ".em-canvas .react-flow__panel")
        others = boxes(canvas, f'.react-flow__node:not([data-id="{new}"])')
        assert not any(meet(box, other) for other in [*panels, *others])


def test_a_note_is_resized_by_mouse_and_by_key(canvas: Canvas):
    canvas.mouse.click(*canvas.pane(0.4, 0.6), button="right")
    canvas.menu("note")
    text = canvas.node_of("note").locator("textarea")
    expect(text).to_be_focused()
    canvas.keyboard.type("Why this rate?")
    (note,) = [n for n in canvas.selected() if n]

    def size() -> tuple[int, int] | None:
        data = canvas.nodes()[note]["data"]
        return (data["width"], data["height"]) if "width" in data else None

    canvas.becomes(
        lambda: canvas.nodes().get(note, {}).get("data", {}).get("text") == "Why this rate?", "text"
    )
    before = canvas.doc()
    grip = canvas.studio.hook("note-grip")
    x, y = canvas.middle(grip)
    canvas.drag((x, y), (x + 80, y + 50))
    canvas.becomes(lambda: size() == (280, 106), "size")
    box = canvas.node(note).bounding_box()
    assert box is not None
    assert abs(box["width"] - 280) <= 1
    assert canvas.nodes()[note]["position"] == before["nodes"][-1]["position"]
    canvas.undo(before)

    grip.focus()
    canvas.press("ArrowRight", "ArrowRight", "Shift+ArrowDown")
    canvas.becomes(lambda: size() == (232, 136), "size")
    expect(grip).to_be_focused()
    expect(grip).to_have_accessible_name(re.compile("232 by 136"))
    canvas.press("Control+z")
    canvas.keeps(before)
    # What is written is never cut, however small the note is made.
    canvas.press("Shift+ArrowLeft")
    text.fill("line\n" * 12)
    inside = "(e) => [e.scrollHeight - e.clientHeight, e.scrollWidth - e.clientWidth]"
    assert text.evaluate(inside) == [0, 0]


def test_another_source_lets_go_of_what_was_chosen_of_the_former(canvas: Canvas):
    chosen = {"source": "a/first", "config": "fr", "eval_split": "test", "eval_fraction": 0.2}
    node = {"id": "d9", "type": "dataset", "position": {"x": 0, "y": 400}, "data": chosen}
    piece = {"format": "easymodel.workflow", "version": 1, "name": "", "nodes": [node], "edges": []}
    canvas.focus_pane()
    canvas.page.evaluate("(text) => navigator.clipboard.writeText(text)", json.dumps(piece))
    canvas.press("Control+v")
    canvas.becomes(lambda: canvas.types().count("dataset") == 2, "dataset")
    (new,) = canvas.selected()
    data = lambda: {k: v for k, v in canvas.nodes()[new]["data"].items() if v is not None}  # noqa: E731
    canvas.becomes(lambda: data() == chosen, "what was chosen")
    before = canvas.doc()
    source = canvas.node(new).get_by_test_id("field-source")
    source.focus()
    canvas.press("Control+a")
    canvas.keyboard.type("a/second")
    canvas.press("Escape")
    canvas.becomes(lambda: data() == {"source": "a/second", "eval_fraction": 0.2}, "new source")
    canvas.node(new).focus()
    canvas.press("Control+z")
    canvas.keeps(before)


def test_a_view_that_still_glides_is_not_the_next_project_s(canvas: Canvas, drawings: Drawings):
    """Everything is being fitted when another project is opened."""
    x, y = canvas.head("f2")
    canvas.drag((x, y), (x + 300, y + 420))
    canvas.becomes(lambda: canvas.at("f2")[0] > 500, "move")
    canvas.studio.hook("showAll").click()
    there = drawings.next()
    before = there.doc()["viewport"]
    zoom = there.studio.page.locator(".em-zoom-value")
    expect(zoom).to_have_text("100 %")
    box = there.studio.hook("em-canvas").bounding_box()
    node = there.node("m1").bounding_box()
    assert box is not None
    assert node is not None
    assert (round(node["x"] - box["x"]), round(node["y"] - box["y"])) == (40, 60)
    assert there.doc()["viewport"] == before
