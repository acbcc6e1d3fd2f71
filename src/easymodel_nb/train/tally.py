"""What a run counts while it trains: loss by token, seconds of steps, memory."""

import time
from typing import Any

import psutil
import torch

from easymodel_nb.train.distributed.world import together


class Tally:
    """Sums of loss and tokens, kept on the device until they are asked for."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self._nll: torch.Tensor | None = None
        self._targets: torch.Tensor | None = None

    def add(self, nll: torch.Tensor, targets: torch.Tensor) -> None:
        """Count the summed loss of some targets."""
        self._nll = nll if self._nll is None else self._nll + nll
        self._targets = targets if self._targets is None else self._targets + targets

    def state_dict(self) -> dict[str, Any]:
        """The sums, as they are on the device."""
        return {"nll": self._nll, "targets": self._targets}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from sums that were kept."""
        nll, targets = state["nll"], state["targets"]
        self._nll = None if nll is None else torch.tensor(nll, dtype=torch.double)
        self._targets = None if targets is None else torch.tensor(targets)

    def mean(self) -> float | None:
        """The token-weighted mean since the last clear; None where nothing was to be learned."""
        if self._nll is None or not self.targets:
            return None
        return float(self._nll) / self.targets

    @property
    def targets(self) -> int:
        """How many targets were counted since the last clear."""
        return int(self._targets) if self._targets is not None else 0


class SummedLoss:
    """The summed loss of a batch, divided by the targets of the whole optimizer step."""

    def __init__(self) -> None:
        self.idle = False
        self.since_line, self.recent = Tally(), Tally()

    def __call__(
        self, total: torch.Tensor, count: torch.Tensor, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """The loss to step by, of the summed loss of a batch and its count of targets."""
        if self.idle:  # this process has no row of the batch, and takes part with one of others
            total, count = total * 0.0, count * 0
        nll, seen = total.detach().double(), count
        if (world := together()) is not None:
            nll, seen = world.device_sums(torch.stack([nll, seen.to(nll)])).unbind()
            seen = seen.to(count.dtype)
        for tally in (self.since_line, self.recent):
            tally.add(nll, seen)
        items = num_items_in_batch if num_items_in_batch is not None else count
        # A step without a target has no gradient; divided by 0 it would spoil all weights.
        return total / items.clamp(min=1)

    def state_dict(self) -> dict[str, Any]:
        """What the next progress line will be made of."""
        return self.since_line.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.since_line.load_state_dict(state)


class Clock:
    """Seconds spent in training steps alone, without measuring and saving."""

    def __init__(self) -> None:
        self.steps_seconds = 0.0
        self.tokens = 0
        self.fetched = 0  # tokens of the step under way
        self._began: float | None = None

    def start(self) -> None:
        """A step begins."""
        self._began = time.monotonic()

    def pause(self) -> None:
        """A step has ended."""
        self.tokens += self.fetched
        self.fetched = 0
        if self._began is not None:
            self.steps_seconds += time.monotonic() - self._began
            self._began = None

    def state_dict(self) -> dict[str, Any]:
        """What whole steps took."""
        return {"seconds": self.steps_seconds, "tokens": self.tokens}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.steps_seconds, self.tokens = state["seconds"], state["tokens"]

    @property
    def seconds(self) -> float:
        """Of all steps so far."""
        running = time.monotonic() - self._began if self._began is not None else 0.0
        return self.steps_seconds + running

    @property
    def tokens_per_second(self) -> float | None:
        """Tokens read in a second of training; None before the first."""
        return self.tokens / self.seconds if self.seconds > 0 and self.tokens else None


def memory_bytes() -> int:
    """Peak memory on the GPU, or the resident memory of this process."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    return int(psutil.Process().memory_info().rss)
