"""How much of the disk a run takes, from the shapes of the model alone."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from easymodel_nb.train import checkpoints, methods

if TYPE_CHECKING:
    from easymodel_nb.train.tasks.task import Task

_WEIGHT = 4  # bytes: weights are saved in 32 bits
_OPTIMIZER = 8  # bytes of a trained weight: AdamW keeps two numbers of 32 bits


@dataclass(frozen=True)
class Written:
    """What a run writes, in bytes."""

    parameters: int  # of the model, without adapters
    trained: int  # how many of them, or of the adapters, are trained
    model_bytes: int
    checkpoint_bytes: int

    @property
    def most(self) -> int:
        """The model, and the checkpoints that are kept with the one that is being written."""
        return self.model_bytes + (checkpoints.KEPT + 1) * self.checkpoint_bytes


def needed(task: "Task") -> Written | None:
    """What the run of a prepared task writes; None where the model's shapes cannot be told."""
    try:
        whole, trained = methods.counted(task)
    except (ValueError, RuntimeError, AttributeError, ImportError, TypeError, KeyError):
        return None  # what is wrong with the model is said where it is loaded
    return written(task.context.chooser.data.method, whole, trained)


def written(method: str, parameters: int, trained: int) -> Written:
    """What a run by that method writes, of so many weights."""
    # The adapters of LoRA lie beside the model they are merged into; those of QLoRA alone.
    kept = {"full": parameters, "lora": parameters + trained}.get(method, trained)
    return Written(parameters, trained, _WEIGHT * kept, (_WEIGHT + _OPTIMIZER) * trained)
