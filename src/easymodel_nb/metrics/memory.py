"""Out of memory: how it is known, and how what it held is given back."""

import errno
import gc
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
# How the allocators of PyTorch, CUDA, MPS and the operating system say it.
_SAID = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "cublas_status_alloc_failed",
    "cudnn_status_alloc_failed",
    "std::bad_alloc",
    "bad allocation",
)


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there was not enough memory."""
    import torch  # noqa: PLC0415

    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, RuntimeError) and any(s in str(error).lower() for s in _SAID)


def free() -> None:
    """Give back what nobody holds any more."""
    import torch  # noqa: PLC0415

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()


def in_halves(items: Sequence[T], work: Callable[[Sequence[T]], list[R]]) -> list[R]:
    """One result an item, in order; what does not fit into memory at once is done in two halves.

    Raises
    ------
    RuntimeError
        As it came, when a single item does not fit.

    """
    try:
        return work(items)
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error) or len(items) <= 1:
            raise
    free()  # out here: the error held everything alive
    half = len(items) // 2
    return in_halves(items[:half], work) + in_halves(items[half:], work)
