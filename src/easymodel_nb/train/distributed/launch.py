"""Starts the processes of one run on this machine, as torchrun does: the entry of its runner.

The Hub token and what else is held come by standard input, which torchrun's children do not get.
They ask for them over a socket in a folder that only this account can open. The connections stay
open as long as this process lives: where it is killed, so are the others.
"""

import argparse
import json
import os
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import Listener
from pathlib import Path
from typing import Any

from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import elastic_launch
from torch.distributed.run import config_from_args, parse_args

from easymodel_nb.redaction import redact
from easymodel_nb.runlog.log import RunLog, read_view
from easymodel_nb.train.distributed.worker import ADDRESS
from easymodel_nb.train.distributed.world import died


def main() -> int:
    """Run the folder on so many processes; an exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--processes", type=int, required=True)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    token, held = sys.stdin.readline(), sys.stdin.readline()
    secrets = json.dumps({"token": token.strip(), "held": json.loads(held or "{}")}).encode()
    listener = Listener(None)  # a socket, or a named pipe, whatever this system has
    os.environ[ADDRESS] = str(listener.address)
    threads = max(1, _cores() // options.processes)
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))  # torchrun would say 1
    serving = threading.Thread(target=_serve, args=(listener, secrets), daemon=True)
    serving.start()
    try:
        _launch(options.folder, options.processes)
    except ChildFailedError as error:
        _say_why(options.folder, options.processes, error)
        return 1
    return 0


def _launch(folder: Path, processes: int) -> None:
    read: Any = parse_args  # no types
    options = read(
        [
            *("--nproc-per-node", str(processes)),
            *("--rdzv-backend", "c10d"),
            *("--rdzv-endpoint", "localhost:0"),  # a free port: two runs do not collide
            *("--module", "easymodel_nb.train.distributed.worker"),
            *(str(folder), str(processes)),
        ]
    )
    config, command, arguments = config_from_args(options)
    elastic_launch(config=config, entrypoint=command)(*arguments)


def _serve(listener: Listener, secrets: bytes) -> None:
    kept: list[Any] = []
    while True:
        with suppress(OSError, EOFError):
            kept.append(listener.accept())
            kept[-1].send_bytes(secrets)


def _say_why(folder: Path, processes: int, error: ChildFailedError) -> None:
    """The last word of a run whose leader could say none: nobody writes its log any more."""
    view = read_view(folder)
    if view.ended:
        return
    rank, _ = error.get_first_failure()
    problem = died(rank, processes).model_copy(update={"node": view.node_id or None})
    with suppress(OSError):
        RunLog(folder).append("run_failed", problem=problem, detail=redact(str(error)))


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


if __name__ == "__main__":
    sys.exit(main())
