"""Keeps the processes of a run at the same step: what the leader decides, all do.

The leader's callbacks measure, write and decide while the others wait where these callbacks
stand, the last of their lists; then its word goes round. A step needs one such word, and one sum
of what the processes have read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn.parallel import DistributedDataParallel
from transformers import TrainerCallback

from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.metrics.memory import out_of_memory
from easymodel_nb.train.control import Stopped
from easymodel_nb.train.distributed.world import Left, World, died, together
from easymodel_nb.train.rescue import TOGETHER

_GO_ON, _LEAVE, _GATHER, _GATHER_ALL = range(4)
_FLAGS = ("should_training_stop", "should_epoch_stop", "should_save", "should_log")


class Arriving(TrainerCallback):
    """The first of the leader's callbacks: from here on the others wait for its word."""

    def __init__(self, world: World) -> None:
        self._world = world

    def _arrive(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        self._world.alone = True

    on_train_begin = on_step_end = on_log = on_epoch_end = _arrive


class Agreeing(TrainerCallback):
    """The last callback of every process: the leader's flags become those of all."""

    def __init__(self, world: World) -> None:
        self._world = world

    def _agree(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        flags = [int(getattr(control, name)) for name in _FLAGS]
        code, *flags = self._world.same([_GO_ON, *flags])
        while code in {_GATHER, _GATHER_ALL}:  # for what the leader does alone
            self._world.shards.gather(states=code == _GATHER_ALL)
            code, *flags = self._world.same([_GO_ON, *flags])
        if code == _LEAVE:
            raise Left
        for name, flag in zip(_FLAGS, flags, strict=True):
            setattr(control, name, bool(flag))
        self._world.alone = False

    on_train_begin = on_step_end = on_log = on_epoch_end = _agree

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """The weights are about to change."""
        if self._world.shards is not None:
            self._world.shards.changed()


def up_to_date() -> None:
    """Give the leader's model the weights of the last step, where other processes hold parts.

    Whatever the leader does with the model while all train calls it before.
    """
    world = together()
    if world is not None and world.shards is not None and not world.shards.fresh:
        _gather(world)


def _gather(world: World, *, states: bool = False) -> None:
    code = _GATHER_ALL if states else _GATHER
    world.same([code, *(0 for _ in _FLAGS)])
    world.shards.gather(states=states)


def counted(world: World, targets: torch.Tensor, tokens: int) -> tuple[torch.Tensor, int, bool]:
    """The targets and tokens of a step on all processes, and whether one was asked to stop."""
    numbers = torch.tensor([float(targets), tokens, world.asked_to_stop], dtype=torch.double)
    total = world.sums(numbers)
    return total[0].to(targets.dtype), int(total[1]), bool(total[2])


@contextmanager
def leading(world: World | None) -> Iterator[None]:
    """The leader's training: what ends it early ends that of the others.

    Raises
    ------
    StudioError
        When a process has gone, or this one has failed in the middle of a step: the others wait
        for its part of the gradient, and nothing can tell them.

    """
    if world is None:
        yield
        return
    try:
        yield
    except BaseException as error:
        if world.alone and _left(world):
            raise
        world.broken = True
        if isinstance(error, Stopped) and (gone := _lost(world)):
            raise StudioError(gone) from error  # torchrun ends all where one has gone
        if isinstance(error, Stopped) and world.shards is not None and not world.shards.fresh:
            raise StudioError(died(None, world.size)) from error  # nobody has what would be saved
        if isinstance(error, StudioError) or not isinstance(error, Exception):
            raise
        raise StudioError(_why(world, error)) from error


def _left(world: World) -> bool:
    """Whether the others, who wait for the leader's word, have got it."""
    try:
        if world.shards is not None and world.shards.begun:
            _gather(world, states=True)  # for the last checkpoint, and to save the model
        world.same([_LEAVE, *(0 for _ in _FLAGS)])
    except RuntimeError:
        return False
    return True


def _why(world: World, error: Exception) -> Problem:
    if out_of_memory(error):
        return no_memory()
    found = _lost(world)
    if found is None and not lost_another(error):
        raise error
    return found or died(None, world.size)


def _lost(world: World) -> Problem | None:
    """Why another process has ended: where its memory ran out, it was that of all."""
    found = world.lost()
    return no_memory() if found is not None and found.code == "memory.out" else found


def lost_another(error: BaseException) -> bool:
    """Whether an error says that another process cannot be reached any more."""
    said = str(error).lower()
    return "Dist" in type(error).__name__ or any(
        word in said for word in ("gloo", "nccl", "connection closed by peer", "connection reset")
    )


def no_memory() -> Problem:
    """Memory ran out in a step that all take: it cannot be tried again while the others wait."""
    return Problem(code=TOGETHER, message="Out of memory.", field="batch_size")


@torch.enable_grad()
def ignore_unused(model: Any, task: Any, row: Any) -> None:
    """Let DistributedDataParallel not wait for trained weights that no loss reaches.

    Such as those of a pooler; one pass over one row tells. Its own way to find them goes from
    what the model gives back, and our loss may be made of what is inside it.
    """
    devices = [model.device] if model.device.type == "cuda" else []
    batch = {name: value.to(model.device) for name, value in task.collate([row]).items()}
    labels = batch.pop("labels")
    training = model.training
    with torch.random.fork_rng(devices):
        model.train()
        task.loss(model(**batch), labels).backward()
    unused = [
        name
        for name, weight in model.named_parameters()
        if weight.requires_grad and weight.grad is None
    ]
    model.zero_grad(set_to_none=True)
    model.train(training)
    ignore: Any = DistributedDataParallel._set_params_and_buffers_to_ignore_for_model  # noqa: SLF001
    ignore(model, unused)
