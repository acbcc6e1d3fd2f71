"""Scripts that a page gets before its own: gestures frame by frame, and a count of renders."""

from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext

from harness.studio import StudioPage

_HERE = Path(__file__).parent


def add_scripts(context: BrowserContext) -> None:
    """To every page that this context opens from now on."""
    for name in ("gestures.js", "renders.js"):
        context.add_init_script(path=_HERE / name)


def gesture(page: StudioPage, name: str, steps: int, node: str | None = None) -> list[float]:
    """Pan, zoom or drag with one event a frame; the milliseconds of each frame."""
    run = "([name, steps, node]) => gestures.run(name, steps, node)"
    return [float(ms) for ms in page.page.evaluate(run, [name, steps, node])]


def renders(page: StudioPage, name: str, steps: int, node: str | None = None) -> dict[str, Any]:
    """What is rendered in a gesture: `nodes` by id and `outside` by component."""
    run = "([name, steps, node]) => renders.count(() => gestures.run(name, steps, node))"
    counted: dict[str, Any] = page.page.evaluate(run, [name, steps, node])
    return counted
