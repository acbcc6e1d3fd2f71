"""The least memory that a model needs, counted from the shapes in its files before it is read."""

import math
from pathlib import Path

from safetensors import SafetensorError, safe_open

from easymodel_nb.train.preparation import Preparation

_FULL = 16  # bytes a weight: itself, its gradient, two moments of AdamW, each in 32 bits
_FROZEN = {"lora": 4, "qlora": 1}  # the base alone; four bits are half a byte, with their scales


def least_bytes(ready: Preparation) -> int | None:
    """Bytes without any activation; None where the files do not tell."""
    count = weights(Path(ready.model_folder.path))
    return None if count is None else count * _FROZEN.get(ready.chooser.data.method, _FULL)


def weights(folder: Path) -> int | None:
    """How many numbers the safetensors files of a model folder hold."""
    files = sorted(folder.glob("model*.safetensors"))
    if not files:
        return None
    total = 0
    try:
        for path in files:
            with safe_open(path, framework="pt") as file:
                shapes = (file.get_slice(name).get_shape() for name in file.keys())  # noqa: SIM118
                total += sum(math.prod(shape) for shape in shapes)
    except (OSError, SafetensorError):
        return None
    return total
