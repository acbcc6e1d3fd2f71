"""The demo notebooks, executed in a real kernel with small settings; each ends with its picture.

(What may be committed of them is tested in unit/test_package.)
"""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import nbformat
import pytest
from nbclient import NotebookClient

from easymodel_nb import builtin

FOLDER = Path(__file__).parents[2] / "notebooks"
SVG = "image/svg+xml"

# What each is executed with: seconds on two cores, every cell the same but the settings.
SETTINGS: dict[str, dict[str, Any]] = {
    "generation": {"epochs": 1, "subset_size": 48, "eval_size": 24, "max_new_tokens": 12},
    "seq2seq": {"epochs": 1, "subset_size": 48, "eval_size": 24, "max_new_tokens": 12},
    "classification": {"epochs": 1, "subset_size": 48, "eval_size": 24, "max_length": 32},
    "token_classification": {"epochs": 1, "subset_size": 48, "eval_size": 24, "max_length": 32},
    "compare": {"epochs": 1, "subset_size": 32, "eval_size": 24, "max_new_tokens": 8},
}
FOUND = {  # the words of each picture
    "generation": "alidation perplexity",
    "seq2seq": "alidation perplexity",
    "classification": "acro-F1",
    "token_classification": "ntity F1",
    "compare": "alidation perplexity",
}
NEEDS_MINILM = {"classification", "token_classification"}


def notebooks() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.ipynb") if path.stem != "quickstart")


@pytest.fixture(scope="module", params=notebooks())
def executed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Any]:
    """A notebook's name, and its cells after they were run."""
    name = request.param
    if name in NEEDS_MINILM:
        try:
            builtin.path("minilm")
        except builtin.PackagedModelError as error:
            pytest.skip(str(error))
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    settings = cell(notebook, "settings")
    before, after = settings.source.split("\n", 1)
    assert before.startswith("SETTINGS = {")
    full = {**eval(before.removeprefix("SETTINGS = ")), **SETTINGS[name]}
    settings.source = f"SETTINGS = {full!r}\n{after}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EASYMODEL_HOME", str(tmp_path_factory.mktemp(name)))
        patch.setenv("HF_HUB_OFFLINE", "1")
        NotebookClient(
            notebook, timeout=600, kernel_name="python3", store_widget_state=False
        ).execute()
    return name, notebook


def cell(notebook: Any, cell_id: str) -> Any:
    return next(cell for cell in notebook.cells if cell.id == cell_id)


def shown(notebook: Any, cell_id: str, kind: str) -> str:
    outputs = cell(notebook, cell_id).outputs
    return "".join(output.get("data", {}).get(kind, "") for output in outputs)


def test_every_notebook_is_tested():
    assert set(notebooks()) == SETTINGS.keys()


def test_it_runs_and_ends_with_its_picture(executed: tuple[str, Any]):
    name, notebook = executed
    for found in notebook.cells:
        for output in found.get("outputs", []):
            assert output.output_type != "error"
    assert "finished" in shown(notebook, "train", "text/plain")
    picture = shown(notebook, "picture", SVG)
    words = "".join(ET.fromstring(picture).itertext())
    assert FOUND[name] in words
    assert "Finetuning" in words
    assert "<script" not in picture
    assert "http" not in picture.replace("http://www.w3.org/2000/svg", "")
    assert "studio.snapshot()" in shown(notebook, "open", "text/plain")
    if name == "compare":
        table = shown(notebook, "comparison", "text/plain")
        assert {"wins", "losses", "low", "high"} <= set(table.split())
        ET.fromstring(shown(notebook, "curves", SVG))
    else:
        assert len(shown(notebook, "numbers", "text/plain").splitlines()) >= 3
        assert len(shown(notebook, "samples", "text/plain").splitlines()) >= 4
