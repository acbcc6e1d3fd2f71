"""The readers of a home's runs: whole while a run is under way, an outline once it has ended."""

import contextlib
from pathlib import Path

from easymodel_nb.runlog.log import RunReader
from easymodel_nb.runlog.outline import Shelf, outline
from easymodel_nb.runlog.view import RunView

Stamp = tuple[int, int, int]


class Readers:
    """Views of the runs in one folder, by id; every method may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._readers: dict[str, RunReader] = {}
        self._ended: dict[str, tuple[Stamp | None, RunView]] = {}
        self._shelf = Shelf()

    def reader(self, run: str) -> RunReader:
        """Reads a run as it goes."""
        return self._readers.setdefault(run, RunReader(self._folder / run))

    def view(self, run: str) -> RunView:
        """The whole run as it is now."""
        if self._outline(run) is not None and (whole := self._shelf.get(run)) is not None:
            return whole
        return self._look(run)

    def outline(self, run: str) -> RunView:
        """The run as it is now; of one that has ended, what is long is read when asked for."""
        if (found := self._outline(run)) is not None:
            return found
        view = self._look(run)
        return self._outline(run) or view

    def forget(self, run: str) -> None:
        """Read it anew: its log was put in place of another."""
        self._readers.pop(run, None)
        self._ended.pop(run, None)
        self._shelf.drop(run)

    def _outline(self, run: str) -> RunView | None:
        known = self._ended.get(run)
        if known is None or known[0] is None or known[0] != self._stamp(run):
            return None
        return known[1]

    def _look(self, run: str) -> RunView:
        stamp, view = self._stamp(run), self.reader(run).view()
        if view.ended is None or view.active:
            self._ended.pop(run, None)
            self._shelf.drop(run)
            return view
        if self._outline(run) is None:
            self._ended[run] = (stamp, outline(view, lambda: self.view(run)))
        self._shelf.put(run, view)
        self._readers.pop(run, None)  # what it has folded would stay with it
        return view

    def _stamp(self, run: str) -> Stamp | None:
        """What changes when anything is added to the log."""
        with contextlib.suppress(OSError):
            found = (self._folder / run / "events.jsonl").stat()
            return found.st_ino, found.st_size, found.st_mtime_ns
        return None
