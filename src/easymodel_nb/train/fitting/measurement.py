"""What real steps on a device took, and where it is kept.

A measurement is kept in HOME/cache/fit under a digest of everything it depends on. How many
epochs there are and how much memory is free just now is no part of it: a verdict is made from it
anew each time. What did not fit is not kept, because memory may be free later.
"""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from pydantic import BaseModel, ValidationError

from easymodel_nb import environment, whole
from easymodel_nb.train import cache
from easymodel_nb.train.batches.orders import Budgeted, Sizing, padded_tokens
from easymodel_nb.train.distributed.runner import count
from easymodel_nb.train.distributed.shares import share
from easymodel_nb.train.plan import BatchPlan
from easymodel_nb.train.preparation import Preparation
from easymodel_nb.workflow.document import FinetuneData

_VERSION = 6  # of what is measured and how
_EPOCHS = 3  # whose batches are looked at
_FIELDS = (
    "task",
    "method",
    "lora_rank",
    "target_modules",
    "batch_size",
    "precision",
    "gradient_checkpointing",
    "class_weights",
    "max_new_tokens",
)


class Setting(BaseModel):
    """What a run may change to need less memory."""

    batch_size: int
    gradient_accumulation: int
    gradient_checkpointing: bool


class Measurement(BaseModel):
    """Times in seconds, sizes in bytes; a batch is one forward and backward pass."""

    setting: Setting
    precision: str
    batch_seconds: float  # the longest batch, in the second step
    batch_tokens: int  # its rows times its longest row
    typical_seconds: float  # a batch of rows of middle length
    typical_tokens: int
    typical_rows: int
    optimizer_seconds: float  # clipping and the optimizer, once a step
    forward_seconds: float  # the typical batch without a backward pass, as measuring does
    token_seconds: float | None  # one more token of each of 16 answers; None: nothing is written
    load_seconds: float  # reading the weights
    weight_bytes: int
    memory_bytes: int  # peak, weights included
    longest: int  # tokens of the longest row
    rows: int  # of the longest batch
    device: str
    measured: str
    batches: BatchPlan = BatchPlan()
    refused: list[Setting] = []  # what ran out of memory before this fitted


def key(ready: Preparation, device: environment.Device) -> str:
    """Names everything that the measurement of a node depends on."""
    data = ready.chooser.data
    asked = FinetuneData.model_validate(ready.request["node"].get("data", {}))
    rows, typical = places(ready.lengths, data.batch_size)
    processes = count(ready.request)
    return cache.digest(
        [
            _VERSION,
            environment.version(),
            torch.__version__,
            transformers.__version__,
            device.model_dump(),
            os.environ.get("OMP_NUM_THREADS"),
            {name: getattr(asked, name) for name in _FIELDS},
            min(2, data.gradient_accumulation),
            _model_digest(ready),
            str(ready.task.model_options()),
            [ready.lengths[place] for place in rows],
            [ready.lengths[place] for place in typical],
            ready.prepared.max_new_tokens,
            _used(ready),
            *([processes] if processes > 1 else []),
        ]
    )


def _used(ready: Preparation) -> int | None:
    """How many rows of the embedding may be trained; None where all are."""
    two_sides = getattr(ready.config, "is_encoder_decoder", False)
    return None if ready.chooser.data.method != "full" or two_sides else len(ready.used_ids)


def _model_digest(ready: Preparation) -> list[Any]:
    folder = ready.model_folder
    files = sorted(path for path in Path(folder.path).iterdir() if path.is_file())
    known = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return [folder.name, folder.revision, known]


def batches(ready: Preparation, size: int) -> tuple[list[Any], list[Any]]:
    """The batch with the most tokens there can be, and one of middle length.

    Where several processes train, the largest share of each.
    """
    train, processes = ready.prepared.train, count(ready.request)
    longest, middle = ([train[place] for place in places] for places in _laid(ready, size))
    return share(longest, 0, processes), share(middle, 0, processes)


def _laid(ready: Preparation, size: int) -> tuple[list[int], list[int]]:
    """Where the rows of both are, as the run will draw them."""
    plan, data = ready.chooser.batches, ready.chooser.data
    if plan.order != "budgeted":
        return places(ready.lengths, size)
    sizes = ready.task.sizes(ready.prepared.train)
    order = Budgeted(sizes, Sizing.of(size, 1), data.seed)
    found: list[list[int]] = []
    for epoch in range(min(data.epochs, _EPOCHS)):
        order.set_epoch(epoch)
        found += order
    tokens = padded_tokens(sizes, found)
    ranked = sorted(range(len(found)), key=tokens.__getitem__)
    return found[ranked[-1]], found[ranked[len(ranked) // 2]]


def places(lengths: Sequence[int], size: int) -> tuple[list[int], list[int]]:
    """Where their rows are."""
    order: list[int] = torch.tensor(lengths).argsort(descending=True, stable=True).tolist()
    middle = max(0, len(order) // 2 - size // 2)
    return order[:size], order[middle : middle + size]


def any_in(home: Path) -> bool:
    """Whether anything was ever measured, before every row is looked at for a key."""
    return (home / "cache" / "fit").is_dir()


def read(home: Path, name: str) -> Measurement | None:
    """The measurement of that key, or None where there is none that can be read."""
    with contextlib.suppress(OSError, ValidationError, ValueError):
        text = (home / "cache" / "fit" / f"{name}.json").read_text(encoding="utf-8")
        return Measurement.model_validate_json(text)
    return None


def write(home: Path, name: str, found: Measurement) -> None:
    """Keep a measurement; where it cannot be written it is measured again."""
    folder = home / "cache" / "fit"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        whole.replace(folder / f"{name}.json", found.model_dump_json(indent=1), shared=True)
