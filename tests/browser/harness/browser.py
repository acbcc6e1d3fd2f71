"""The one Chromium of a test session, and what it showed and said when a test failed."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from harness.server import chromium

RESULTS = Path(__file__).parents[3] / "test-results"


@contextlib.contextmanager
def chromium_browser() -> Iterator[Browser]:
    """A running Chromium."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield launched
        launched.close()


def keep_pictures(report: Any, item: pytest.Item, pages: list[Page]) -> None:
    """Write a picture of each page, and its console, to test-results/ when a test failed."""
    if report.when != "call" or not report.failed:
        return
    RESULTS.mkdir(exist_ok=True)
    for number, page in enumerate(pages):
        path = RESULTS / f"{item.name}-{number}.png"
        with contextlib.suppress(Exception):  # a closed page has no picture
            page.screenshot(path=path, timeout=10_000)
            report.sections.append(("screenshot", str(path)))
        with contextlib.suppress(Exception):
            said = [f"{said.type}: {said.text}" for said in page.console_messages()]
            said += [f"uncaught: {error}" for error in page.page_errors()]
            report.sections.append((f"console of page {number}", "\n".join(said)))
