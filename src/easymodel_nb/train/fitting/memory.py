"""Memory of the device: what is free, what a piece of work takes at most, and running out of it."""

import contextlib
import ctypes
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
import torch

from easymodel_nb.metrics.memory import free, out_of_memory

_SAMPLE_SECONDS = 0.005
_SAMPLES_A_LOOK = 10  # at what the whole machine has left, which takes longer
_RESERVE_SHARE = 0.02  # of the machine's memory is left to everyone else
_RESERVE_BYTES = 256_000_000
_CGROUP = Path("/sys/fs/cgroup")


def ran_out(error: BaseException | None) -> bool:
    """Whether an error, or what caused it, says that memory ran out."""
    while error is not None:
        if out_of_memory(error):
            return True
        error = error.__cause__
    return False


def give_back() -> None:
    """Return what nobody holds any more to the device and to the system."""
    free()
    if sys.platform == "linux":
        # glibc keeps freed blocks: a later peak in them would not show as memory of the process
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


def free_bytes() -> int:
    """What work of this process may still take on the device, its own free blocks included."""
    if torch.cuda.is_available():
        unused, _ = torch.cuda.mem_get_info()
        return int(unused + torch.cuda.memory_reserved() - torch.cuda.memory_allocated())
    if torch.backends.mps.is_available():
        limit = torch.mps.recommended_max_memory()
        return max(0, int(limit - torch.mps.driver_allocated_memory()))
    return max(0, min([_free_of_machine(), *_free_of_addresses()]))


def _free_of_machine() -> int:
    return max(0, min([int(psutil.virtual_memory().available), *_free_of_container()]))


def _free_of_container() -> Iterator[int]:
    """A container may give less than the machine has (cgroup version 2, else 1)."""
    for limit, used, stat, cache in (
        ("memory.max", "memory.current", "memory.stat", "inactive_file"),
        (
            "memory/memory.limit_in_bytes",
            "memory/memory.usage_in_bytes",
            "memory/memory.stat",
            "total_inactive_file",
        ),
    ):
        with contextlib.suppress(OSError, ValueError):
            most = int((_CGROUP / limit).read_text())
            lines = (_CGROUP / stat).read_text().splitlines()
            cached = dict(line.split(" ", 1) for line in lines)
            yield most - int((_CGROUP / used).read_text()) + int(cached.get(cache, 0))


def _free_of_addresses() -> Iterator[int]:
    """A limit on the address space of the process, as `ulimit -v` sets it."""
    with contextlib.suppress(ImportError, OSError):
        import resource  # noqa: PLC0415  there is none on Windows

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            yield limit - int(psutil.Process().memory_info().vms)


class Peak:
    """What a piece of work takes at most above what was taken when it began.

    On a GPU its allocator counts; elsewhere the process is sampled every 5 ms. On a CPU it also
    watches that the machine keeps a reserve: where that is touched, `guard` ends the work with
    MemoryError, because a system without memory would end the whole kernel.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self.short = False  # the reserve was touched
        self._cuda = torch.cuda.is_available()
        self._mps = not self._cuda and torch.backends.mps.is_available()
        self._process = psutil.Process()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._before = 0
        total = psutil.virtual_memory().total
        self._reserve = max(_RESERVE_BYTES, int(total * _RESERVE_SHARE))

    def __enter__(self) -> Self:
        give_back()
        if self._cuda:
            torch.cuda.reset_peak_memory_stats()
            self._before = int(torch.cuda.memory_allocated())
            return self
        self._before = self._now()
        name = f"{threading.current_thread().name}-memory"
        self._thread = threading.Thread(target=self._sample, name=name, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._cuda:
            self.bytes = max(0, int(torch.cuda.max_memory_allocated()) - self._before)
            return
        self._look()
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _now(self) -> int:
        if self._mps:
            return int(torch.mps.driver_allocated_memory())
        return int(self._process.memory_info().rss)

    def _look(self) -> None:
        self.bytes = max(self.bytes, self._now() - self._before)

    def _sample(self) -> None:
        samples = 0
        while not self._ended.wait(_SAMPLE_SECONDS):
            self._look()
            samples += 1
            if samples % _SAMPLES_A_LOOK == 0 and not self._mps:
                self.short = self.short or _free_of_machine() < self._reserve

    @contextlib.contextmanager
    def guard(self, model: Any) -> Iterator[None]:
        """Let a pass of the model meanwhile end with MemoryError where the reserve is touched."""

        def look(*_: Any) -> None:
            if self.short:
                msg = "Out of memory: the machine has nearly none left."
                raise MemoryError(msg)

        leaves = [module for module in model.modules() if not list(module.children())]
        handles = [module.register_forward_pre_hook(look) for module in leaves]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()
