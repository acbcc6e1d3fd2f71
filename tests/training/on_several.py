"""Runs on several processes of this machine's CPU, and what must be the same as on one."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cutting import TASKS, prepared, workflow
from small_runs import PATIENCE

from easymodel_nb.runlog.run import Run
from easymodel_nb.train.manager import RunManager
from easymodel_nb.workflow.document import Workflow

# Each task once, both methods: 12 steps each, the last of an epoch of a single row.
NODES = dict(zip(TASKS, ("full", "full", "lora", "lora"), strict=True))
TOLERANCE = 2e-4  # relative: sums in another order, over 12 steps


def still(folder: Path) -> Path:
    """A model and data for each task, without dropout: each process draws its own."""
    for config in prepared(folder).glob("*/config.json"):
        settings = json.loads(config.read_text())
        for name, value in settings.items():
            if ("drop" in name) and isinstance(value, float):
                settings[name] = 0.0
        if "feed_forward_proj" in settings:  # at ReLU's kink rounding would show
            settings |= {"feed_forward_proj": "gelu", "dense_act_fn": "gelu"}
        config.write_text(json.dumps(settings))
    return folder


def all_tasks(folder: Path) -> Workflow:
    """One workflow with a node for each task."""
    whole: dict[str, Any] = {}
    for task, method in NODES.items():
        more = {"lora_dropout": 0.0} if method == "lora" else {}
        part = workflow(folder, task, method, **more).dump()
        text = json.dumps({"nodes": part["nodes"], "edges": part["edges"]})
        for name in ("m1", "d1", "f1", "e1", "e2"):
            text = text.replace(f'"{name}"', f'"{name}-{task}"')
        found = json.loads(text)
        if not whole:
            whole = part | found
        else:
            whole["nodes"] += found["nodes"]
            whole["edges"] += found["edges"]
    return Workflow.read(whole)


def torchrun(
    *arguments: str,
    processes: int = 2,
    options: tuple[str, ...] = (),
    program: tuple[str, ...] = ("-m", "easymodel_nb"),
) -> "subprocess.Popen[str]":
    """The command line under torchrun, as a person types it."""
    where = options or ("--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0")
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(processes)]
    return subprocess.Popen(
        [*command, *where, *program, "train", *arguments],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def on_two_and_on_one(folder: Path, home: Path, manager: RunManager) -> list[tuple[Run, Run]]:
    """Each task's run on two processes, under torchrun, and on one."""
    document = all_tasks(folder)
    file = home.with_suffix(".json")
    file.write_text(json.dumps(document.dump()))
    command = torchrun(str(file), "--home", str(home))
    alone = [manager.wait(run.id) for run in manager.submit(document)]
    finished(command)
    runs = [Run(path) for path in sorted((home / "runs").iterdir())]
    assert len(runs) == len(alone) == len(NODES)
    return list(zip(runs, alone, strict=True))


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return int(free.getsockname()[1])


def finished(process: "subprocess.Popen[str]", code: int = 0) -> str:
    """What it printed, once it has ended as it should."""
    said, _ = process.communicate(timeout=2 * PATIENCE)
    assert process.returncode == code, said
    return said


def numbers(run: Run) -> dict[str, list[float]]:
    """Losses, gradients and measured losses of a run."""
    view = run.view
    return {
        "steps": [float(line.step) for line in view.curve],
        "loss": [line.loss or 0.0 for line in view.curve],
        "gradient": [line.grad_norm or 0.0 for line in view.curve],
        "rate": [line.learning_rate or 0.0 for line in view.curve],
        "measured": [point.analytics.task["loss"].value or 0.0 for point in view.points],
    }


def alike(run: Run, one: Run) -> None:
    """Assert that a run on several processes is, within float tolerance, that on one."""
    assert run.status == one.status == "finished", (run.view.problem, one.view.problem)
    expected = numbers(one)
    for name, values in numbers(run).items():
        assert values == pytest.approx(expected[name], rel=TOLERANCE, abs=1e-6), name
    assert run.view.summary["tokens"] == one.view.summary["tokens"]
