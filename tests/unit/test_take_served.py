"""Links to files that the notebook's own server hands out."""

import json
import os
from pathlib import Path

import pytest

from easymodel_nb.widgets.served import link_to


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of a notebook server that says it started this kernel."""
    folder = tmp_path / "root"
    folder.mkdir()
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    said = {"root_dir": str(folder), "base_url": "/user/me/", "token": "secret"}
    (runtime / f"jpserver-{os.getpid()}.json").write_text(json.dumps(said))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("JPY_PARENT_PID", str(os.getpid()))
    return folder


def test_a_file_under_the_root(root: Path):
    link = link_to(root / "home" / "my model.zip")
    assert link == "/user/me/files/home/my%20model.zip?download=1"
    assert "secret" not in link


def test_what_the_server_does_not_hand_out(root: Path, tmp_path: Path):
    assert link_to(tmp_path / "model.zip") is None
    assert link_to(root / ".hidden" / "model.zip") is None


@pytest.mark.parametrize("parent", ["", "no number", "1"])
def test_without_a_server(root: Path, monkeypatch: pytest.MonkeyPatch, parent: str):
    monkeypatch.setenv("JPY_PARENT_PID", parent)
    assert link_to(root / "model.zip") is None
