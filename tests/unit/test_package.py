"""What is shipped: the wheel's files and sizes, and notebooks without state."""

import gzip
import json
import os
import subprocess
import sys
import zipfile
from email import message_from_string
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PICTURE = {"image/svg+xml", "text/plain"}  # what GitHub and nbviewer show
NOTEBOOKS = sorted((ROOT / "notebooks").glob("**/*.ipynb"))
STATIC = "easymodel_nb/widgets/static/"
KILOBYTE = 1024


@pytest.fixture(scope="module")
def files(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_holds_both_packages_and_what_they_read(files: dict[str, bytes]):
    wanted = {
        "easymodel.py",
        "easymodel_nb/__init__.py",
        "easymodel_nb/__main__.py",
        "easymodel_nb/cli.py",
        "easymodel_nb/builtin/tiny-gpt2/model.safetensors",
        "easymodel_nb/builtin/tiny-gpt2/config.json",
        "easymodel_nb/builtin/tiny-gpt2/tokenizer.json",
        "easymodel_nb/builtin/tiny-t5/model.safetensors",
        "easymodel_nb/builtin/tiny-t5/pretraining.json",
        "easymodel_nb/builtin/minilm/facts.json",
        "easymodel_nb/builtin/intents/train.csv",
        "easymodel_nb/builtin/slots/train.jsonl",
        "easymodel_nb/metrics/weights/well_formed.safetensors",
        "easymodel_nb/metrics/weights/well_formed.json",
        "easymodel_nb/metrics/weights/README.md",
        "easymodel_nb/widgets/dashboard.css",
        "easymodel_nb/workflow/ports.json",
        STATIC + "workbench.js",
        STATIC + "workbench.css",
        STATIC + "THIRD_PARTY_NOTICES.txt",
    }
    assert not wanted - files.keys()


def test_every_tracked_source_file_is_in_the_wheel(files: dict[str, bytes]):
    listed = subprocess.run(
        ["git", "ls-files", "src"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    tracked = {line.removeprefix("src/") for line in listed.stdout.splitlines()}
    assert not {name for name in tracked if not name.startswith("easymodel_nb/js/")} - files.keys()


def test_the_wheel_holds_nothing_that_is_only_for_building(files: dict[str, bytes]):
    for name in files:
        assert not name.startswith("easymodel_nb/js/")
        assert "node_modules" not in name
        assert not name.endswith((".map", ".ts", ".tsx", ".mjs", ".pyc", ".ipynb"))
        assert name.split("/")[0] in {"easymodel.py", "easymodel_nb"} or ".dist-info/" in name


def test_the_bundle_is_within_its_budget(files: dict[str, bytes]):
    script, styles = files[STATIC + "workbench.js"], files[STATIC + "workbench.css"]
    assert len(script) + len(styles) < 650 * KILOBYTE
    assert len(gzip.compress(script, 9)) + len(gzip.compress(styles, 9)) < 200 * KILOBYTE
    assert b"sourceMappingURL" not in script
    assert b"process.env.NODE_ENV" not in script


def test_the_wheel_is_within_its_budget(files: dict[str, bytes], wheel: Path):
    for model in ("tiny-gpt2", "tiny-t5"):
        folder = f"easymodel_nb/builtin/{model}/"
        assert sum(len(data) for name, data in files.items() if name.startswith(folder)) <= 8e6
    assert wheel.stat().st_size < 17_000_000


def test_third_party_code_comes_with_its_licences(files: dict[str, bytes]):
    notices = files[STATIC + "THIRD_PARTY_NOTICES.txt"].decode()
    for name in ("preact ", "@xyflow/react ", "zustand "):
        assert f"\n{name}" in notices
    assert "MIT" in notices


def test_the_metadata_names_licence_command_and_python(files: dict[str, bytes]):
    (name,) = [name for name in files if name.endswith(".dist-info/METADATA")]
    fields = message_from_string(files[name].decode())
    assert fields["License-Expression"] == "MIT"
    assert fields["Requires-Python"] == ">=3.11"
    entry_points = files[name.replace("METADATA", "entry_points.txt")].decode()
    assert "easymodel = easymodel_nb.__main__:run" in entry_points


def test_no_dependency_s_floor_is_above_what_colab_has(files: dict[str, bytes]):
    """Else pip would replace what a running Colab kernel has imported already."""
    (name,) = [name for name in files if name.endswith(".dist-info/METADATA")]
    requirements = [
        Requirement(text)
        for text in message_from_string(files[name].decode()).get_all("Requires-Dist", [])
    ]
    pins = dict(
        line.split("==")
        for line in (ROOT / "tests/colab/requirements.txt").read_text().splitlines()
        if "==" in line and not line.startswith("#")
    )
    checked = [r for r in requirements if r.name in pins]
    assert {"anywidget", "bqplot", "datasets", "ipywidgets", "transformers"} <= {
        r.name for r in checked
    }
    assert [str(r) for r in checked if pins[r.name] not in r.specifier] == []


def test_the_protocol_is_in_step_with_the_python_models():
    done = subprocess.run(
        [sys.executable, "hatch_build.py", "run", "--silent", "protocol:check"],
        cwd=ROOT,
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_committed_notebooks_hold_no_output_but_their_picture(path: Path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert "widgets" not in notebook["metadata"]
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            kinds = {kind for output in cell["outputs"] for kind in output.get("data", {"": ""})}
            assert kinds <= (PICTURE if cell["id"] == "picture" else set())
            assert cell["execution_count"] is None


def test_there_are_notebooks_to_check():
    assert (ROOT / "notebooks" / "quickstart.ipynb") in NOTEBOOKS
