"""The command line trains: its JSON lines are the log, its exit codes tell how it went."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from easymodel_nb import builtin
from easymodel_nb.store.first import first_workflow

Events = list[dict[str, Any]]


def workflow_file(folder: Path, source: str = "builtin:requests", **changes: Any) -> Path:
    document = first_workflow().dump()
    _, dataset, finetune = document["nodes"]
    dataset["data"]["source"] = source
    small = {
        "epochs": 1,
        "subset_size": 40,
        "eval_size": 16,
        "max_length": 32,
        "max_new_tokens": 4,
    }
    finetune["data"] |= small | changes
    path = folder / "workflow.json"
    path.write_text(json.dumps(document))
    return path


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "easymodel_nb", *map(str, arguments)]


def log_of(home: Path) -> Events:
    (path,) = home.glob("runs/*/events.jsonl")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def known(event: dict[str, Any]) -> dict[str, Any]:
    """An event without the nulls that stand for what was not measured."""
    return {key: value for key, value in event.items() if value is not None}


def test_the_json_lines_are_the_log(tmp_path: Path, home: Path):
    done = subprocess.run(
        command("train", workflow_file(tmp_path), "--json"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    written = log_of(home)
    assert [known(event) for event in told] == [known(event) for event in written]
    assert told[0]["type"] == "run_created"
    assert told[-1]["type"] == "run_finished"
    assert len({event["run_id"] for event in told}) == 1


def test_the_plan_of_a_run_can_be_trained_again(tmp_path: Path, home: Path):
    first = subprocess.run(
        command("train", workflow_file(tmp_path), "--json"),
        capture_output=True,
        text=True,
        check=True,
    )
    (plan,) = home.glob("runs/*/plan.json")
    again = subprocess.run(
        command("train", plan, "--json", "--home", tmp_path / "other"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 0, again.stderr
    points = [
        [
            (e["epoch"], e["analytics"]["perplexity"]["validation"]["value"])
            for e in map(json.loads, done.stdout.splitlines())
            if e["type"] == "epoch"
        ]
        for done in (first, again)
    ]
    assert points[0] == [pytest.approx(point, rel=1e-4) for point in points[1]]


def torn_model(folder: Path) -> Path:
    """A model whose weights cannot be read: only a run finds that out."""
    folder = Path(shutil.copytree(builtin.path("tiny-gpt2"), folder))
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    return folder


def test_a_run_that_fails_says_why_and_exits_with_1(tmp_path: Path, home: Path):
    file = workflow_file(tmp_path)
    document = json.loads(file.read_text())
    (model,) = [node for node in document["nodes"] if node["type"] == "model"]
    model["data"]["source"] = str(torn_model(tmp_path / "torn"))
    file.write_text(json.dumps(document))
    done = subprocess.run(command("train", file), capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    failed = log_of(home)[-1]
    assert failed["type"] == "run_failed"
    assert (failed["problem"]["node"], failed["problem"]["field"]) == ("m1", "source")
    assert failed["problem"]["message"] in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_red_audit_refuses_before_there_is_a_run(tmp_path: Path, home: Path):
    (tmp_path / "empty.csv").write_text("")
    file = workflow_file(tmp_path, str(tmp_path / "empty.csv"))
    done = subprocess.run(
        command("train", file, "--json"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    (line,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert line["type"] == "refused"
    (problem,) = line["problems"]
    assert (problem["code"], problem["node"], problem["field"]) == ("file.empty", "d1", "source")
    assert problem["message"] in done.stderr
    assert list(home.glob("runs/*")) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_run_after_its_step(tmp_path: Path, home: Path, number: signal.Signals):
    running = subprocess.Popen(
        command("train", workflow_file(tmp_path, epochs=1000), "--json"),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    told: Events = []
    for line in running.stdout:
        told.append(json.loads(line))
        if told[-1]["type"] == "progress" and running.poll() is None:
            running.send_signal(number)
            break
    told += [json.loads(line) for line in running.stdout]
    assert running.wait() == 130
    assert told[-1]["type"] == "run_stopped"
    assert told[-1]["reason"] == "signal"
    assert [known(event) for event in told] == [known(event) for event in log_of(home)]
