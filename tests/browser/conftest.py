"""One JupyterLab and one Chromium for all browser tests; a home and a notebook for each."""

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.browser import keep_pictures
from harness.lab import LabPage, launch
from harness.server import JupyterServer, lab
from harness.waiting import PATIENCE
from playwright.sync_api import Browser, BrowserContext, expect

NOTEBOOK_NUMBERS = itertools.count(1)

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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    report = yield
    contexts = {page.context for page in getattr(item, "pages", [])}
    keep_pictures(report, item, [page for context in contexts for page in context.pages])
    return report
