"""A worker that is killed with SIGKILL: `dying_worker.py WHEN STEP FOLDER`.

WHEN is `step` (in the second batch of the step after STEP) or `checkpoint` (half-way through
writing the one of STEP).
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from easymodel_nb.train import worker
from easymodel_nb.train.callbacks import checkpoints
from easymodel_nb.train.loop import LeanTrainer


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_within(step: int) -> None:
    whole, seen = LeanTrainer.training_step, list[int]()

    def training_step(self: LeanTrainer, *args: Any, **kwargs: Any) -> Any:
        if self.state.global_step == step:
            seen.append(step)
            if len(seen) == 2:
                die()
        return whole(self, *args, **kwargs)

    LeanTrainer.training_step = training_step  # type: ignore[method-assign]


def die_writing(step: int) -> None:
    whole = checkpoints.save_weights

    def save_weights(model: Any, folder: Path) -> None:
        whole(model, folder)
        if folder.name.endswith(f"-{step}"):
            (folder / "optimizer.pt").write_bytes(b"half of it")
            die()

    checkpoints.save_weights = save_weights


if __name__ == "__main__":
    when, step, folder = sys.argv[1:]
    {"step": die_within, "checkpoint": die_writing}[when](int(step))
    worker.main(Path(folder))
