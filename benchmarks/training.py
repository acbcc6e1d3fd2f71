"""A 1,000-step run with the studio open against the same run from the command line.

The studio's page is open and visible, so the kernel publishes at full rate and the browser
draws. On few cores the browser takes its share of them; the CPU time of the kernel's threads
that publish says what they cost the run beside them.
"""

import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.lab import LabPage, launch
from harness.projects import prepare, runs, saved
from harness.server import JupyterServer
from harness.waiting import until
from playwright.sync_api import Browser, WebSocket
from report import Section, middle

from easymodel_nb.runlog.log import RunReader, runs_folder

PAIRS = 5
STEPS = 1000
# 800 rows are 100 steps of 8, ten times.
RUN = {"epochs": 10, "subset_size": 800, "batch_size": 8, "max_length": 32, "max_new_tokens": 8}
PATIENCE = 1800

# Each step as the node shows it, and when the frame with it was on its way to the screen: the
# second frame after the change begins once the first is drawn, so that this errs upwards.
_SHOWN = """
window.shown = [];
new MutationObserver(() => {
  const text = document.querySelector(".em-values dt")?.textContent ?? "";
  const step = Number(text.match(/step ([\\d,]+)/)?.[1].replaceAll(",", ""));
  if (!step || shown.at(-1)?.[0] === step) return;
  const entry = [step, 0];
  shown.push(entry);
  requestAnimationFrame(() => requestAnimationFrame(() => { entry[1] = Date.now(); }));
}).observe(document, { subtree: true, childList: true, characterData: true });
"""
# CPU seconds of each of the kernel's threads by name.
_THREADS = """
import json as _json, threading as _threading
def _cpu(thread):
    try:
        with open(f"/proc/self/task/{thread.native_id}/schedstat") as file:
            return int(file.read().split()[0]) / 1e9
    except OSError:
        return 0.0
with open(%r, "w") as _file:
    _json.dump({thread.name: _cpu(thread) for thread in _threading.enumerate()}, _file)
"""
_PUBLISH = ("easymodel-publisher", "easymodel-lease", "IOPub")


@dataclass
class Wire:
    """What went over the kernel's WebSocket."""

    received: int = 0
    received_bytes: int = 0
    sent: int = 0
    sent_bytes: int = 0
    sockets: list[str] = field(default_factory=list)

    def listen(self, socket: WebSocket) -> None:
        """Count the frames of the kernel's socket."""
        if "/channels" not in socket.url:
            return
        self.sockets.append(socket.url)
        socket.on("framereceived", lambda data: self._count("received", data))
        socket.on("framesent", lambda data: self._count("sent", data))

    def _count(self, way: str, data: str | bytes) -> None:
        size = len(data) if isinstance(data, bytes) else len(data.encode())
        setattr(self, way, getattr(self, way) + 1)
        setattr(self, f"{way}_bytes", getattr(self, f"{way}_bytes") + size)

    def reset(self) -> None:
        """Count from here."""
        self.received = self.received_bytes = self.sent = self.sent_bytes = 0


def measure(server: JupyterServer, browser: Browser, folder: Path) -> Iterator[Section]:
    """Pairs of runs, one after the other, in turn first."""
    speeds: dict[str, list[float]] = {"studio": [], "command line": []}
    wires: list[Wire] = []
    delays: list[float] = []
    shares: list[float] = []
    for number in range(PAIRS):
        order = ["studio", "command line"] if number % 2 else ["command line", "studio"]
        for kind in order:
            home = folder / f"train-{number}-{kind.replace(' ', '-')}"
            if kind == "studio":
                wire, late, share = _in_the_studio(server, browser, home, number)
                wires.append(wire)
                delays += late
                shares.append(share)
            else:
                _from_the_command_line(home)
            speeds[kind].append(_speed(home))
    yield _speed_section(speeds, shares)
    yield _delay_section(delays)
    yield _wire_section(wires)


def _in_the_studio(
    server: JupyterServer, browser: Browser, home: Path, number: int
) -> tuple[Wire, list[float], float]:
    prepare(home, RUN)
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.add_init_script(_SHOWN)
    name = server.write(f"training-{number}.ipynb", launch(home))
    opened = context.new_page()
    wire = Wire()
    opened.on("websocket", wire.listen)
    page = LabPage(opened, server, name).open()
    page.run_cell(0)
    page.ready()
    before = _threads(page, home)
    wire.reset()
    page.train()

    def ended() -> bool:
        page.page.wait_for_timeout(200)  # lets Playwright count what arrived meanwhile
        found = runs(home)
        return bool(found and not found[-1].active)

    until(ended, "end of the run", PATIENCE)
    wire = replace(wire)  # after a run the charts are made, while nothing trains
    page.status("finished")
    after = _threads(page, home)
    delays = _delays(home, page.page.evaluate("shown"))
    context.close()
    server.close(name)
    spent = sum(after.get(name, 0.0) - before.get(name, 0.0) for name in _PUBLISH)
    return wire, delays, spent / _seconds(home)


def _threads(page: LabPage, home: Path) -> dict[str, float]:
    path = home / "cpu.json"
    page.execute(_THREADS % str(path))
    found: dict[str, float] = json.loads(path.read_text())
    return found


def _seconds(home: Path) -> float:
    """How long the run took."""
    (run,) = runs(home)
    assert run.started  # noqa: S101  it has finished
    assert run.ended  # noqa: S101
    return (datetime.fromisoformat(run.ended) - datetime.fromisoformat(run.started)).total_seconds()


def _delays(home: Path, shown: list[list[float]]) -> list[float]:
    """Milliseconds from a step's line in the log to the frame that shows it, of those shown."""
    (folder,) = runs_folder(home).iterdir()
    written = {
        event.step: datetime.fromisoformat(event.time).timestamp() * 1000
        for event in RunReader(folder).events()
        if event.type == "progress"
    }
    return [at - written[int(step)] for step, at in shown if at and int(step) in written]


def _delay_section(delays: list[float]) -> Section:
    ordered = sorted(delays)
    p95 = ordered[math.ceil(0.95 * len(ordered)) - 1]
    return Section(
        "From a step to the screen",
        f"A step that is shown is seen {p95:.0f} ms after it was written into the log, at the 95th "
        f"percentile of {len(ordered):,} (the aim: under 150 ms). Until the second frame after the "
        "change, which is one frame more than it takes.",
        ["median", "p95", "longest"],
        [[f"{statistics.median(ordered):.0f} ms", f"{p95:.0f} ms", f"{ordered[-1]:.0f} ms"]],
    )


def _from_the_command_line(home: Path) -> None:
    document = saved(home, prepare(home, RUN))
    path = home / "workflow.json"
    path.write_text(json.dumps(document))
    command = [sys.executable, "-m", "easymodel_nb", "train", str(path), "--home", str(home)]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=dict(os.environ))


def _speed(home: Path) -> float:
    """Tokens a second: the median over the run's progress lines."""
    (run,) = runs(home)
    assert run.status == "finished", run.problem  # noqa: S101  a benchmark of a failed run is none
    assert run.step == STEPS, run.step  # noqa: S101
    return statistics.median(p.tokens_per_second for p in run.curve if p.tokens_per_second)


def _speed_section(speeds: dict[str, list[float]], shares: list[float]) -> Section:
    ratios = [s / c for s, c in zip(speeds["studio"], speeds["command line"], strict=True)]
    ratio = statistics.median(ratios)
    rows: list[list[str]] = [
        [kind, middle(values, 0, "tokens/s")] for kind, values in speeds.items()
    ]
    rows.append(["studio / command line, pair by pair", middle(ratios, 3, "")])
    rows.append(["CPU time of what publishes / the run's time", middle(shares, 4, "")])
    return Section(
        "Training with the studio open",
        f"With the studio open and drawing, a run of {STEPS:,} steps goes at {ratio:.1%} of the "
        "speed it has from the command line (the aim: at least 99 %). The threads of the kernel "
        f"that publish take {statistics.median(shares):.2%} of the run's time; the rest is the "
        "browser's, which draws on the same cores.",
        ["run", f"median of {PAIRS} (range)"],
        rows,
    )


def _wire_section(wires: list[Wire]) -> Section:
    def row(name: str, values: list[int], per: float, unit: str) -> list[str]:
        return [name, middle([v / per for v in values], 1 if per > 1 else 0, unit)]

    received = [w.received for w in wires]
    kilobytes = [w.received_bytes / 1024 for w in wires]
    head: list[Any] = [statistics.median(received), statistics.median(kilobytes)]
    return Section(
        "Over the wire",
        f"A run of {STEPS:,} steps sends the browser {head[0]:,.0f} messages, {head[1]:,.0f} KB: "
        f"{head[0] / STEPS:.2f} messages and {head[1] / STEPS:.2f} KB a step.",
        ["what", f"median of {PAIRS} (range)"],
        [
            row("messages to the browser", received, 1, ""),
            row("KB to the browser", [w.received_bytes for w in wires], 1024, "KB"),
            row("messages to the kernel", [w.sent for w in wires], 1, ""),
            row("KB to the kernel", [w.sent_bytes for w in wires], 1024, "KB"),
        ],
    )
