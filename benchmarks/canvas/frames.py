"""First paint, and frames while panning, zooming and dragging: ours, bare, bare, ours."""

import contextlib
import statistics
from pathlib import Path
from typing import Any

from canvas import graphs, pages
from harness.lab import LabPage
from harness.scripts import gesture
from harness.server import JupyterServer
from playwright.sync_api import Browser, CDPSession
from playwright.sync_api import TimeoutError as Late

GESTURES = ("pan", "zoom", "drag")
STEPS = 60
ORDER = ("ours", "bare", "bare", "ours")


def measure(browser: Browser, server: JupyterServer, folder: Path, size: int, rounds: int) -> Any:
    """One size; every number of every repetition."""
    home = folder / f"frames-{size}"
    opened = graphs.opened(graphs.prepare(home, size), size)
    small = folder / "drawn"
    script = pages.build_bare(folder)
    # Ten nodes are drawn whole, so that each kind is seen; they also warm up both servers.
    remembered = graphs.opened(graphs.prepare(small, graphs.GROUP), graphs.GROUP)
    ten, _ = pages.studio(browser, server, small, remembered)
    settled(ten)
    drawn = ten.page.evaluate("() => probe.snapshot()")
    pages.close(ten)

    paints: dict[str, list[float]] = {"ours": [], "bare": []}
    kept: dict[str, LabPage] = {}
    graph: dict[str, Any] = {}
    for kind in ("ours", "bare", "bare", "ours"):
        if kind in kept:
            pages.close(kept.pop(kind))
        if kind == "ours":
            page, first = pages.studio(browser, server, home, opened)
            graph = graph or pages.graph_of(page, size, drawn)
        else:
            page, first = pages.bare(browser, server, script, graph)
        kept[kind] = page
        paints[kind].append(first)
    settled(kept["ours"])
    node = str(kept["ours"].page.evaluate("() => probe.target('f1')"))
    sessions = {kind: _session(page) for kind, page in kept.items()}
    runs: list[dict[str, Any]] = []
    for _ in range(rounds):
        for name in GESTURES:
            for kind in ORDER:
                page = kept[kind]
                page.page.bring_to_front()
                before = _cpu(sessions[kind])
                frames = gesture(page, name, STEPS, node)
                cpu = (_cpu(sessions[kind]) - before) / len(frames)
                runs.append({"gesture": name, "kind": kind, "frames": frames, "cpu": cpu})
    for page in kept.values():
        pages.close(page)
    return {"paints": paints, "runs": runs}


def settled(page: LabPage) -> None:
    """Wait until Python has told what it knows; of many audits, only a while."""
    facts = (
        "() => { const all = [...document.querySelectorAll('[data-testid=facts]')];"
        " return all.length > 0 && all.every((e) => e.dataset.state === 'ok'); }"
    )
    audited = (
        "() => ![...document.querySelectorAll('[data-testid=audit]')]"
        ".some((e) => ['waiting', 'checking'].includes(e.dataset.state))"
    )
    page.page.wait_for_function(facts)
    with contextlib.suppress(Late):
        page.page.wait_for_function(audited, timeout=60_000)


def _session(page: LabPage) -> CDPSession:
    session = page.page.context.new_cdp_session(page.page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    return session


def _cpu(session: CDPSession) -> float:
    """CPU milliseconds of the page's main thread: what others on the machine do is not in it."""
    found = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    return 1000 * float(found["TaskDuration"])


def summary(result: dict[str, Any], name: str) -> dict[str, dict[str, float]]:
    """Medians over the repetitions of one gesture."""
    found: dict[str, dict[str, float]] = {}
    for kind in ("ours", "bare"):
        runs = [r for r in result["runs"] if r["gesture"] == name and r["kind"] == kind]
        found[kind] = {
            "rate": statistics.median(1000 * len(r["frames"]) / sum(r["frames"]) for r in runs),
            "median": statistics.median(statistics.median(r["frames"]) for r in runs),
            "p95": statistics.median(
                sorted(r["frames"])[int(0.95 * len(r["frames"]))] for r in runs
            ),
            "cpu": statistics.median(r["cpu"] for r in runs),
        }
    return found
