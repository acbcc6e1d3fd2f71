"""What does not depend on the machine: renders of a drag, bytes of a commit; and undo's time."""

import statistics
from pathlib import Path
from typing import Any

from canvas import frames, graphs, pages
from harness.scripts import renders
from harness.server import JupyterServer
from harness.waiting import until
from playwright.sync_api import Browser, WebSocket

STEPS = 50
UNDOS = 7


def measure(browser: Browser, server: JupyterServer, folder: Path, size: int) -> Any:
    """One size: renders by where they happen, bytes of each commit, milliseconds of each undo."""
    home = folder / f"counts-{size}"
    opened = graphs.opened(graphs.prepare(home, size), size)
    commits: list[int] = []

    def sent(data: str | bytes) -> None:
        raw = data if isinstance(data, bytes) else data.encode()
        if b'"commit"' in raw:
            commits.append(len(raw))

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", sent)

    page, _ = pages.studio(browser, server, home, opened, listen)
    frames.settled(page)
    node = str(page.page.evaluate("() => probe.target('f1')"))
    counted = renders(page, "drop", STEPS, node)
    page.page.locator(f'.react-flow__node[data-id="{node}"]').focus()
    undos = []
    for _ in range(UNDOS):
        moved = page.page.evaluate_handle("(id) => ({ ms: probe.moved(id) })", node)
        before = len(commits)
        page.page.keyboard.press("ArrowRight")
        moved.evaluate("async (m) => await m.ms")

        def committed(before: int = before) -> bool:
            page.page.wait_for_timeout(50)  # lets Playwright hear what was sent
            return len(commits) > before

        until(committed, "commit of a moved node")
        moved = page.page.evaluate_handle("(id) => ({ ms: probe.moved(id) })", node)
        page.page.keyboard.press("Control+z")
        undos.append(float(moved.evaluate("async (m) => await m.ms")))
    pages.close(page)
    inside = counted["nodes"]
    return {
        "moves": STEPS,
        "dragged": inside.pop(node, 0),
        "others": sum(inside.values()),
        "outside": sum(counted["outside"].values()),
        "commit": statistics.median(commits),
        "undos": undos,
    }
