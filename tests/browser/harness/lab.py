"""A notebook open in JupyterLab."""

from pathlib import Path
from typing import Any, Self

from playwright.sync_api import Page

from harness.server import JupyterServer
from harness.studio import StudioPage

_CURRENT = "const app = window.jupyterapp, panel = app.shell.currentWidget;"
_READY = """(path) => {
  const panel = window.jupyterapp?.shell.currentWidget;
  if (panel?.context?.path !== path || !panel.context.isReady) return false;
  const { isReady, session } = panel.sessionContext;
  return isReady && session?.kernel?.connectionStatus === 'connected'
    && session.kernel.status !== 'unknown' && session.kernel.status !== 'starting';
}"""


def launch(home: Path) -> str:
    """The cell that opens a studio."""
    return f"import easymodel\nstudio = easymodel.studio(home={str(home)!r})"


class LabPage(StudioPage):
    """JupyterLab with one notebook; cells are run through Lab's own commands."""

    def __init__(self, page: Page, server: JupyterServer, name: str, url: str = "") -> None:
        super().__init__(page)
        self.server = server
        self.name = name
        self.url = url or server.url  # another one where a line that can be cut lies between

    def open(self) -> Self:
        """Open the notebook in a clean workspace and wait until its kernel is connected."""
        self.page.goto(f"{self.url}/lab/tree/{self.name}?reset")
        self.page.wait_for_function(_READY, arg=self.name)
        return self

    def reload(self) -> None:
        """Reload the page and wait until the kernel is connected again."""
        self.page.reload()
        self.page.wait_for_function(_READY, arg=self.name)

    def do(self, script: str, argument: object = None) -> Any:
        """Run JavaScript with `app` and the notebook's `panel` at hand."""
        return self.page.evaluate(f"async (argument) => {{ {_CURRENT} {script} }}", argument)

    def command(self, name: str, arguments: object = None) -> None:
        """Execute one of Lab's commands and wait until it is done."""
        self.do("await app.commands.execute(argument[0], argument[1] ?? {});", [name, arguments])

    def run_cell(self, index: int, *, wait: bool = True) -> None:
        """Run a cell; with `wait`, until it has finished."""
        self.select_cell(index)
        waiting = "await" if wait else ""
        self.do(f"{waiting} app.commands.execute('notebook:run-cell');")

    def select_cell(self, index: int, mode: str = "command") -> None:
        """Make a cell the active one, as a click beside its text does."""
        self.do(
            "panel.content.activeCellIndex = argument[0]; panel.content.mode = argument[1];"
            "panel.content.activate();",
            [index, mode],
        )

    def execute(self, code: str) -> None:
        """Run code in the notebook's kernel without a cell; an error in it is raised here."""
        failure = self.do(
            "const future = panel.sessionContext.session.kernel.requestExecute({code: argument});"
            "const reply = await future.done;"
            "return reply.content.status === 'ok' ? null : reply.content.traceback.join('\\n');",
            code,
        )
        if failure is not None:
            raise AssertionError(failure)

    def cells(self) -> list[tuple[str, str]]:
        """The type and source of every cell."""
        found = self.do(
            "return panel.content.widgets.map("
            "(cell) => [cell.model.type, cell.model.sharedModel.getSource()]);"
        )
        return [(kind, source) for kind, source in found]

    def output_text(self, index: int) -> str:
        """What a cell has printed."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index).inner_text()

    def save(self) -> None:
        """Save the notebook."""
        self.command("docmanager:save")

    def scroll_top(self) -> float:
        """How far the notebook is scrolled."""
        return float(
            self.page.evaluate(
                "() => Math.max(...[...document.querySelectorAll('.jp-Notebook, .jp-Notebook *,"
                " .jp-WindowedPanel-outer')].map((e) => e.scrollTop))"
            )
        )

    def theme(self, name: str) -> None:
        """Switch Lab's theme ("JupyterLab Light", "JupyterLab Dark") as its menu does."""
        self.command("apputils:change-theme", {"theme": name})
        light = "true" if name.endswith("Light") else "false"
        self.page.wait_for_selector(f"body[data-jp-theme-light='{light}']", state="attached")
