"""Weights that are a pickle: which files of a model they are, and what stands for their version."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

SAFETENSORS, PICKLED = "*.safetensors", "pytorch_model*.bin"


def is_weights(name: str) -> bool:
    """Whether a file of a model holds weights that Transformers reads."""
    return any(Path(name).match(pattern) for pattern in (SAFETENSORS, PICKLED))


def pickles_alone(names: Iterable[str]) -> bool:
    """Whether the weights of a model are pickles and nothing else."""
    found = [name for name in names if is_weights(name)]
    return bool(found) and all(Path(name).match(PICKLED) for name in found)


def stamp(folder: Path) -> str:
    """What stands for the weights in a folder of this machine, in place of a commit.

    Of their names, sizes and times: to read them whole would take as long as to load them.
    """
    found = sorted(path for path in folder.glob(PICKLED) if path.is_file())
    told = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in found]
    return hashlib.sha256(repr(told).encode()).hexdigest()
