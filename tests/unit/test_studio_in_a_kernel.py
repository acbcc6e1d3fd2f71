"""The studio in a real kernel: shown once a cell, and no secret saved."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

VIEW = "application/vnd.jupyter.widget-view+json"
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
        # The bundle has tests of its own; here any will do.
        "from easymodel_nb.widgets import workbench\n"
        "workbench.bundle = lambda: ('export default {}', '')",
        f"import easymodel_nb as easymodel\neasymodel.studio(home={str(home)!r})",
        f"studio = easymodel.studio(home={str(home)!r})",
        "studio",
        "studio.project; None",
        f"from IPython.display import display\n"
        f"studio = easymodel.studio(home={str(home)!r}); display(studio); studio",
        "studio.command('token', token='hf_' + 'QwErTyUiOpAsDfGhJkLz'); studio.project.name",
    )
    sentence = ["EasyModel studio. Run this cell to open it."]
    shown = [cell for number, cell in enumerate(opening) if number in {1, 2, 3, 5}]
    assert [views(cell) for cell in shown] == [sentence] * 4, "one each, whatever the cell ends on"
    assert views(opening[4]) == []
    assert opening[6].outputs[0].data["text/plain"] == "'First model'"
