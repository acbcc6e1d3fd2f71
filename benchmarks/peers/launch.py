"""Starts one run: a fresh process with one thread, offline, in the environment of its peer."""

import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from peers import checkpoints, environments, workloads
from peers.registry import PEERS
from peers.results import Found, Row
from peers.workloads import BATCH, EPOCHS, WORKLOADS

PATIENCE = 7_200  # seconds of one run
_MAKING = threading.Lock()  # what all runs begin with is made once


@dataclass(frozen=True)
class Form:
    """How much is measured: the smoke form or the full one."""

    name: str
    warmup: int = 5
    steps: int = 20
    rounds: int = 5
    seeds: int = 3
    every: int = 25  # steps between two weights that are evaluated
    rows: int = workloads.TRAIN_ROWS
    left_out: tuple[str, ...] = ()  # peers
    lossless: tuple[str, ...] = ()  # workloads of which no loss is taken


FORMS = {
    "smoke": Form(
        "smoke",
        warmup=2,
        steps=5,
        rounds=1,
        seeds=1,
        every=10,
        rows=320,
        left_out=("hf-max",),
        lossless=("gsm8k-plain", "slots", "e2e"),
    ),
    "full": Form("full"),
}


class FailedError(Exception):
    """A run that gave no numbers; the message is the last it said."""


def measure(row: Row, form: Form, cache: Path, home: str = "home") -> Found:
    """Run it, and evaluate the weights it kept; `home` is where our runs keep theirs.

    Raises
    ------
    FailedError, environments.UnbuildableError
        When there are no numbers.

    """
    workload, peer = WORKLOADS[row.workload], PEERS[row.peer]
    with _MAKING:
        interpreter = environments.python(peer.environment, cache / "environments")
        model = checkpoints.make(workload, cache / "models")
        data = workloads.write(workload, cache / "data", form.rows)
    with tempfile.TemporaryDirectory(prefix="easymodel-peers-") as scratch:
        job = {
            **{k: v for k, v in asdict(workload).items() if k not in {"rows", "peers", "goal"}},
            "model": str(model),
            "data": str(data),
            "module": peer.module,
            "settings": peer.settings,
            "mode": row.mode,
            "seed": row.number if row.mode == "loss" else 42,
            "batch_size": BATCH,
            "epochs": EPOCHS,
            "warmup": form.warmup,
            "steps": form.steps,
            "every": form.every,
            "home": str(cache / home),
            "scratch": scratch,
            "snapshots": f"{scratch}/snapshots",
            "out": f"{scratch}/out.json",
            "pad_id": _pad_id(cache / "models" / workload.model),
        }
        found = _run(interpreter, job, Path(scratch))
        if row.mode == "loss":
            job |= {"module": "evaluate"}
            found["losses"] = _run(environments.python("host", cache), job, Path(scratch))
    return found


def _pad_id(model: Path) -> int:
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    return int(config["pad_token_id"])


def _run(interpreter: Path, job: dict[str, Any], scratch: Path) -> Found:
    told, out = scratch / "job.json", Path(job["out"])
    told.write_text(json.dumps(job), encoding="utf-8")
    out.unlink(missing_ok=True)
    began = time.time()
    command = [str(interpreter), str(Path(__file__).with_name("child.py")), str(told)]
    ends = scratch / "ends.txt"
    with ends.open("w", encoding="utf-8") as file:
        done = subprocess.run(
            command, stdout=file, stderr=file, env=_surroundings(), check=False, timeout=PATIENCE
        )
    if not out.exists():
        lines = ends.read_text(encoding="utf-8", errors="replace").splitlines()
        last = next((line for line in reversed(lines) if line.strip()), "nothing was said")
        shutil.copy(ends, told.parent.parent / "easymodel-peers-last-failure.txt")
        raise FailedError(f"{last.strip()[:300]} (exit {done.returncode})")
    found: Found = json.loads(out.read_text(encoding="utf-8"))
    if job["module"] != "evaluate":
        found |= {"began": began, "seconds": time.time() - began}
    return found


def _surroundings() -> dict[str, str]:
    """One thread, no Hub, no telemetry."""
    return {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "PYTHONWARNINGS": "ignore",
    }
