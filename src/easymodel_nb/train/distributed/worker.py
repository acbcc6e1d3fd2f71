"""One of the processes that `launch` starts: it leads the run of a folder, or helps with it."""

import json
import os
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import Client
from pathlib import Path
from typing import Any

from easymodel_nb.redaction import hold
from easymodel_nb.secrets import TokenHolder

ADDRESS = "EASYMODEL_LAUNCHER"  # where the launcher tells what it was told


def main(folder: Path, processes: int) -> int:
    """Take part in the run to its end; an exit code."""
    line = Client(os.environ.pop(ADDRESS))
    secrets = json.loads(line.recv_bytes())
    threading.Thread(target=_end_with, args=(line,), daemon=True).start()
    holder = TokenHolder()
    holder.type_in(secrets["token"])
    hold(secrets["held"])

    from easymodel_nb.train.distributed.command import lead_or_help  # noqa: PLC0415
    from easymodel_nb.train.distributed.world import here  # noqa: PLC0415

    def lead() -> int:
        from easymodel_nb.train.control import Control  # noqa: PLC0415
        from easymodel_nb.train.engine import execute  # noqa: PLC0415

        control = Control(folder)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: control.stop("signal"))
        _check_size(folder, processes)
        execute(folder, control, token=holder.token, redact=holder.redact)
        world = here()
        return 1 if world is not None and world.broken else 0

    return lead_or_help(folder.parent.parent, lead, holder)


def _check_size(folder: Path, processes: int) -> None:
    """Say which number of processes there is, where it is not the one that was asked for."""
    from easymodel_nb.errors import Problem  # noqa: PLC0415
    from easymodel_nb.runlog.log import RunLog  # noqa: PLC0415
    from easymodel_nb.train.distributed.world import here  # noqa: PLC0415

    world = here()
    size = world.size if world is not None else 1
    if size != processes:
        problem = Problem(
            code="distributed.size",
            severity="ask",
            message=f"The run was to train on {processes} processes, and {size} were started.",
        )
        RunLog(folder).append("warning", problem=problem)


def _end_with(line: Any) -> None:
    """A launcher that was killed cannot end its processes: they end by themselves."""
    with suppress(EOFError, OSError):
        line.recv_bytes()  # nothing comes
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
