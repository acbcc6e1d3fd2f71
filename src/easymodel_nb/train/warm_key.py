"""What a warm start depends on, as a digest: the nodes, the files they name, what was agreed to.

It looks at files from outside alone (names, sizes, times), so that it takes a millisecond at the
click.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from easymodel_nb import environment
from easymodel_nb.train import cache
from easymodel_nb.train.addresses import VARIABLE, local_path
from easymodel_nb.train.data.open import DATA_ENDINGS

_MOST_FILES = 500
_CONSENTS = "consents.json"  # in the home: what a model may run or open
_PARTS = ("node", "model", "dataset")


def warm_key(request: dict[str, Any], home: Path) -> str | None:
    """Names everything that data and model of a request depend on; None where it cannot be told.

    That is so of a variable of the notebook, of a model that another run is to train, and of a
    folder of very many files.
    """
    if any("data" not in request.get(part, {}) for part in _PARTS):
        return None
    model, dataset = (str(request[part]["data"].get("source", "")) for part in _PARTS[1:])
    if dataset.strip().startswith(VARIABLE):
        return None
    states = []
    for source, endings in ((model, ()), (dataset, DATA_ENDINGS)):
        path = local_path(source, endings) if source.strip() else None
        state = None if path is None else looks(path)
        if path is not None and state is None:
            return None
        states.append(state)
    return cache.digest(
        [
            environment.version(),
            str(home),
            [[request[part].get("id"), request[part]["data"]] for part in _PARTS],
            states,
            looks(home / _CONSENTS),
            os.environ.get("OMP_NUM_THREADS"),
        ]
    )


def looks(path: Path) -> list[Any] | None:
    """Names, sizes and times of a file, or of all below a folder; None where they are too many."""
    try:
        if not path.is_dir():
            state = path.stat()
            return [str(path.absolute()), state.st_size, state.st_mtime_ns]
        found = list[Any]()
        for entry in _below(path):
            if len(found) == _MOST_FILES:
                return None
            found.append(entry)
        return sorted(found)
    except OSError as error:
        return [type(error).__name__]


def _below(folder: Path) -> Iterator[tuple[str, int, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _below(Path(entry.path))
            else:
                state = entry.stat()
                yield entry.path, state.st_size, state.st_mtime_ns
