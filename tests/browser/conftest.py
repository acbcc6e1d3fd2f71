"""One JupyterLab and one Chromium for all browser tests; a home and a notebook for each."""

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.browser import keep_pictures
from harness.canvas import Canvas, Drawings, draw
from harness.lab import LabPage, launch
from harness.one import CLIPBOARD, one_studio
from harness.server import JupyterServer, lab
from harness.waiting import PATIENCE
from playwright.sync_api import Browser, BrowserContext, expect

NOTEBOOK_NUMBERS = itertools.count(1)
DRAWINGS = 40
"""More than any module has tests."""

expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    with lab(sys.executable, tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1440, "height": 1000})
    opened.set_default_timeout(PATIENCE * 1000)
    yield opened
    opened.close()


@pytest.fixture
def notebook(
    server: JupyterServer, context: BrowserContext, request: pytest.FixtureRequest
) -> Iterator[Callable[..., LabPage]]:
    """Makes a notebook of the given cells and opens it; its kernel ends with the test."""
    names: list[str] = []

    def make(*sources: str) -> LabPage:
        name = server.write(f"test-{next(NOTEBOOK_NUMBERS)}.ipynb", *sources)
        names.append(name)
        opened = LabPage(context.new_page(), server, name).open()
        request.node.pages = [*getattr(request.node, "pages", []), opened.page]
        return opened

    yield make
    for name in names:
        server.close(name)


@pytest.fixture
def open_studio(notebook: Callable[..., LabPage], home: Path) -> Callable[..., LabPage]:
    """Opens a studio in the first cell of a new notebook, with the test's own home."""

    def make(*more_cells: str) -> LabPage:
        opened = notebook(launch(home), *more_cells)
        opened.run_cell(0)
        opened.ready()
        return opened

    return make


@pytest.fixture(scope="module")
def drawings(
    server: JupyterServer, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Drawings]:
    """One studio for the edits of a module."""
    home = tmp_path_factory.mktemp("editing")
    projects = draw(home, DRAWINGS)
    with one_studio(server, browser, home, "'another cell'", permissions=CLIPBOARD) as studio:
        yield Drawings(studio, home, projects)


@pytest.fixture
def canvas(drawings: Drawings, request: pytest.FixtureRequest) -> Iterator[Canvas]:
    """A project of its own for each test; no edit of it may reach the notebook."""
    request.node.pages = [drawings.studio.page]
    cells = drawings.studio.cells()
    yield drawings.next()
    assert drawings.studio.cells() == cells


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    report = yield
    contexts = {page.context for page in getattr(item, "pages", [])}
    keep_pictures(report, item, [page for context in contexts for page in context.pages])
    return report
