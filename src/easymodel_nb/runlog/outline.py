"""What lists show of a run that has ended; curve and points are folded again when asked for.

A measured point takes about 30 KB as objects, a line of the curve 1 KB: a home of some hundred runs
would fill the kernel's memory with what nobody looks at.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, overload

from easymodel_nb.runlog.view import RunView

LONG = ("curve", "points", "samples")
ROOM = 600  # measured points that stay in memory, of the runs that were looked at last
_CURVE = 30  # so many lines of a curve take the room of a point

Whole = Callable[[], RunView]


class Later(Sequence[Any]):
    """A list of a run's view: how long it is, is known; what is in it, is read when asked for."""

    def __init__(self, length: int, read: Callable[[], Sequence[Any]]) -> None:
        self._length, self._read = length, read

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, place: int) -> Any: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Any]: ...
    def __getitem__(self, place: int | slice) -> Any:
        return self._read()[place]

    def __iter__(self) -> Any:
        return iter(self._read())

    def __eq__(self, other: object) -> bool:
        """As lists are equal."""
        if other is self:
            return True
        if not isinstance(other, Sequence) or len(other) != self._length:
            return False
        return list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


def outline(view: RunView, whole: Whole) -> RunView:
    """The view with what is long left out; `whole` answers the view as it is now."""

    def later(name: str) -> Later:
        return Later(len(getattr(view, name)), lambda: getattr(whole(), name))

    return view.model_copy(update={name: later(name) for name in LONG})


class Shelf:
    """The whole views that were asked for last, as many as there is room for."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._views: OrderedDict[str, RunView] = OrderedDict()
        self._lock = Lock()

    def get(self, run: str) -> RunView | None:
        """The whole view of a run, where it is here."""
        with self._lock:
            found = self._views.get(run)
            if found is not None:
                self._views.move_to_end(run)
            return found

    def put(self, run: str, view: RunView) -> None:
        """Keep it; those that nobody asked for longest make way."""
        with self._lock:
            self._views.pop(run, None)
            self._views[run] = view
            taken = sum(map(_weight, self._views.values()))
            while taken > self._room and len(self._views) > 1:
                taken -= _weight(self._views.popitem(last=False)[1])

    def drop(self, run: str) -> None:
        """It is no longer so."""
        with self._lock:
            self._views.pop(run, None)


def _weight(view: RunView) -> int:
    return 1 + len(view.points) + len(view.curve) // _CURVE
