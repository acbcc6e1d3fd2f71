"""The wheel over the canvas scrolls the notebook; with Ctrl it zooms the canvas."""

from collections.abc import Callable
from pathlib import Path

from harness.lab import LabPage
from harness.projects import QUICK, prepare
from harness.waiting import until

SCALE = (
    "() => new DOMMatrix("
    "getComputedStyle(document.querySelector('.react-flow__viewport')).transform).a"
)


def test_the_wheel_scrolls_the_page_and_zooms_with_control(
    open_studio: Callable[..., LabPage], home: Path
):
    prepare(home, QUICK)
    page = open_studio(*["'more cells, so that there is somewhere to scroll'"] * 40)
    page.hook("em-canvas").scroll_into_view_if_needed()
    box = page.hook("em-canvas").bounding_box()
    assert box is not None
    page.page.mouse.move(box["x"] + box["width"] - 60, box["y"] + 80)
    zoom = page.page.evaluate(SCALE)
    page.page.mouse.wheel(0, 180)
    until(lambda: page.scroll_top() > 0, "scrolling of the notebook")
    assert page.page.evaluate(SCALE) == zoom
    page.page.keyboard.down("Control")
    page.page.mouse.wheel(0, -120)
    page.page.keyboard.up("Control")
    page.page.wait_for_function(f"(before) => ({SCALE})() > before", arg=zoom)
