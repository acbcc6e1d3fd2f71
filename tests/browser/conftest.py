"""One JupyterLab and one Chromium for all browser tests; a home and a notebook for each."""

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.lab import LabPage, launch
from harness.server import JupyterServer, chromium, lab
from harness.waiting import PATIENCE
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

RESULTS = Path(__file__).parents[2] / "test-results"
NOTEBOOK_NUMBERS = itertools.count(1)

expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    with lab(sys.executable, tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield launched
        launched.close()


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
def studio(notebook: Callable[..., LabPage], home: Path) -> LabPage:
    """A ready studio in the first cell of a notebook, with a home of its own."""
    opened = notebook(launch(home), "'another cell'")
    opened.run_cell(0)
    opened.ready()
    return opened


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Keep a picture of what the browser showed when a test failed."""
    report: Any = yield
    if report.when == "call" and report.failed:
        RESULTS.mkdir(exist_ok=True)
        for number, page in enumerate(getattr(item, "pages", [])):
            path = RESULTS / f"{item.name}-{number}.png"
            page.screenshot(path=path, timeout=10_000)
            report.sections.append(("screenshot", str(path)))
    return report
