"""From running the cell to a canvas that can be used, in a real JupyterLab."""

import statistics
from pathlib import Path

from harness.lab import LabPage, launch
from harness.server import JupyterServer
from playwright.sync_api import Browser
from report import Section, middle

REPEATS = 5
# The clock runs in the page, from the command to the attribute; no polling in between.
TIMED = """
    const cell = panel.content.widgets[argument].node;
    const ready = () => cell.querySelector("[data-testid=em-studio][data-state=ready]");
    const seen = new Promise((resolve) => new MutationObserver((_, observer) => {
      if (ready()) { observer.disconnect(); resolve(performance.now()); }
    }).observe(cell, { subtree: true, childList: true, attributes: true }));
    panel.content.activeCellIndex = argument;
    const start = performance.now();
    app.commands.execute("notebook:run-cell");
    return (await seen - start) / 1000;
"""


def measure(server: JupyterServer, browser: Browser, folder: Path) -> Section:
    """In a fresh kernel each time, and once more in the same kernel."""
    first: list[float] = []
    again: list[float] = []
    for number in range(REPEATS):
        home = folder / f"canvas-{number}"
        context = browser.new_context(viewport={"width": 1440, "height": 1000})
        name = server.write(f"canvas-{number}.ipynb", launch(home), launch(home))
        page = LabPage(context.new_page(), server, name).open()
        first.append(float(page.do(TIMED, 0)))
        again.append(float(page.do(TIMED, 1)))
        context.close()
        server.close(name)
    return Section(
        "From the cell to an interactive canvas",
        f"The canvas can be used {statistics.median(first):.1f} s after the cell was run in a "
        f"fresh kernel, imports included, and {statistics.median(again):.1f} s when the studio "
        "moves to another cell.",
        ["kernel", f"median of {REPEATS} (range)"],
        [["fresh", middle(first)], ["the same again", middle(again)]],
    )
