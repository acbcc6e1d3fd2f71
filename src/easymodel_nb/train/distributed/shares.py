"""Whose rows: a batch of the whole run, split over its processes."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from accelerate.data_loader import prepare_data_loader

T = TypeVar("T")
Collate = Callable[[Sequence[Any]], dict[str, Any]]


class Idle(dict[str, Any]):
    """A batch that a process without a row takes part with: it counts for nothing."""


def share(rows: Sequence[T], rank: int, size: int) -> list[T]:
    """The rows of one process: dealt from the longest to the shortest, there and back again.

    So each process has as many rows and nearly as many tokens as every other. The order is a
    function of the rows alone; where there are fewer rows than processes, some get none.
    """
    order = sorted(range(len(rows)), key=lambda index: -_length(rows[index]))
    mine = [
        index
        for place, index in enumerate(order)
        if rank == (place % size if place // size % 2 == 0 else size - 1 - place % size)
    ]
    return [rows[index] for index in sorted(mine)]


def _length(row: Any) -> int:
    return len(row) if hasattr(row, "__len__") else 1


def dealt(collate: Collate, rank: int, size: int) -> Collate:
    """Collates one process's share of the rows of a whole batch."""

    def work(rows: Sequence[Any]) -> dict[str, Any]:
        mine = share(rows, rank, size)
        return collate(mine) if mine else Idle(collate([min(rows, key=_length)]))

    return work


def unsharded(accelerator: Any) -> None:
    """Let every process go through whole batches: their rows are dealt when they are collated.

    What accelerate does by itself gives whole batches to the processes in turn, repeats rows
    where they do not suffice, and changes how many of them a step learns from.
    """

    def prepare(loader: Any, *_: Any, **__: Any) -> Any:
        return prepare_data_loader(
            loader,
            accelerator.device,
            num_processes=1,
            process_index=0,
            put_on_device=True,
            non_blocking=accelerator.non_blocking,
        )

    accelerator.prepare_data_loader = prepare
