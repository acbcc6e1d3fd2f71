"""One studio for all tests of a module: opening one takes longer than most of what is tested."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from harness.lab import LabPage, launch
from harness.server import JupyterServer
from harness.waiting import PATIENCE

WIDE = {"width": 1440, "height": 1000}
CLIPBOARD = ("clipboard-read", "clipboard-write")


@contextlib.contextmanager
def one_studio(
    server: JupyterServer,
    browser: Browser,
    home: Path,
    *more_cells: str,
    folded: bool = False,
    permissions: tuple[str, ...] = (),
    first: Callable[[Page], None] = lambda _: None,
    **context: Any,
) -> Iterator[LabPage]:
    """A notebook with a studio in its first cell, named after its home.

    With `folded` Lab's own sidebar is closed; `first` gets the page before
    anything is in it; `context` is what the browser's context takes.
    """
    name = server.write(f"{home.name}.ipynb", launch(home), *more_cells)
    opened = browser.new_context(**{"viewport": WIDE, "permissions": [*permissions]} | context)
    try:
        opened.set_default_timeout(PATIENCE * 1000)
        blank = opened.new_page()
        first(blank)
        page = LabPage(blank, server, name).open()
        if folded:
            page.command("application:toggle-left-area")
        page.run_cell(0)
        page.ready()
        yield page
    finally:
        opened.close()
        server.close(name)
