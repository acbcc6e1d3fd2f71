"""A worker that is killed with SIGKILL: `dying_worker.py STEP FOLDER`.

It dies in the second batch of the step after STEP.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from easymodel_nb.train import worker
from easymodel_nb.train.trainer import LeanTrainer


def die_within(step: int) -> None:
    whole, seen = LeanTrainer.training_step, list[int]()

    def training_step(self: LeanTrainer, *args: Any, **kwargs: Any) -> Any:
        if self.state.global_step == step:
            seen.append(step)
            if len(seen) == 2:
                os.kill(os.getpid(), signal.SIGKILL)
        return whole(self, *args, **kwargs)

    LeanTrainer.training_step = training_step  # type: ignore[method-assign]


if __name__ == "__main__":
    die_within(int(sys.argv[1]))
    worker.main(Path(sys.argv[2]))
