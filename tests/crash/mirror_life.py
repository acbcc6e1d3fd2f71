"""A kernel that saves to a synced folder without end; each line it prints is acknowledged."""

import itertools
import sys
import threading
from pathlib import Path

from easymodel_nb.store.mirror.folder import DiskFolder
from easymodel_nb.store.mirror.keeper import Keeper
from easymodel_nb.store.projects import ProjectStore


def main(home: Path, drive: Path) -> None:
    """Make a project, save, say so; again and again."""
    store, keeper = ProjectStore(home), Keeper(home, DiskFolder(drive, "Drive"), debounce=0)
    told = threading.Event()
    keeper.subscribe(told.set)
    keeper.start()
    keeper.ready(30)
    start = len(store.list_projects())
    for number in itertools.count(start):
        before = keeper.status().saved
        store.create(f"P{number}")
        keeper.save_now()
        while (status := keeper.status()).pending or status.saved == before:
            told.wait(0.01)
            told.clear()
        print(f"P{number}", flush=True)  # noqa: T201


main(Path(sys.argv[1]), Path(sys.argv[2]))
