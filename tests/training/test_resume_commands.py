"""--resume: new events alone, codes of exit, and a second signal to a resumed run."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cutting import cut_within, prepared, workflow

from easymodel_nb.cli import main
from easymodel_nb.runlog.run import Run
from easymodel_nb.train.data import variables
from easymodel_nb.train.manager import RunManager


def interrupted_by(number: signal.Signals, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """Send a signal at the third progress line; the exit code and the events on stdout."""
    command = [sys.executable, "-m", "easymodel_nb", "train", *arguments, "--json"]
    heard: list[dict[str, Any]] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            heard.append(json.loads(line))
            steps = sum(event["type"] == "progress" for event in heard)
            if heard[-1]["type"] == "progress" and steps == 3:  # once: a second one ends at once
                process.send_signal(number)
    return process.returncode, heard


def test_a_signal_and_on_from_there_and_a_signal_again(tmp_path: Path):
    document = tmp_path / "workflow.json"
    document.write_text(json.dumps(workflow(prepared(tmp_path), epochs=49).dump()))
    home = str(tmp_path / "home")
    code, first = interrupted_by(signal.SIGINT, str(document), "--home", home)
    assert code == 130
    assert (first[-1]["type"], first[-1]["reason"]) == ("run_stopped", "signal")
    run = Run(tmp_path / "home" / "runs" / first[0]["run_id"])
    steps = first[-1]["summary"]["steps"]
    assert run.view.resumable == steps
    assert first[-1]["model_path"] == "model"

    code, second = interrupted_by(signal.SIGTERM, "--resume", run.id, "--home", home)
    assert code == 130
    assert [e["seq"] for e in first + second] == list(range(len(first) + len(second)))
    kinds = [e["type"] for e in second]
    assert kinds[0] == "stage"
    assert kinds[kinds.index("run_started") + 1] == "run_resumed"
    (went_on,) = (e for e in second if e["type"] == "run_resumed")
    assert (went_on["attempt"], went_on["step"]) == (2, steps)
    assert went_on["loss_before"] == [e["loss"] for e in first if e["type"] == "progress"][-1]
    assert next(e["step"] for e in second if e["type"] == "progress") == steps + 1
    # A point that the signal came into is measured now; none is measured twice.
    measured = [[e["step"] for e in some if e["type"] == "epoch"] for some in (first, second)]
    assert not set(measured[0]) & set(measured[1])
    assert all(step >= steps for step in measured[1])
    view = run.view
    assert [p.step for p in view.curve] == list(range(1, view.step + 1))
    assert (view.attempt, view.status, view.reason) == (2, "stopped", "signal")


def test_a_run_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["train", "--resume", "no-such-run", "--json", "--home", str(tmp_path)]) == 2
    refused = json.loads(capsys.readouterr().out)
    assert refused["type"] == "refused"
    assert refused["problems"][0]["code"] == "run.unknown"


def test_a_variable_that_is_gone_is_read_from_the_run(
    manager: RunManager, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    rows = [{"text": f"row {n} says {n * 7}"} for n in range(24)]
    try:
        variables.look_in(lambda: {"mine": rows})
        with monkeypatch.context() as patched:
            cut_within(patched, 3)
            flow = workflow(prepared(tmp_path), epochs=1)
            flow.nodes[1].data["source"] = "variable:mine"
            (run,) = manager.submit(flow)
            manager.wait(run.id)
        assert run.status == "failed"
    finally:
        variables.look_in(None)
    manager.resume(run.id)
    assert manager.wait(run.id).status == "finished", run.view.detail
