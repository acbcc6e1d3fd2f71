"""Faults between a kernel and its page, and how long the page takes to show what is true."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Browser, expect

from easymodel_nb.runlog.log import runs_folder
from easymodel_nb.runlog.view import RunView
from easymodel_nb.train.control import ask_to_stop
from harness.lab import LabPage, launch
from harness.line import Line
from harness.projects import LONG, prepare, runs
from harness.server import lab
from harness.waiting import PATIENCE, until

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession

# Looks, fifty times a second, since when the kernel is connected and since when a status is shown.
_WATCH = """(wanted) => {
  const kernel = () => window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel;
  const shown = () => document.querySelector('[data-node-type="finetune"]')?.dataset.status;
  const watch = (window.truth = { back: null, shown: null });
  clearInterval(window.truthTimer);
  window.truthTimer = setInterval(() => {
    const now = performance.now();
    if (kernel()?.connectionStatus !== 'connected') watch.back = watch.shown = null;
    else watch.back ??= now;
    if (shown() !== wanted) watch.shown = null;
    else if (watch.back !== null) watch.shown ??= now;
  }, 20);
}"""
_BACK = "() => { window.truth.back = performance.now(); }"
_SECONDS = "() => window.truth.shown === null ? null : [window.truth.shown, window.truth.back]"
FLOOD = """print("begun", flush=True)
while True:
    print("x" * 100_000)
"""
BLOCK = """import time
print("begun", flush=True)
while True:
    time.sleep(0.1)
"""


@contextmanager
def studio(
    browser: Browser, folder: Path, home: Path, python: Path | None = None
) -> Iterator["Truth"]:
    """A studio over a line of its own, on a server of its own: both are cut and killed.

    `python` is that of another kernel, of a version without subshells.
    """
    prepare(home, LONG)
    expect.set_options(timeout=PATIENCE * 1000)  # as all browser tests do
    with lab(sys.executable, folder) as server, Line(server.port) as line:
        if python is not None:
            server.add_kernel("other", python)
        kernel = "python3" if python is None else "other"
        name = server.write("truth.ipynb", launch(home), FLOOD, BLOCK, kernel=kernel)
        context = browser.new_context(viewport={"width": 1440, "height": 1000})
        context.set_default_timeout(PATIENCE * 1000)
        page = LabPage(context.new_page(), server, name, line.url).open()
        page.run_cell(0)
        page.ready()
        yield Truth(page, line, home, subshells=python is None)
        context.close()


class Truth:
    """One studio with a run that does not end by itself, and faults that happen to it."""

    def __init__(self, page: LabPage, line: Line, home: Path, *, subshells: bool) -> None:
        self.page, self.line, self.home, self._subshells = page, line, home, subshells
        self.seconds: dict[str, float] = {}  # from the connection's return to the truth
        # JupyterLab's own word on a lost connection covers the page until it is read.
        read = page.page.locator("dialog.jp-Dialog button.jp-Dialog-button").first
        page.page.add_locator_handler(read, lambda button: button.click())
        self._cdp: CDPSession = page.page.context.new_cdp_session(page.page)

    # ------------------------------------------------------------ the run

    @property
    def run(self) -> RunView:
        """The newest one, as it really is."""
        return runs(self.home)[-1]

    def train(self) -> None:
        """Start a run and wait until it trains."""
        before = len(runs(self.home))
        self.page.hook("train").click()
        until(lambda: len(runs(self.home)) > before and self.run.curve, "a run that trains")
        self.page.status("running")

    def end_unseen(self) -> None:
        """Let the run end without a word of the page's: it is asked through its folder."""
        ask_to_stop(runs_folder(self.home) / self.run.id)
        until(lambda: self.run.status == "stopped", "end of the run")

    def stop(self) -> None:
        """Click Stop; the trainer ends the run for it."""
        self.page.hook("stop").click()
        self.page.status("stopped")
        assert self.run.status == "stopped"
        assert self.run.reason == "user"

    # ------------------------------------------------------------ all of them

    def try_lines(self) -> None:
        """What happens between a living kernel and its page."""
        self.train()
        with self.told("connection cut", "running"), self.cut():
            pass
        with self.told("connection cut while the run ends", "stopped"), self.cut():
            self.end_unseen()
        self.train()
        with self.told("page frozen while the run ends", "stopped"), self.frozen():
            self.end_unseen()
        self.train()
        with self.told("silent line while the run ends", "stopped"), self.silent():
            self.end_unseen()
            self.expect_lost()
        self.expect_found()

    def try_cells(self, seconds: float = 0) -> None:
        """What a running cell does to a run; it runs for so long at least."""
        self.train()
        with self.told("flood of output while the run ends", "stopped"), self.busy(1, seconds):
            self.end_unseen()
        self.train()
        with self.busy(2, seconds):
            if self._subshells:
                self.stop()
            else:
                self.page.hook("stop").click()
                expect(self.page.hook("notice")).to_contain_text("interrupt the cell to stop now")
                assert self.run.status == "running"
        self.page.status("stopped")
        assert self.run.reason == "user"

    def try_deaths(self) -> None:
        """The server dies and its kernel with it; then another process goes on, and dies."""
        page = self.page
        self.train()
        until(lambda: self.run.resumable is not None or self.run.checkpoints, "a checkpoint")
        page.server.kill()
        until(lambda: self.run.status == "interrupted", "end of the kernel")
        self.expect_lost()
        page.server.start()
        page.open()
        page.run_cell(0)
        page.ready()
        page.status("interrupted")
        command = [sys.executable, "-m", "easymodel_nb", "train", "--resume", self.run.id]
        with subprocess.Popen([*command, "--home", self.home], stdout=subprocess.DEVNULL) as other:
            page.status("running")  # nobody has touched the page
            expect(page.hook("resumed")).to_have_text(re.compile("resumed at step"))
            other.kill()
        page.status("interrupted")

    # ------------------------------------------------------------ faults

    @contextmanager
    def told(self, fault: str, status: str) -> Iterator[None]:
        """A fault is over at the end of the block; from then on the page has to show this."""
        self.page.page.evaluate(_WATCH, status)
        yield
        shown, back = until(lambda: self.page.page.evaluate(_SECONDS), f"{status} after {fault}")
        self.seconds[fault] = round(max(0.0, shown - back) / 1000, 2)

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Without any connection, as by a closed lid or a dropped network."""
        self.line.cut()
        until(lambda: self._connection() != "connected", "a lost connection")
        yield
        self.line.mend()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """With connections on which nothing comes any more, as behind a router that forgot them."""
        self.line.swallow()
        yield
        self.line.mend()
        self.page.page.evaluate(_BACK)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """While the browser runs nothing of the page, as for a tab put to sleep."""
        self._cdp.send("Page.setWebLifecycleState", {"state": "frozen"})
        yield
        self._cdp.send("Page.setWebLifecycleState", {"state": "active"})
        self.page.page.evaluate(_BACK)

    @contextmanager
    def busy(self, cell: int, seconds: float = 0) -> Iterator[None]:
        """While a cell runs that ends when it is interrupted, after so many seconds."""
        output = self.page.page.locator(".jp-Notebook .jp-Cell").nth(cell)
        self.page.run_cell(cell, wait=False)
        expect(output.locator(".jp-OutputArea-output").first).to_contain_text("begun")
        due = time.monotonic() + seconds
        yield
        until(lambda: time.monotonic() >= due, "end of the cell", patience=seconds + 1)
        self.page.command("notebook:interrupt-kernel")
        self.page.page.evaluate(_BACK)
        expect(output.locator(".jp-InputPrompt")).not_to_have_text("[*]:")

    def _connection(self) -> str:
        return str(self.page.do("return panel.sessionContext.session?.kernel?.connectionStatus;"))

    def expect_lost(self) -> None:
        """The user is told that nothing is heard, and nothing looks as if it went on."""
        expect(self.page.hook("kernel-lost")).to_be_visible()
        expect(self.page.node().locator(".em-is-lost")).to_be_visible()

    def expect_found(self) -> None:
        """It goes away by itself."""
        expect(self.page.hook("kernel-lost")).to_have_count(0)
