"""The studio in a real kernel: shown once a cell, and no secret saved."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from nbformat import NotebookNode

from easymodel_nb.widgets.cell import SAVED

VIEW = "application/vnd.jupyter.widget-view+json"
PATIENCE = 60
# The bundle has tests of its own; here any will do.
FAKE_BUNDLE = (
    "from easymodel_nb.widgets import workbench\n"
    "workbench.bundle = lambda: ('export default {}', '')"
)
TOKEN = "hf_" + "QwErTyUiOpAsDfGhJkLz"


def execute(*sources: str) -> list[NotebookNode]:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    saved = nbformat.writes(notebook)
    assert TOKEN not in saved
    return list(notebook.cells)


def views(cell: NotebookNode) -> list[str]:
    """The sentence beside each widget the cell shows; anything else it put out is an error."""
    assert all(VIEW in output.get("data", {}) for output in cell.outputs), cell.outputs
    return [output.data["text/plain"] for output in cell.outputs]


def test_the_studio_in_a_notebook(home: Path):
    opening = execute(
        FAKE_BUNDLE,
        f"import easymodel_nb as easymodel\neasymodel.studio(home={str(home)!r})",
        f"studio = easymodel.studio(home={str(home)!r})",
        "studio",
        "studio.project; None",
        f"from IPython.display import display\n"
        f"studio = easymodel.studio(home={str(home)!r}); display(studio); studio",
        "studio.command('token', token='hf_' + 'QwErTyUiOpAsDfGhJkLz'); studio.project.name",
    )
    sentence = [SAVED]
    shown = [cell for number, cell in enumerate(opening) if number in {1, 2, 3, 5}]
    assert [views(cell) for cell in shown] == [sentence] * 4, "one each, whatever the cell ends on"
    assert views(opening[4]) == []
    assert opening[6].outputs[0].data["text/plain"] == "'First model'"


class Wire:
    """A front end without a browser: a kernel's channels, spoken to as a page does."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self.client = client
        self.comm_id = ""
        self.traits: dict[str, Any] = {}
        self.replies: dict[str, dict[str, Any]] = {}

    def run(self, code: str) -> None:
        reply = self.client.execute_interactive(
            code, timeout=PATIENCE, output_hook=self.hear, store_history=False
        )
        assert reply["content"]["status"] == "ok", reply["content"]

    def hear(self, message: dict[str, Any]) -> None:
        content = message["content"]
        data = content.get("data", {})
        if message["msg_type"] == "comm_open" and "_esm" in data.get("state", {}):
            self.comm_id = content["comm_id"]
        if content.get("comm_id") != self.comm_id:
            return
        if data.get("method") == "custom":
            self.replies[data["content"]["id"]] = data["content"]
        else:
            self.traits.update(data.get("state", {}))

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        request = {"id": method, "method": method, "params": params}
        content = {"comm_id": self.comm_id, "data": {"method": "custom", "content": request}}
        self.client.shell_channel.send(self.client.session.msg("comm_msg", content))
        while method not in self.replies:
            self.hear(self.client.get_iopub_msg(timeout=PATIENCE))
        return self.replies.pop(method)


@pytest.fixture
def wire() -> Iterator[Wire]:
    manager, client = start_new_kernel(kernel_name="python3")
    yield Wire(client)
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_a_view_over_the_wire(wire: Wire, home: Path):
    wire.run(FAKE_BUNDLE)
    wire.run(f"import easymodel_nb\nstudio = easymodel_nb.studio(home={str(home)!r})")
    opened = wire.traits["document"]
    assert (opened["rev"], opened["document"]["name"]) == (1, "First model")
    document = {**opened["document"], "viewport": {"x": 5, "y": 0, "zoom": 1}}
    commit = {"project_id": opened["project_id"], "client": "page", "document": document}
    assert wire.call("commit", base_rev=1, **commit)["result"] == {"rev": 2}
    assert wire.traits["document"]["rev"] == 2, "state comes before the answer"
    assert wire.call("train", rev=1)["error"]["code"] == "stale"
    beat = wire.traits["beat"]["seq"]
    assert wire.call("pull", seen={"document": 2})["ok"]
    assert wire.traits["beat"]["seq"] > beat
    assert wire.call("dance")["error"]["code"] == "unknown_method"
    wire.run("import json; assert json.dumps(studio._workbench.document)")
