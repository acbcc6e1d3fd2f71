"""Two sampled runs of the base model: what its answers differ by without any training.

Sampling draws from generators of its own seed; the process's own are as they were afterwards, so
that a run trains as if nothing had been sampled.
"""

from collections.abc import Callable
from typing import Any

import torch

from easymodel_nb.train.analytics.store import Row

SAMPLING: dict[str, Any] = {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0}


def twice(
    answers: Callable[[dict[str, Any]], list[Row]], device: torch.device, seed: int
) -> tuple[list[Row], list[Row]]:
    """The answers of two runs; `answers` writes them with arguments of `generate`."""
    devices = [device] if device.type == "cuda" else []
    found = []
    for number in (1, 2):
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(seed + number)
            found.append(answers(SAMPLING))
    return found[0], found[1]
