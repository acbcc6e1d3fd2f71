"""Runs a folder on several processes of this machine, one a GPU: the third runner."""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from easymodel_nb import environment
from easymodel_nb.train.distributed.world import here
from easymodel_nb.train.runner import ProcessRunner

ASKED = "processes"  # in a request: what the command line asks for, whatever the machine has


class ProcessesRunner(ProcessRunner):
    """As a process of its own, which starts the others as torchrun does and looks after them."""

    def __init__(self, processes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        launch = "easymodel_nb.train.distributed.launch"
        self.command = (sys.executable, "-m", launch, "--processes", str(processes))


def processes_of(request: dict[str, Any]) -> int:
    """How many processes a request asks for, of those that this machine has a GPU for."""
    if asked := request.get(ASKED):
        return int(asked)
    wanted = int((request.get("node") or {}).get("data", {}).get("processes") or 1)
    return max(1, min(wanted, environment.gpus(ask_torch=wanted > 1)))


def count(request: dict[str, Any]) -> int:
    """On how many processes a request is trained: those there are, or would be started."""
    world = here()
    return world.size if world is not None else processes_of(request)


def sharded() -> bool:
    """Whether the processes that train here hold parts of the model, each its own."""
    world = here()
    return world is not None and bool(world.sharding)


def runner_for(request: dict[str, Any], otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """What runs a request: several processes where it asks for them, and we are not one of such."""
    processes = processes_of(request)
    if processes < 2 or here() is not None:  # noqa: PLR2004
        return otherwise
    return partial(ProcessesRunner, processes)
