"""The processes of one run: who there is, and what they tell each other.

`torchrun` starts them and gives each its place by environment variables. Process 0 leads: it
alone makes the plan, measures, writes the log and saves. The others follow what it says over a
group of their own on the CPU, on which they may wait for days: measuring takes what it takes.
The variables are hidden but while all train, so that what the leader does alone, such as the fit
check, is not taken for something that everybody does.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from easymodel_nb import environment
from easymodel_nb.errors import Problem, problem_error

_VARIABLES = (
    "RANK",
    "LOCAL_RANK",
    "WORLD_SIZE",
    "LOCAL_WORLD_SIZE",
    "GROUP_RANK",
    "GROUP_WORLD_SIZE",
    "ROLE_RANK",
    "ROLE_WORLD_SIZE",
    "MASTER_ADDR",
    "MASTER_PORT",
)
_FSDP, _DEEPSPEED = "ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED"
_PATIENCE = timedelta(days=30)
_WORD_SECONDS = 2.0  # for what a process that failed had to say


class Left(Exception):  # noqa: N818  a message, not an error
    """The leader has ended the training."""


class World:
    """This process among those of the run; made by `join` alone."""

    def __init__(
        self, rank: int, size: int, variables: dict[str, str], sharding: dict[str, str]
    ) -> None:
        import torch  # noqa: PLC0415
        import torch.distributed as dist  # noqa: PLC0415

        self.rank, self.size = rank, size
        self._variables = variables
        self.sharding = sharding  # accelerate's options for FSDP; empty: each holds the whole model
        self.shards: Any = None  # the model that is shared out, while all train
        self.together = False  # whether all train now
        self.alone = True  # whether the others wait for the leader's word now
        self.broken = False  # whether one has gone in the middle of a step
        self.asked_to_stop = False  # this process; the leader decides
        cuda = torch.cuda.is_available()
        if cuda:
            torch.cuda.set_device(_device(variables, torch.cuda.device_count()))
        dist.init_process_group("nccl" if cuda else "gloo")
        self._group = dist.new_group(backend="gloo", timeout=_PATIENCE)
        self._dist, self._torch = dist, torch
        self._store = dist.distributed_c10d._get_default_store()  # noqa: SLF001
        self._store.set(f"easymodel/{rank}", f"{environment.hostname()} {os.getpid()}")
        self.nodes = int(variables.get("GROUP_WORLD_SIZE", 1))

    @property
    def leads(self) -> bool:
        """Whether this is the process that plans, measures, tells and saves."""
        return self.rank == 0

    # ------------------------------------------------------------ telling

    def say(self, message: dict[str, Any]) -> None:
        """Tell the followers, who wait in `hear`."""
        data = self._torch.frombuffer(
            bytearray(json.dumps(message).encode()), dtype=self._torch.uint8
        )
        self._dist.broadcast(self._torch.tensor([len(data)]), 0, group=self._group)
        self._dist.broadcast(data, 0, group=self._group)

    def hear(self) -> dict[str, Any]:
        """Wait for the leader's next message."""
        length = self._torch.zeros(1, dtype=self._torch.long)
        self._dist.broadcast(length, 0, group=self._group)
        data = self._torch.zeros(int(length), dtype=self._torch.uint8)
        self._dist.broadcast(data, 0, group=self._group)
        heard: dict[str, Any] = json.loads(bytes(data.tolist()))
        return heard

    def same(self, numbers: Sequence[int]) -> list[int]:
        """The leader's numbers, on every process."""
        shared = self._torch.tensor(list(numbers), dtype=self._torch.long)
        self._dist.broadcast(shared, 0, group=self._group)
        return [int(number) for number in shared]

    def sums(self, numbers: Any) -> Any:
        """The sum of each number of a tensor over all processes, on the CPU."""
        total = numbers.detach().to("cpu", copy=True)
        self._dist.all_reduce(total, group=self._group)
        return total

    def device_sums(self, numbers: Any) -> Any:
        """The same on the device, which nobody waits for."""
        total = numbers.detach().clone()
        self._dist.all_reduce(total)
        return total

    def gathered(self, value: Any) -> list[Any]:
        """What each process has, on the leader; nothing on the others."""
        found: list[Any] | None = [None] * self.size if self.leads else None
        self._dist.gather_object(value, found, 0, group=self._group)
        return found or []

    # ------------------------------------------------------------ the environment

    @contextmanager
    def training(self) -> Iterator[None]:
        """All train meanwhile, and libraries may know of the others."""
        os.environ.update(self._variables)
        self.together = True
        try:
            yield
        finally:
            self.together, self.shards = False, None
            for name in self._variables:
                os.environ.pop(name, None)

    # ------------------------------------------------------------ the end

    def fail(self, problem: Problem) -> None:
        """Leave a word for the leader: this process cannot go on."""
        with suppress(RuntimeError):
            self._store.set(f"easymodel/failed/{self.rank}", problem.model_dump_json())

    def lost(self) -> Problem | None:
        """Why another process of the run has ended; None where none has, as far as is known."""
        others = [rank for rank in range(self.size) if rank != self.rank]
        with suppress(RuntimeError):
            for rank in others:
                if self._store.check([f"easymodel/failed/{rank}"]):
                    said = self._store.get(f"easymodel/failed/{rank}")
                    problem = Problem.model_validate_json(said)
                    where = f"Process {rank + 1} of {self.size}: "
                    return problem.model_copy(update={"message": where + problem.message})
            for rank in others:
                host, pid = self._store.get(f"easymodel/{rank}").decode().rsplit(" ", 1)
                started = environment.process_started(int(pid))
                here = host == environment.hostname()
                if here and (started is None or not environment.process_alive(int(pid), started)):
                    return died(rank, self.size)
        return None

    def end(self) -> None:
        """The leader's last word: there is nothing more to do."""
        if not self.broken:
            with suppress(RuntimeError):
                self.say({"do": "end"})


def died(rank: int | None, size: int) -> Problem:
    """What to say of a process that ended without a word."""
    which = "One" if rank is None else f"Number {rank + 1}"
    return Problem(
        code="distributed.died",
        message=f"{which} of the {size} processes of this run has ended without a word, and the "
        "others cannot go on without it. This is what the system does when memory runs out. "
        "Resume the run: it goes on from its last checkpoint; if it happens again, choose a "
        "smaller batch size or fewer processes.",
    )


_here: World | None = None


def here() -> World | None:
    """The processes this one belongs to; None where it trains by itself."""
    return _here


def together() -> World | None:
    """The processes that train together now; None where this one does something alone."""
    return _here if _here is not None and _here.together else None


def lost_process() -> Problem | None:
    """Why another process of this one's run has ended; None where none has."""
    return _here.lost() if _here is not None else None


def join() -> World | None:
    """Meet the other processes, where torchrun has started several; once a process.

    Raises
    ------
    StudioError
        When this process would have no GPU of its own, or the model is to be sharded in a way
        that is not supported.

    """
    global _here  # noqa: PLW0603  as torch.distributed, one a process
    if _here is None and environment.started_by_torchrun():
        sharding = _sharding()
        variables = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
        rank, size = int(variables["RANK"]), int(variables["WORLD_SIZE"])
        _here = World(rank, size, variables, sharding)
        for name in (*variables, *sharding):
            del os.environ[name]
    return _here


def _sharding() -> dict[str, str]:
    """What `accelerate launch --use_fsdp` has asked for; empty where it was not."""
    if _says_yes(_DEEPSPEED):
        raise problem_error(
            "distributed.deepspeed",
            "DeepSpeed is not supported. Start it with --use_fsdp --fsdp_version 2 instead, which "
            "shards weights, gradients and the optimizer's state, too.",
        )
    if not _says_yes(_FSDP):
        return {}
    if os.environ.get("FSDP_VERSION", "1") != "2":
        raise problem_error(
            "distributed.fsdp_version",
            "Of FSDP only version 2 is supported, and accelerate starts version 1 unless told "
            "otherwise. Add --fsdp_version 2.",
        )
    asked = [name for name in os.environ if name == _FSDP or name.startswith("FSDP_")]
    return {name: os.environ[name] for name in asked}


def _says_yes(name: str) -> bool:
    return os.environ.get(name, "false").lower() in {"1", "true", "yes"}


def _device(variables: dict[str, str], count: int) -> int:
    local = int(variables.get("LOCAL_RANK", "0"))
    if local >= count:
        raise problem_error(
            "distributed.devices",
            f"{local + 1} processes were started on {environment.hostname()}, which has {count} "
            f"{'GPU' if count == 1 else 'GPUs'}. Start one process a GPU: "
            f"--nproc-per-node {count}.",
        )
    return local
