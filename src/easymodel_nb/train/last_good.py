"""What is left of a run whose weights became NaN: the last checkpoint, which holds none."""

from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from easymodel_nb.train import checkpoints
from easymodel_nb.train.callbacks.checkpoints import load_weights
from easymodel_nb.train.finite import broken_weight
from easymodel_nb.train.plan import RunPlan


def make_whole(model: Any, folder: Path, plan: RunPlan, steps: int) -> int | None:
    """The step whose weights the model holds: `steps`, or that of the last good checkpoint.

    A model without a broken weight is left as it is. None when there is no good checkpoint; the
    model must then not be kept.
    """
    if broken_weight(model, learned_only=True) is None:
        return steps
    found, _ = checkpoints.find(folder / checkpoints.FOLDER, checkpoints.identity(plan))
    if found is None:
        return None
    try:
        load_weights(model, found.path)
    except (OSError, ValueError, StopIteration, SafetensorError):
        return None
    return found.step if broken_weight(model, learned_only=True) is None else None
