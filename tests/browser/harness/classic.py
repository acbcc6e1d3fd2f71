"""A notebook open in classic Notebook 6, the closest stand-in for Colab that can be run here."""

from typing import Self

from playwright.sync_api import Page, WebSocket

from harness.server import JupyterServer
from harness.studio import StudioPage
from harness.waiting import until

_READY = """() => {
  const notebook = window.Jupyter?.notebook;
  return Boolean(notebook?._fully_loaded && notebook.kernel?.is_connected());
}"""
_KNOWN = "comm_info_reply"
_EXECUTE = """(code) => new Promise((resolve) => Jupyter.notebook.kernel.execute(
  code,
  { shell: { reply: (r) => resolve(r.content.status === 'ok' ? null : r.content.evalue) } },
  { silent: false, store_history: false },
))"""


class ClassicPage(StudioPage):
    """Classic Notebook with one notebook."""

    def __init__(self, page: Page, server: JupyterServer, name: str) -> None:
        super().__init__(page)
        self.server = server
        self.name = name

    def open(self) -> Self:
        """Open the notebook and wait until its kernel is connected and its widgets are restored.

        As soon as ipywidgets 7 knows which widgets the kernel has, it draws all outputs again; of
        a cell that was run before, it would take the widget away for good.
        """
        told: list[str | bytes] = []

        def keep(frame: str | bytes) -> None:
            if _KNOWN in str(frame):
                told.append(frame)

        def listen(line: WebSocket) -> None:
            line.on("framereceived", keep)

        def restored() -> bool:
            self.page.wait_for_function(_READY)  # events come in while Playwright is called
            return bool(told)

        self.page.on("websocket", listen)
        self.page.goto(f"{self.server.url}/notebooks/{self.name}")
        until(restored, "list of the kernel's widgets")
        self.page.remove_listener("websocket", listen)
        return self

    def run_cell(self, index: int) -> None:
        """Run a cell and wait until it has finished."""
        self.page.evaluate("(index) => Jupyter.notebook.execute_cells([index])", index)
        self.page.wait_for_function(
            "(index) => typeof Jupyter.notebook.get_cell(index).input_prompt_number === 'number'",
            arg=index,
        )

    def execute(self, code: str) -> None:
        """Run code in the notebook's kernel without a cell; an error in it is raised here."""
        failure = self.page.evaluate(_EXECUTE, code)
        if failure is not None:
            raise AssertionError(failure)

    def output_text(self, index: int) -> str:
        """What a cell has put out."""
        return self.page.locator("#notebook .cell").nth(index).locator(".output").inner_text()
