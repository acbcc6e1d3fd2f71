"""Folders for the moment, which do not outlive their process, even one that was killed."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from easymodel_nb import environment


@contextmanager
def scratch(home: Path) -> Iterator[Path]:
    """An empty folder in the home's cache, gone at the end.

    The folder above it names its process, so that the next one to ask, in whichever process,
    removes what killed ones have left. Where the home cannot be written it lies elsewhere.
    """
    with contextlib.ExitStack() as stack:
        try:
            own = _own(home / "cache" / "scratch")
            folder = stack.enter_context(tempfile.TemporaryDirectory(dir=own))
        except OSError:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="easymodel-"))
        yield Path(folder)


def _own(above: Path) -> Path:
    pid = os.getpid()
    own = above / f"{environment.hostname()}-{pid}-{environment.process_started(pid) or 0:.0f}"
    own.mkdir(parents=True, exist_ok=True)
    for other in above.glob(f"{environment.hostname()}-*"):
        if other != own and not _lives(other.name):
            shutil.rmtree(other, ignore_errors=True)
    return own


def _lives(name: str) -> bool:
    try:
        pid, started = (int(part) for part in name.rsplit("-", 2)[1:])
    except ValueError:
        return True  # none of ours
    return environment.process_alive(pid, started)
