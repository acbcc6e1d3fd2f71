"""Editing in classic Notebook with Colab's versions of everything."""

from collections.abc import Callable
from pathlib import Path

from harness.canvas import Canvas, draw
from harness.classic import ClassicPage
from harness.editing import edit_by_hand
from playwright.sync_api import expect


def test_editing_by_hand(notebook: Callable[..., ClassicPage], home: Path):
    (project,) = draw(home, 1)
    launch = f"import easymodel; easymodel.studio(home={str(home)!r}, project={project!r})"
    page = notebook(launch, "'another cell'")
    page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    errors: list[str] = []
    page.page.on("pageerror", lambda error: errors.append(str(error)))
    page.run_cell(0)
    page.ready()
    expect(page.page.locator(".react-flow__edge")).to_have_count(2)
    # Notebook 6 styles every svg in an output; one without a width is not drawn.
    widths = "(all) => all.map((svg) => svg.getBoundingClientRect().width)"
    assert all(page.page.locator(".react-flow__edges svg").evaluate_all(widths))
    count = "() => Jupyter.notebook.get_cells().map((c) => c.cell_type + c.get_text())"
    cells = page.page.evaluate(count)
    edit_by_hand(Canvas(page, home, project))
    assert page.page.evaluate(count) == cells
    assert errors == []
