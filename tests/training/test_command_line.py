"""The command line trains: its JSON lines are the log, its exit codes tell how it went."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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


def test_a_run_that_fails_says_why_and_exits_with_1(tmp_path: Path, home: Path):
    (tmp_path / "empty.csv").write_text("")
    done = subprocess.run(
        command("train", workflow_file(tmp_path, str(tmp_path / "empty.csv"))),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    failed = log_of(home)[-1]
    assert failed["type"] == "run_failed"
    assert (failed["problem"]["node"], failed["problem"]["field"]) == ("d1", "source")
    assert failed["problem"]["message"] in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


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
