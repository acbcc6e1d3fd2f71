"""Runs that another process begins, or goes on with, while nothing is under way here.

While something is, the publisher looks four times a second; else it sleeps, and a run that was
interrupted would be shown so although another notebook or the command line goes on with it.
"""

from pathlib import Path

from easymodel_nb.runlog.log import runs_folder


class Elsewhere:
    """Tells whether a log of the home has grown since it was last asked; a `stat` a run."""

    def __init__(self, home: Path) -> None:
        self._root = runs_folder(home)
        self._sizes = self._look()

    def changed(self) -> bool:
        """Whether there is news."""
        before, self._sizes = self._sizes, self._look()
        return self._sizes != before

    def _look(self) -> dict[str, int]:
        try:
            return {folder.name: _size(folder / "events.jsonl") for folder in self._root.iterdir()}
        except OSError:  # no run yet, or its disk is away for the moment
            return {}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
