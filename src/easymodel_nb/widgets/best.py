"""Which run of a sweep is the best, where the paired intervals with all the others say so."""

from collections.abc import Callable, Sequence
from pathlib import Path

from easymodel_nb.report.compare_pairs import best_of
from easymodel_nb.report.compared import ComparedRun
from easymodel_nb.runlog import scores
from easymodel_nb.runlog.log import runs_folder
from easymodel_nb.runlog.view import RunView

_KEPT = 64  # sweeps


class Best:
    """Compares the runs of each sweep once, on a worker, when the last of them has ended."""

    def __init__(
        self, home: Path, later: Callable[[Callable[[], None]], None], changed: Callable[[], None]
    ) -> None:
        self._runs, self._later, self._changed = runs_folder(home), later, changed
        self._known: dict[tuple[str, ...], str | None] = {}

    def of(self, views: Sequence[RunView]) -> set[str]:
        """The best runs that are known; what is not known yet is asked."""
        groups: dict[str, list[RunView]] = {}
        for view in views:
            if (sweep := view.request.get("sweep")) and isinstance(sweep, str):
                groups.setdefault(sweep, []).append(view)
        found = set()
        for group in groups.values():
            measured = sorted((v for v in group if v.points), key=lambda view: view.id)
            if len(measured) < 2 or any(view.active for view in group):  # noqa: PLR2004
                continue
            # A run that is resumed ends once more, with other scores.
            key = tuple(f"{view.id}/{view.attempt}/{len(view.points)}" for view in measured)
            if key not in self._known:
                self._ask(key, measured)
            if (best := self._known.get(key)) is not None:
                found.add(best)
        return found

    def _ask(self, key: tuple[str, ...], views: list[RunView]) -> None:
        while len(self._known) >= _KEPT:
            del self._known[next(iter(self._known))]
        self._known[key] = None

        def work() -> None:
            runs = [
                ComparedRun(view, number, view.id, scores.read(self._runs / view.id))
                for number, view in enumerate(views, 1)
            ]
            best = best_of(runs, runs[0])
            if best is not None:
                self._known[key] = best.view.id
                self._changed()

        self._later(work)
