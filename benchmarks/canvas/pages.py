"""The two canvases in JupyterLab: the studio, and React Flow alone with the same elements."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from canvas import graphs
from harness.lab import LabPage, launch
from harness.scripts import add_scripts
from harness.server import JupyterServer
from playwright.sync_api import Browser, BrowserContext, WebSocket

HERE = Path(__file__).parent
PACKAGE = HERE.parents[1] / "src" / "easymodel_nb"
JS = PACKAGE / "js"
PATIENCE = 180_000
CULLED_FROM = 200
"""From so many nodes on both canvases leave out what is not seen."""

_BARE = """
import json, pathlib
import anywidget, traitlets
class Bare(anywidget.AnyWidget):
    _esm = traitlets.Unicode(pathlib.Path({script!r}).read_text()).tag(sync=True)
    _css = traitlets.Unicode(pathlib.Path({style!r}).read_text()).tag(sync=True)
    graph = traitlets.Dict().tag(sync=True)
"""
_TIMED = """
    const painted = probe.painted();
    panel.content.activeCellIndex = 1;
    const start = performance.now();
    app.commands.execute("notebook:run-cell");
    return await painted - start;
"""


def build_bare(folder: Path) -> Path:
    """Bundle the bare canvas with the React and the React Flow of the workbench."""
    target = folder / "bare.js"
    options = [
        "--bundle",
        "--minify",
        "--format=esm",
        "--jsx=automatic",
        "--target=es2022",
        '--define:process.env.NODE_ENV="production"',
        "--log-level=warning",
    ]
    command = [str(JS / "node_modules/.bin/esbuild"), str(HERE / "bare/main.tsx"), *options]
    environment = os.environ | {"NODE_PATH": str(JS / "node_modules")}
    subprocess.run([*command, f"--outfile={target}"], check=True, env=environment)
    return target


def new_context(browser: Browser, opened: dict[str, bool] | None = None) -> BrowserContext:
    """A browser with our scripts, which remembers these nodes as open."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(PATIENCE)
    add_scripts(context)
    context.add_init_script(path=HERE / "probe.js")
    if opened is not None:
        text = json.dumps(json.dumps(opened))
        context.add_init_script(f"localStorage.setItem('easymodel-nb:open', {text})")
    return context


def studio(
    browser: Browser,
    server: JupyterServer,
    home: Path,
    opened: dict[str, bool],
    listen: Callable[[WebSocket], None] | None = None,
) -> tuple[LabPage, float]:
    """The studio, and the milliseconds from running its cell to the first frame with all nodes."""
    page = new_context(browser, opened).new_page()
    if listen:
        page.on("websocket", listen)
    name = server.write(
        f"{home.name}-{os.urandom(3).hex()}.ipynb",
        "import easymodel_nb.widgets.studio",
        launch(home),
    )
    lab = LabPage(page, server, name).open()
    lab.run_cell(0)
    return lab, float(lab.do(_TIMED))


def bare(
    browser: Browser, server: JupyterServer, script: Path, graph: dict[str, Any]
) -> tuple[LabPage, float]:
    """React Flow alone, timed in the same way."""
    data = script.with_name(f"graph-{len(graph['nodes'])}.json")
    data.write_text(json.dumps(graph), encoding="utf-8")
    style = str(PACKAGE / "widgets" / "static" / "workbench.css")
    name = server.write(
        f"bare-{os.urandom(3).hex()}.ipynb",
        _BARE.format(script=str(script), style=style),
        f"Bare(graph=json.loads(pathlib.Path({str(data)!r}).read_text()))",
    )
    lab = LabPage(new_context(browser).new_page(), server, name).open()
    lab.run_cell(0)
    return lab, float(lab.do(_TIMED))


def close(page: LabPage) -> None:
    """End the page and its kernel."""
    page.page.context.close()
    page.server.close(page.name)


def graph_of(page: LabPage, size: int, drawn: dict[str, str]) -> dict[str, Any]:
    """What the bare canvas draws: the studio's nodes, where they are, seen from where it is."""
    document = graphs.document(size, "")
    nodes = [
        {"id": node["id"], "like": node["id"].split("-")[0], "position": node["position"]}
        for node in document["nodes"]
    ]
    place = page.page.evaluate("() => probe.place()")
    rest = {"drawn": drawn, "culled": size >= CULLED_FROM, **place}
    return {"nodes": nodes, "edges": document["edges"], **rest}
