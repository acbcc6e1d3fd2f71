"""The page's heap after many edits and after many switches of the project."""

from pathlib import Path
from typing import Any

from canvas import graphs, pages
from harness.lab import LabPage
from harness.server import JupyterServer
from playwright.sync_api import Browser, expect

EDITS = (500, 1000)
SWITCHES = (20, 100, 200)
PROJECTS = 200
VISITED = 10


def edits(browser: Browser, server: JupyterServer, folder: Path) -> Any:
    """Two fields are typed into in turn, so that each edit is a step of undo of its own."""
    home = folder / "edits"
    opened = graphs.opened(graphs.prepare(home, graphs.GROUP), graphs.GROUP)
    page, _ = pages.studio(browser, server, home, opened)
    found = {"0": _heap(page)}
    done = 0
    for count in EDITS:
        page.page.evaluate("(count) => probe.edit(count)", count - done)
        done = count
        expect(page.page.locator("[data-saved]")).to_have_attribute("data-saved", "true")
        found[str(count)] = _heap(page)
    pages.close(page)
    return found


def switches(browser: Browser, server: JupyterServer, folder: Path) -> Any:
    """Ten of many projects in turn; also the milliseconds from the click to the other graph."""
    home = folder / "switches"
    projects = graphs.prepare_projects(home, PROJECTS)
    page, _ = pages.studio(browser, server, home, {})
    order = [[project, node] for project, node in projects.items()][:VISITED][::-1]
    found: dict[str, Any] = {"0": _heap(page)}
    times: list[float] = []
    for count in SWITCHES:
        for number in range(len(times), count):
            one = order[number % len(order)]
            times.append(float(page.page.evaluate("(one) => probe.switched(...one)", one)))
        found[str(count)] = _heap(page)
    pages.close(page)
    return found | {"times": times}


def _heap(page: LabPage) -> dict[str, float]:
    """What is in use once everything that can be collected is: a leak keeps what was drawn."""
    session = page.page.context.new_cdp_session(page.page)
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    used = float(session.send("Runtime.getHeapUsage")["usedSize"])
    counted = session.send("Memory.getDOMCounters")
    session.detach()
    return {"mb": used / 1e6, "nodes": counted["nodes"], "listeners": counted["jsEventListeners"]}
