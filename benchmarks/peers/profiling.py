"""Where the time of our steps goes, by kind of operation: what a missed goal is explained with."""

import json
import os
import time
from pathlib import Path
from typing import Any, Final

from peers import timing
from torch.profiler import ProfilerActivity, profile

KINDS: Final = {
    "products of matrices": ("mm", "addmm", "bmm", "linear", "matmul"),
    "attention": ("scaled_dot_product", "_flash_attention", "_efficient_attention"),
    "loss": ("log_softmax", "nll_loss", "cross_entropy", "softmax", "logsumexp"),
    "optimizer": ("adam", "norm", "foreach", "clip", "optimizer"),
    "activations and norms": ("gelu", "relu", "tanh", "layer_norm", "dropout", "pow", "rsqrt"),
    "embeddings": ("embedding",),
    "copying and selecting": (
        *("copy", "cat", "index", "gather", "scatter", "clone", "nonzero", "contiguous", "where"),
        *("fill", "zero", "empty", "slice", "select", "stack", "split", "narrow", "transpose"),
        *("view", "reshape", "permute", "arange"),
    ),
}
REST: Final = "other operations"
PYTHON: Final = "Python, collating and the Trainer"


def kind_of(name: str) -> str:
    """The kind of one of PyTorch's operations, by its name (`aten::addmm`)."""
    plain = name.rpartition("::")[2].lower()
    if "layer_norm" in plain:
        return "activations and norms"
    return next((kind for kind, parts in KINDS.items() if any(p in plain for p in parts)), REST)


class Profiled(timing.Stopwatch):
    """Lets PyTorch's profiler look at the steps of the window; what it adds is in them."""

    _looking: Any = None
    _began = 0.0

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Look from the end of the warm-up on."""
        if self._looking is not None and state.global_step == self._last:
            self._looking.__exit__(None, None, None)
            self._write(time.perf_counter() - self._began)
        super().on_step_end(args, state, control, **kwargs)
        if args.learning_rate and state.global_step == self._job["warmup"]:
            self._looking = profile(activities=[ProfilerActivity.CPU])
            self._looking.__enter__()
            self._began = time.perf_counter()

    @property
    def _last(self) -> int:
        return int(self._job["warmup"] + self._job["steps"])

    def _write(self, seconds: float) -> None:
        kinds: dict[str, float] = {}
        for event in self._looking.key_averages():
            kind = kind_of(event.key)
            kinds[kind] = kinds.get(kind, 0.0) + event.self_cpu_time_total / 1e6
        kinds[PYTHON] = max(0.0, seconds - sum(kinds.values()))
        found = {"shares": {kind: taken / seconds for kind, taken in kinds.items()}}
        Path(self._job["out"]).write_text(json.dumps(found), encoding="utf-8")
        os._exit(0)
