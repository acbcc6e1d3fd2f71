"""Editing in Notebook 7: the same hand, another shell around the cell."""

from pathlib import Path

import pytest
from harness.canvas import Canvas, draw
from harness.editing import edit_by_hand
from harness.server import JupyterServer
from harness.seven import SevenPage
from playwright.sync_api import BrowserContext, expect


def test_editing_by_hand(
    server: JupyterServer, context: BrowserContext, home: Path, request: pytest.FixtureRequest
):
    (project,) = draw(home, 1)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    launch = f"import easymodel; easymodel.studio(home={str(home)!r}, project={project!r})"
    name = server.write("seven.ipynb", launch, "'another cell'")
    try:
        page = SevenPage(context.new_page(), server, name).open()
        request.node.pages = [page.page]
        errors: list[str] = []
        page.page.on("pageerror", lambda error: errors.append(str(error)))
        page.run_cell(0)
        page.ready()
        expect(page.page.locator(".react-flow__edge")).to_have_count(2)
        cells = page.cells()
        edit_by_hand(Canvas(page, home, project))
        assert page.cells() == cells
        assert errors == []
    finally:
        server.close(name)
