"""A notebook open in Notebook 7, which the JupyterLab server of the tests serves too."""

from typing import Any, Self

from playwright.sync_api import Page, expect

from harness.server import JupyterServer
from harness.studio import StudioPage


class SevenPage(StudioPage):
    """Notebook 7 with one notebook; its application object is not open, so keys run cells."""

    def __init__(self, page: Page, server: JupyterServer, name: str) -> None:
        super().__init__(page)
        self.server = server
        self.name = name

    def open(self) -> Self:
        """Open the notebook and wait until its kernel is idle."""
        # It asks for a kernel, at times, where the server's list of them comes late.
        select = self.page.locator("dialog.jp-Dialog button.jp-mod-accept")
        self.page.add_locator_handler(select, lambda button: button.click())
        self.page.goto(f"{self.server.url}/notebooks/{self.name}")
        idle = self.page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
        expect(idle).to_be_visible()
        return self

    def run_cell(self, index: int) -> None:
        """Run a cell; pressed again where a kernel that just started missed it."""
        cell = self.page.locator(".jp-CodeCell").nth(index)
        prompt = cell.locator(".jp-InputPrompt").first
        for patience in (5_000, 10_000, 60_000):
            cell.locator(".jp-InputArea-editor").click()
            self.page.keyboard.press("Control+Enter")
            try:
                expect(prompt).not_to_have_text("[ ]:", timeout=patience)
            except AssertionError:
                continue
            return
        raise AssertionError(f"Cell {index} did not run.")

    def cells(self) -> list[Any]:
        """The source of every cell."""
        found: list[Any] = self.page.locator(".jp-Cell .jp-InputArea-editor").all_inner_texts()
        return found
