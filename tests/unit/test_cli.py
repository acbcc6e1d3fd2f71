"""What the command line refuses, and how: exit code 2, sentences on stderr, JSON on request."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from easymodel_nb import cli
from easymodel_nb.__main__ import run
from easymodel_nb.cli import main
from easymodel_nb.runlog.view import RunView
from easymodel_nb.store.first import first_workflow
from easymodel_nb.terminal import duration, sentence


def refused(capfd: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    """The problems of a refusal; it must be the only line on stdout."""
    assert main([*arguments, "--json"]) == 2
    out, err = capfd.readouterr()
    (line,) = out.splitlines()
    told = json.loads(line)
    assert told["type"] == "refused"
    for problem in told["problems"]:
        assert problem["message"] in err
    return list(told["problems"])


def workflow_file(tmp_path: Path, **changes: Any) -> str:
    document = first_workflow().dump()
    document["nodes"][2]["data"] |= changes
    path = tmp_path / "workflow.json"
    path.write_text(json.dumps(document))
    return str(path)


def test_a_missing_file(capfd: pytest.CaptureFixture[str], tmp_path: Path):
    (problem,) = refused(capfd, "train", str(tmp_path / "none.json"))
    assert problem["code"] == "file.missing"
    assert "none.json" in problem["message"]


def test_no_file_at_all(capfd: pytest.CaptureFixture[str]):
    assert refused(capfd, "train")[0]["code"] == "file.missing"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "other"}', '{"version": 99}'])
def test_a_file_that_is_no_workflow(capfd: pytest.CaptureFixture[str], tmp_path: Path, text: str):
    path = tmp_path / "workflow.json"
    path.write_text(text)
    assert refused(capfd, "train", str(path))[0]["code"].startswith("workflow.")


def test_a_field_out_of_range_names_node_and_field(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, home: Path
):
    (problem,) = refused(capfd, "train", workflow_file(tmp_path, epochs=0))
    assert (problem["node"], problem["field"]) == ("f1", "epochs")
    assert not list(home.glob("runs/*"))


def test_an_unknown_task(capfd: pytest.CaptureFixture[str], tmp_path: Path):
    (problem,) = refused(capfd, "train", workflow_file(tmp_path, task="telepathy"))
    assert problem["field"] == "task"


def test_an_unknown_node(capfd: pytest.CaptureFixture[str], tmp_path: Path):
    (problem,) = refused(capfd, "train", workflow_file(tmp_path), "--node", "f9")
    assert "f9" in problem["message"]


def test_an_incomplete_plan(capfd: pytest.CaptureFixture[str], tmp_path: Path):
    path = tmp_path / "plan.json"
    path.write_text('{"format": "easymodel.plan", "version": 1}')
    assert refused(capfd, "train", str(path))[0]["code"].startswith("plan.")


@pytest.mark.parametrize(
    "parts",
    [
        {"request": {}, "finetune": {}, "model": {}, "dataset": {}},
        {"request": {"node": {"data": {}}}, "finetune": {}, "model": {}, "dataset": {}},
        {"request": [], "finetune": None, "model": "m", "dataset": 3},
    ],
)
def test_a_plan_whose_parts_are_empty(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, parts: dict[str, Any]
):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"format": "easymodel.plan", "version": 1, **parts}))
    (problem,) = refused(capfd, "train", str(path))
    assert problem["code"] == "plan.invalid"


def test_a_home_that_cannot_be_made(capfd: pytest.CaptureFixture[str], tmp_path: Path):
    (tmp_path / "file").touch()
    home = tmp_path / "file" / "home"
    (problem,) = refused(capfd, "train", workflow_file(tmp_path), "--home", str(home))
    assert problem["code"] == "home.unwritable"
    assert str(home) in problem["message"]


def test_a_folder_is_no_workflow(capfd: pytest.CaptureFixture[str], tmp_path: Path):
    (problem,) = refused(capfd, "train", str(tmp_path))
    assert problem["message"] == f"{tmp_path} cannot be read: Is a directory."


def test_an_empty_name_resumes_nothing(capfd: pytest.CaptureFixture[str], tmp_path: Path):
    (problem,) = refused(capfd, "train", workflow_file(tmp_path), "--resume", "")
    assert problem["code"] == "run.unknown"


def test_resuming_is_refused_with_a_sentence(capfd: pytest.CaptureFixture[str]):
    (problem,) = refused(capfd, "train", "--resume", "20260101T000000000-abcd")
    assert "20260101T000000000-abcd" in problem["message"]


def test_the_demo_of_an_unknown_task(capfd: pytest.CaptureFixture[str]):
    assert "generation" in refused(capfd, "demo", "poetry")[0]["message"]


def test_exporting_names_the_file_that_is_missing(capfd: pytest.CaptureFixture[str]):
    assert main(["export", "nowhere.json", "--to", "script", "-o", "train.py"]) == 2
    assert "nowhere.json" in capfd.readouterr().err


def test_without_json_stdout_stays_empty(capfd: pytest.CaptureFixture[str]):
    assert main(["train", "none.json"]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert "none.json" in err


CHATTER = """
import os
from easymodel_nb.terminal import JsonLines
with JsonLines() as lines:
    lines.event({"seq": 0})
    print("a library prints")
    os.write(1, b"and one below Python\\n")
    lines.event({"seq": 1})
print("afterwards")
"""


def test_json_lines_keep_everyone_else_off_stdout():
    done = subprocess.run(
        [sys.executable, "-c", CHATTER], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ['{"seq": 0}', '{"seq": 1}', "afterwards"]
    assert "a library prints" in done.stderr
    assert "and one below Python" in done.stderr


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (50.4, "50 s"), (83, "1 min 23 s"), (7500, "2 h 05 min"), (-1, "0 s")],
)
def test_durations_are_said_as_people_say_them(seconds: float, words: str):
    assert duration(seconds) == words


def test_events_become_sentences():
    measured = {"value": 13.25, "n": 10}
    epoch = {"type": "epoch", "epoch": 1.0, "analytics": {"perplexity": {"validation": measured}}}
    assert sentence(epoch) == "Epoch 1: perplexity validation 13.25"
    assert sentence({"type": "progress", "step": 3}) is None


def test_an_interrupt_while_the_command_is_imported(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    class Interrupted:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "easymodel_nb.cli":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "easymodel_nb.cli")
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    assert run() == 130
    assert capfd.readouterr() == ("", "")


def test_a_run_whose_time_was_used_up_says_so(capfd: pytest.CaptureFixture[str]):
    view = RunView(status="stopped", reason="time_budget", step=130)
    ended: Any = SimpleNamespace(id="r1", view=view, model_path=Path("m"))
    cli._explain([ended], as_json=False)
    out, err = capfd.readouterr()
    assert out == "The model is in m\n"
    assert err == "Run r1 was stopped at step 130: its time was used up.\n"


def test_who_named_a_mirror_hears_that_only_the_studio_copies(
    capfd: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
):
    cli._say_of_the_mirror(home)
    assert capfd.readouterr().err == ""
    monkeypatch.setenv("EASYMODEL_MIRROR", str(home.parent / "Synced"))
    cli._say_of_the_mirror(home)
    assert f"not copied to Synced yet: the studio does that when it is next opened on {home}" in (
        capfd.readouterr().err
    )
