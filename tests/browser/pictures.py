"""Makes the pictures of docs/gate.md: a real studio, a real kernel, the first project.

    python tests/browser/pictures.py docs/pictures

Colours are reduced where Pillow is installed; without it the files are larger.
"""

import contextlib
import importlib.util
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from harness.browser import chromium_browser
from harness.lab import LabPage, launch
from harness.projects import WHOLE, prepare
from harness.server import JupyterServer, lab
from harness.waiting import PATIENCE
from playwright.sync_api import Browser, expect

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
VIEWPORT = {"width": 1500, "height": 960}
SCALE = 1.5
COLOURS = 256
_STILL = """() => document.getAnimations().every(
  (a) => a.playState !== 'running' || a.effect.getTiming().iterations === Infinity)"""


LITTLE_ROOM = """
import resource
now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + 300_000_000, resource.RLIM_INFINITY))
"""


class Gate:
    """The gate of one studio, brought into one state after the other."""

    def __init__(self, page: LabPage) -> None:
        self.page = page

    def open(self, part: str = "audit") -> None:
        """The inspector at a part of the audit; the pointer is put where it marks nothing."""
        self.page.hook("cell-rows").click()
        if part == "examples":
            self.page.hook("audit-lengths").evaluate(
                "(e) => { const body = e.closest('.em-inspector-body');"
                " body.scrollTop += e.getBoundingClientRect().top"
                " - body.getBoundingClientRect().top - 32; }"
            )
        self.page.hook("tab-canvas").hover()

    def until(self, **state: str) -> None:
        """Wait for an attribute of the strip."""
        for name, value in state.items():
            expect(self.page.hook("audit")).to_have_attribute(f"data-{name}", value)

    # ------------------------------------------------------------ the states

    def checking(self) -> None:
        """A fresh kernel reads its libraries first, which takes seconds."""
        self.until(state="checking")
        self.open()

    def ready(self) -> None:
        """Green, and not measured yet."""
        self.until(verdict="green")
        self.open()

    def measured(self) -> None:
        """Green, with the fit check's time and memory."""
        self.page.hook("check-time").click()
        expect(self.page.hook("fit")).to_have_attribute("data-state", "done")
        self.open()

    def accept(self) -> None:
        """Amber: rows would be cut."""
        self.page.input("max_length").fill("32")
        self.until(verdict="amber")
        self.open()

    def examples(self) -> None:
        """The histogram with its line, and rendered examples of which one is cut."""
        self.open("examples")

    def blocked(self) -> None:
        """Red: the batch does not fit into the memory that the kernel is left with."""
        self.page.input("max_length").fill("128")
        self.until(verdict="green")
        self.page.execute(LITTLE_ROOM)
        self.page.input("batch_size").fill("256")
        self.until(verdict="green")
        self.page.hook("check-memory").click()
        self.until(verdict="red")
        self.open()


STATES: list[Callable[[Gate], None]] = [
    Gate.checking,
    Gate.ready,
    Gate.measured,
    Gate.accept,
    Gate.examples,
    Gate.blocked,
]


def take(browser: Browser, server: JupyterServer, theme: str, folder: Path) -> None:
    """All states in one theme."""
    context = browser.new_context(viewport=VIEWPORT, device_scale_factor=SCALE)
    context.set_default_timeout(PATIENCE * 1000)
    home = server.folder / f"home-{theme}"
    prepare(home, {**WHOLE, "subset_size": 400, "batch_size": 8})
    name = server.write(f"{theme}.ipynb", launch(home))
    page = LabPage(context.new_page(), server, name).open()
    page.theme(THEMES[theme])
    page.run_cell(0)
    gate = Gate(page)
    for state in STATES:
        state(gate)
        page.page.wait_for_function(
            "() => document.getAnimations().every((a) => a.playState !== 'running')"
        )
        path = folder / f"gate-{state.__name__}-{theme}.png"
        page.page.locator(".em-main").screenshot(path=path, animations="disabled")
        reduce(path)
        print(f"{path}: {path.stat().st_size / 1024:.0f} KB")  # noqa: T201
    server.close(name)
    context.close()


class Taker:
    """Takes one studio in both themes, for which nothing in it is pressed."""

    def __init__(self, page: LabPage, folder: Path, wanted: list[str]) -> None:
        self.page = page.page
        self.folder = folder
        self.wanted = wanted

    def take(self, name: str) -> None:
        """The studio as it is, where this picture is wanted."""
        if self.wanted and name not in self.wanted:
            return
        studio = self.page.locator(".emnb-studio").last
        for theme in ("light", "dark"):
            light = "true" if theme == "light" else "false"
            self.page.evaluate("(light) => { document.body.dataset.jpThemeLight = light }", light)
            expect(studio).to_have_attribute("data-theme", theme)
            self.page.wait_for_function(_STILL)
            path = self.folder / f"canvas-{name}-{theme}.png"
            studio.screenshot(path=path, animations="disabled")
            reduce(path)
            print(f"{path}: {path.stat().st_size / 1024:.0f} KB")  # noqa: T201


def reduce(path: Path) -> None:
    """Fewer colours, where Pillow is there to do it."""
    if importlib.util.find_spec("PIL") is None:
        return
    from PIL import Image

    with Image.open(path) as picture:
        # Not by the median alone, which has no room for the little red there is.
        covering, none = Image.Quantize.MAXCOVERAGE, Image.Dither.NONE
        flat = picture.convert("RGB").quantize(COLOURS, covering, kmeans=1, dither=none)
    flat.save(path, optimize=True)


def main(folder: Path) -> None:
    """Take every picture."""
    folder.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=PATIENCE * 1000)
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(lab(sys.executable, scratch / "lab"))
        browser = stack.enter_context(chromium_browser())
        for theme in THEMES:
            take(browser, server, theme, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
