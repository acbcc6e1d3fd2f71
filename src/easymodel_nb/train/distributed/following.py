"""What a process that does not lead does: the same rows, the same model, its share of each step."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from easymodel_nb import environment
from easymodel_nb.errors import problem_error
from easymodel_nb.train import loop, methods, resuming
from easymodel_nb.train.assembly import assemble, torch_device
from easymodel_nb.train.control import Control
from easymodel_nb.train.distributed.together import lost_another
from easymodel_nb.train.distributed.world import Left, World
from easymodel_nb.train.failure import problem_of
from easymodel_nb.train.opening import pinned
from easymodel_nb.train.plan import RunPlan
from easymodel_nb.train.preparation import prepare
from easymodel_nb.train.quiet import LogBuffer, quiet
from easymodel_nb.train.reporter import Unlogged
from easymodel_nb.train.resuming import Start
from easymodel_nb.train.scratch import scratch

DONE, FAILED = 0, 1
Token = Callable[[], str | None]
__all__ = ["DONE", "FAILED", "begin", "follow"]


def begin(world: World, plan: RunPlan, start: Start, folder: Path) -> None:
    """The leader's word to the others: prepare, and be there for the first step."""
    world.say(
        {
            "do": "train",
            "plan": plan.model_dump(mode="json"),
            "folder": str(folder),
            "checkpoint": str(start.found.path) if start.found is not None else None,
        }
    )


def follow(world: World, home: Path, token: Token, redact: Callable[[str], str]) -> int:
    """Do what the leader says until it says that this was all; an exit code."""
    buffer = LogBuffer(redact)
    while True:
        try:
            message = world.hear()
        except RuntimeError:  # it has gone without a word
            return FAILED
        if message["do"] == "end":
            return DONE
        folder = Path(message["folder"])
        try:
            with quiet(buffer):
                _take_part(world, message, folder, home, token)
        except Left:
            continue
        except BaseException as error:  # noqa: BLE001  the leader must hear of it, whatever it is
            if not lost_another(error):
                world.fail(problem_of(error, folder, redact))
                print(redact(traceback.format_exc()), flush=True)  # noqa: T201  into the run's output
            return FAILED


def _take_part(
    world: World, message: dict[str, Any], folder: Path, home: Path, token: Token
) -> None:
    plan = RunPlan.model_validate(message["plan"])
    checkpoint = Path(message["checkpoint"]) if message["checkpoint"] else None
    if checkpoint is not None and not checkpoint.is_dir():
        raise problem_error(
            "distributed.checkpoint",
            f"The checkpoint {checkpoint} cannot be read on {environment.hostname()}. To resume, "
            "the home must lie on a file system that all machines share.",
        )
    with scratch(home) as own:
        there = (folder / "plan.json").is_file()  # the same machine, or a disk they share
        reporter = Unlogged(home, folder if there else own)
        control = Control(own)  # the leader is asked to stop, and tells
        ready = prepare(pinned(plan.request, plan), token, control, reporter, device=torch_device())
        resuming.same_data(plan, ready)
        ready.chooser.data = plan.finetune
        model = assemble(ready, environment.device(ask_torch=True), control, reporter)
        architecture = type(methods.bare(model)).__name__
        resuming.same_model(plan, architecture, methods.sizes(model)[0], ready.model_node)
        with world.training():
            loop.follow(world, ready.task, model, plan, ready.prepared, own, checkpoint)
