"""Forks a kernel for each line of standard input, and says in a line how it ended."""

import contextlib
import json
import os
import signal
import sys
import time
from multiprocessing import RawValue
from pathlib import Path
from typing import Any

import torch

from easymodel_nb.train.attempt import Attempt
from easymodel_nb.train.heavy import import_trainer
from easymodel_nb.train.manager import RunManager
from easymodel_nb.workflow.document import Workflow

CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "shutil.rmtree"}
calls = RawValue("i", 0)  # shared with the kernels: a dead one cannot tell


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def watch(home: str, death: dict[str, Any]) -> None:
    """Count what is done to files below the home, and die before the one that is meant."""
    number, (kind, end) = death.get("call"), death.get("before") or ("", "")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" and event not in CHANGES:
            return
        path = arguments[0]
        if not isinstance(path, (str, os.PathLike)) or not str(path).startswith(home):
            return
        calls.value += 1
        if calls.value == number or (event == kind and str(path).endswith(end)):
            die()

    sys.addaudithook(hook)


def live(order: dict[str, Any]) -> None:
    """Queue and wait, as a cell does."""
    watch(order["home"], order["death"])
    manager = RunManager(Path(order["home"]))
    runs = [
        run
        for document in order["workflows"]
        for run in manager.submit(Workflow.read(document), project_id="p")
    ]
    runs += [manager.resume(run_id) for run_id in order["resume"]]
    for run in runs:
        manager.wait(run.id)


def fork(order: dict[str, Any]) -> dict[str, Any]:
    calls.value, began = 0, time.monotonic()
    if not (pid := os.fork()):
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        code = 1
        with contextlib.suppress(BaseException):
            try:
                live(order)
                code = 0
            except BaseException:
                sys.excepthook(*sys.exc_info())
                raise
        os._exit(code)
    limit = order["death"].get("seconds")
    while limit is not None and time.monotonic() - began < limit:
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
            break
        time.sleep(0.001)
    if limit is not None:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert killed or os.waitstatus_to_exitcode(status) == 0
    return {"killed": killed, "calls": calls.value, "seconds": time.monotonic() - began}


if __name__ == "__main__":
    torch.set_num_threads(1)
    import_trainer()
    assert Attempt  # what a run imports is imported before the first fork
    for line in sys.stdin:
        sys.stdout.write(json.dumps(fork(json.loads(line))) + "\n")
        sys.stdout.flush()
