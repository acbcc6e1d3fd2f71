"""Exported code: no easymodel import, and the losses of the studio's run."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from small_runs import small

from easymodel_nb.cli import main
from easymodel_nb.train.api import train
from easymodel_nb.train.export import export
from easymodel_nb.workflow.document import Workflow

_STEP = re.compile(r"step \d+/\d+  loss (\S+)")
_EPOCH = re.compile(r"epoch \d+  validation loss (\S+)")
SHORT: dict[str, Any] = {"epochs": 2, "subset_size": 24, "eval_size": 12, "max_length": 48}


def losses_of_script(text: str, folder: Path) -> tuple[list[float], list[float]]:
    """What the script prints: the loss of each step, and of validation after each epoch."""
    script = folder / "exported.py"
    script.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return read(done.stdout)


def read(told: str) -> tuple[list[float], list[float]]:
    return [[float(x) for x in pattern.findall(told)] for pattern in (_STEP, _EPOCH)]  # type: ignore[return-value]


def losses_of_run(workflow: Workflow) -> tuple[list[float], list[float]]:
    events: list[dict[str, Any]] = []
    (run,) = train(workflow, on_event=events.append)
    assert run.status == "finished", run.view.problem
    points = [
        event["analytics"]["task"]["loss"]["value"]
        for event in events
        if event["type"] == "epoch" and float(event["epoch"]).is_integer()
    ]
    steps = [event["loss"] for event in events if event["type"] == "progress"]
    return steps, [point for point in points if point is not None]


def sound(text: str) -> None:
    """It is formatted Python without problems, and imports nothing of ours."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        names = (
            [a.name for a in node.names] if isinstance(node, (ast.Import, ast.ImportFrom)) else []
        )
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not any("easymodel" in name for name in names)
    for command in (["check"], ["format", "--line-length", "100", "--diff"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "-"],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


CASES: dict[str, dict[str, Any]] = {
    "prompt and target": {"gradient_accumulation": 2, "weight_decay": 0.1},
}


@pytest.mark.parametrize("case", CASES)
def test_the_script_prints_the_losses_of_the_run(case: str, tmp_path: Path):
    workflow = small(**SHORT | CASES[case])
    name, text = export(workflow, "f1", "script")
    assert name == "first-model-f1.py"
    sound(text)
    told, run = losses_of_script(text, tmp_path), losses_of_run(workflow)
    for found, expected in zip(told, run, strict=True):
        assert len(found) == len(expected) > 0
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)
    assert (tmp_path / "first-model-f1" / "model.safetensors").exists()


def test_the_command_line_writes_a_file_or_says_why_not(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    document = small(**SHORT).dump()
    file, out = tmp_path / "flow.json", tmp_path / "out.py"
    file.write_text(json.dumps(document))
    assert main(["export", str(file), "--node", "f1", "--to", "script", "-o", str(out)]) == 0
    assert "load_dataset" in out.read_text()
    document["edges"] = []
    file.write_text(json.dumps(document))
    assert main(["export", str(file), "--to", "script", "-o", str(out)]) == 2
    assert "f1" in capfd.readouterr().err
