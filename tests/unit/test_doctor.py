"""The doctor says what is there, what is in the way, and never a secret."""

import sys
from importlib import util
from pathlib import Path

import pytest

from easymodel_nb import doctor
from easymodel_nb.cli import main

TOKEN = "hf_" + "doctorsecret0123456789"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither torch nor the Hub is asked."""
    monkeypatch.setattr(doctor, "device", lambda: doctor.Finding("ok", "Device: test"))
    monkeypatch.setattr(doctor, "hub", lambda: doctor.Finding("ok", "the Hub answers"))


@pytest.mark.usefixtures("quick")
def test_all_is_well(capsys: pytest.CaptureFixture[str], home: Path):
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert f"Home: {home}" in out
    assert "transformers " in out


@pytest.mark.usefixtures("quick")
def test_the_token_s_origin_is_told_and_the_token_is_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    main(["doctor"])
    out = capsys.readouterr().out
    assert "from HF_TOKEN" in out
    assert TOKEN not in out


@pytest.mark.usefixtures("quick")
def test_a_home_that_cannot_be_written_stops(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    assert main(["doctor", "--home", str(tmp_path / "file")]) == 1
    assert "EASYMODEL_HOME" in capsys.readouterr().out


def test_a_hub_that_does_not_answer_is_a_note(monkeypatch: pytest.MonkeyPatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    found = doctor.hub()
    assert found.verdict == "note"
    assert "127.0.0.1:9" in found.text


def test_our_own_easymodel_is_no_finding():
    assert doctor.foreign_easymodel() is None


def test_a_foreign_easymodel_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "easymodel").mkdir()
    (tmp_path / "easymodel" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "easymodel", raising=False)
    found = doctor.foreign_easymodel()
    assert found is not None
    assert str(tmp_path) in found.text
    assert "import easymodel_nb as easymodel" in found.text


def test_a_foreign_distribution_beside_ours_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    info = tmp_path / "easymodel-0.0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: easymodel\nVersion: 0.0.1\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    assert util.find_spec("easymodel") is not None
    found = doctor.foreign_easymodel()
    assert found is not None
    assert "0.0.1" in found.text


def test_a_library_that_is_missing_stops(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "torch" else "1")
    verdicts = {finding.verdict for finding in doctor.libraries()}
    assert "stop" in verdicts
