"""The command line, where memory runs out in the fourth step of one process unless it has few rows.

Under torchrun; it is the process that does not lead.
"""

import os
import sys
from typing import Any

import torch

from easymodel_nb.cli import main
from easymodel_nb.train.trainer import LeanTrainer

_step = LeanTrainer.training_step


def training_step(self: LeanTrainer, *args: Any, **kwargs: Any) -> Any:
    many = self.args.per_device_train_batch_size > 2
    if many and os.environ["RANK"] == "1" and self.state.global_step == 3:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
    return _step(self, *args, **kwargs)


if __name__ == "__main__":
    LeanTrainer.training_step = training_step  # type: ignore[method-assign]
    sys.exit(main())
