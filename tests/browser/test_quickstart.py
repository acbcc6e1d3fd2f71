"""The quickstart notebook, executed in a real kernel: no error, no token, not too large.

nbclient stores the state of every widget in the notebook, as Colab seems to; so a token
in a trait, a document, a log line or an output would be found in it.
"""

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "quickstart.ipynb"
TYPED = "hf_" + "typedQuickstartToken0123456789"
IN_ENVIRONMENT = "hf_" + "environmentQuickstartToken012345"
TYPE_IT = f'studio.command("token", token="hf_" + "{TYPED.removeprefix("hf_")}")'
LIMIT = 3_000_000  # the bundle is in the state of the widget, twice


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """The notebook after a token was typed and all its cells were run, and its home."""
    home = tmp_path_factory.mktemp("quickstart")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    opening = next(i for i, cell in enumerate(notebook.cells) if cell.id == "open")
    typing = nbformat.v4.new_code_cell(TYPE_IT, id="typing")
    notebook.cells.insert(opening + 1, typing)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EASYMODEL_HOME", str(home))
        patch.setenv("HF_TOKEN", IN_ENVIRONMENT)
        patch.setenv("HF_HUB_OFFLINE", "1")
        NotebookClient(notebook, timeout=900, kernel_name="python3").execute()
    notebook.cells.remove(typing)  # only what the kernel made of it may tell
    return notebook, home


def test_every_cell_ran_without_an_error(executed: tuple[Any, Path]):
    notebook, _ = executed
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error"
            assert (output.output_type, output.get("name")) != ("stream", "stderr"), output.text


def test_it_shows_the_numbers_and_three_samples(executed: tuple[Any, Path]):
    notebook, _ = executed
    text = {
        cell.id: "".join(o.get("data", {}).get("text/plain", "") for o in cell.get("outputs", []))
        for cell in notebook.cells
    }
    head, *rows = text["numbers"].splitlines()
    assert head.split() == ["epoch", "base", "train", "validation"]
    assert [row.split()[1] for row in rows] == ["0", "1", "2", "3"]
    base, tuned = (float(row.split()[-1]) for row in (rows[0], rows[-1]))
    assert tuned < base / 2
    assert "finished" in text["train"]


@pytest.mark.parametrize("token", [TYPED, IN_ENVIRONMENT], ids=["typed", "environment"])
def test_no_token_is_in_the_notebook_or_in_any_file(executed: tuple[Any, Path], token: str):
    notebook, home = executed
    text = nbformat.writes(notebook)
    assert "widgets" in notebook.metadata, "without the widgets' state this test tests little"
    assert token not in text
    for path in home.rglob("*"):
        if path.is_file():
            assert token.encode() not in path.read_bytes(), path


def test_the_notebook_with_its_widgets_stays_small(executed: tuple[Any, Path]):
    notebook, _ = executed
    assert len(json.dumps(notebook)) < LIMIT
