"""The clock of every peer: one callback, so that nobody is timed in another way.

It counts from the end of one optimizer step to the end of another: fetching and collating rows,
both passes, the optimizer, logging and whatever else the peer does in between. Tokens are counted
where they enter the embedding: all that are computed, and those of them that are not padding.
It imports nothing that some peer's environment lacks.
"""

import json
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback


class Stopwatch(TrainerCallback):
    """Times a run as its job asks, and ends the process once that is written.

    `speed`: `steps` steps after `warmup`. `loss`: all steps; the weights after every `every` of
    them are kept in `snapshots`, which is not counted.
    """

    def __init__(self, job: dict[str, Any]) -> None:
        self._job = job
        self._model: Any = None
        self._real: Any = 0  # a tensor while they are on a GPU: to ask for it would wait
        self._computed = 0
        self._left_out = [0.0, 0.0]
        self._marks: list[dict[str, float]] = []
        self._rss = 0

    # ------------------------------------------------------------ the clock

    def _now(self, *, asked: bool = True) -> dict[str, float]:
        """The time, and the tokens so far where `asked`: on a GPU that waits for it."""
        if asked:
            self._real = int(self._real)
            if torch.cuda.is_available():
                torch.cuda.synchronize()
        return {
            "cpu": time.process_time() - self._left_out[0],
            "wall": time.perf_counter() - self._left_out[1],
            "tokens": self._real if asked else 0,
            "computed": self._computed,
        }

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave out what is done meanwhile."""
        cpu, wall = time.process_time(), time.perf_counter()
        try:
            yield
        finally:
            self._left_out[0] += time.process_time() - cpu
            self._left_out[1] += time.perf_counter() - wall

    def _count(self, module: Any, inputs: tuple[Any, ...]) -> None:
        if module.training:
            (ids, *_) = inputs
            self._computed += ids.numel()
            self._real = self._real + (ids != self._job["pad_id"]).sum()

    # ------------------------------------------------------------ the Trainer's events

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Begin to count; a rehearsal at a rate of 0, as our fit check takes, is none."""
        if self._model is not None or args.learning_rate == 0:
            return
        self._model = model = kwargs["model"]
        weight = model.get_input_embeddings().weight
        for module in model.modules():
            if isinstance(module, torch.nn.Embedding) and module.weight is weight:
                module.register_forward_pre_hook(self._count)
        self._rss = _status("VmRSS")
        _forget_peak()
        self._marks.append(self._now())

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Take the time of a step; keep the weights, or end, where that is due."""
        if self._model is None or args.learning_rate == 0:
            return
        step, job = state.global_step, self._job
        ends = step in {job["warmup"], job["warmup"] + job["steps"]}
        self._marks.append(self._now(asked=ends or not torch.cuda.is_available()))
        if job["mode"] == "speed":
            if step == job["warmup"] + job["steps"]:
                self._end({"window": [job["warmup"], step]})
        elif step % job["every"] == 0 or step == state.max_steps:
            with self.paused():
                self._keep(step)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """All steps were taken."""
        if self._model is not None and self._job["mode"] == "loss":
            self._end({"steps": state.global_step})

    # ------------------------------------------------------------ what is written

    def _keep(self, step: int) -> None:
        folder = Path(self._job["snapshots"])
        folder.mkdir(parents=True, exist_ok=True)
        names = getattr(self._model.config, "id2label", None)
        kept = {"weights": self._model.state_dict(), "labels": names}
        torch.save(kept, folder / f"{step}.pt")

    def _end(self, found: dict[str, Any]) -> None:
        found |= {
            "marks": self._marks,
            "rss_before_bytes": self._rss,
            "peak_training_bytes": peak(),
            "peak_process_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "threads": torch.get_num_threads(),
            "load": os.getloadavg()[0],
        }
        Path(self._job["out"]).write_text(json.dumps(found), encoding="utf-8")
        os._exit(0)  # nothing that comes after is asked for


def peak() -> int:
    """The greatest resident size since training began, in bytes."""
    return _status("VmHWM")


def _status(name: str) -> int:
    """A number of /proc/self/status in bytes; 0 where there is none."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name)), 0)


def _forget_peak() -> None:
    """Let VmHWM begin again at what is used now (see proc_pid_clear_refs(5))."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return
