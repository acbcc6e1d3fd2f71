"""From the click on Train to the first event of the run on the screen."""

from pathlib import Path
from typing import Any

from canvas import pages
from harness.projects import QUICK, prepare
from harness.server import JupyterServer
from playwright.sync_api import Browser, expect

REPEATS = 3


def measure(browser: Browser, server: JupyterServer, folder: Path) -> Any:
    """Milliseconds to the first status other than idle, and to `running`; fresh kernels."""
    found: dict[str, list[float]] = {"first": [], "running": []}
    for number in range(REPEATS):
        home = folder / f"train-{number}"
        prepare(home, QUICK)
        page, _ = pages.studio(browser, server, home, {})
        expect(page.hook("train")).to_be_enabled(timeout=pages.PATIENCE)
        expect(page.hook("audit")).to_have_attribute("data-state", "done", timeout=pages.PATIENCE)
        times = page.page.evaluate("() => probe.trained()")
        for name, values in found.items():
            values.append(float(times[name]))
        pages.close(page)
    return found
