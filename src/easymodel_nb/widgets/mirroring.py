"""The mirror as a studio sees it; its thread belongs to the process, like runs."""

import atexit
import contextlib
import threading
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

from easymodel_nb.environment import Places
from easymodel_nb.store.mirror.contents import MODELS
from easymodel_nb.store.mirror.folder import DiskFolder
from easymodel_nb.store.mirror.keeper import Keeper
from easymodel_nb.widgets.rpc import RpcError
from easymodel_nb.widgets.state import Mirror, MirrorQuestion

FIRST_SECONDS = 10.0  # a cell waits for the projects of a fresh machine, and no longer
LAST_SECONDS = 3.0  # a kernel that ends waits for the last save
_MODEL_NEEDED = frozenset({"take", "push", "push_plan", "try_prompt"})

_keepers: dict[Path, Keeper] = {}
_roots: dict[Path, Path] = {}
_lock = threading.Lock()


class Mirroring:
    """One studio's hold on the mirror of its home."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self.tell: Callable[[], None] = lambda: None
        self._unsubscribe = keeper.subscribe(self._changed)

    def _changed(self) -> None:
        self.tell()

    def close(self) -> None:
        """Be told nothing more; saving goes on."""
        self._unsubscribe()

    def poke(self) -> None:
        """Something may have changed."""
        self._keeper.poke()

    def save(self) -> None:
        """Save now, and look whether everything is there."""
        self._keeper.save_now()

    def checkpoints(self, run: str, *, agreed: bool) -> None:
        """Copy a run's full checkpoints, or not."""
        self._keeper.consent(run, agreed)

    def state(self) -> Mirror:
        """What the toolbar shows."""
        status = self._keeper.status()
        return Mirror(
            place=status.place,
            saved=status.saved,
            pending=status.pending,
            problem=status.problem,
            note=status.note,
            questions=[
                MirrorQuestion(run=one.run, step=one.step, bytes=one.bytes) for one in status.asked
            ],
            declined=[
                MirrorQuestion(run=one.run, step=one.step, bytes=one.bytes)
                for one in status.declined
            ],
            free=status.free,
            safe=status.safe,
            away=status.away,
        )

    def refuse_away(self, method: str, params: BaseModel) -> None:
        """Refuse what needs files of a run that are on the mirror alone, and bring them first.

        Raises
        ------
        RpcError
            `away`, with what is brought.

        """
        model = method in _MODEL_NEEDED
        run = getattr(params, "run", None)
        if not isinstance(run, str) or not (model or method == "resume"):
            return
        missing = [one for one in self._keeper.need(run) if (one.unit in MODELS) is model]
        if missing:
            place, size = self._keeper.status().place, sum(one.size for one in missing) / 1e6
            what = "The model" if model else "What this run goes on from"
            raise _away(what, place, size)

    def refuse_model_away(self, run: str, title: str) -> None:
        """Refuse to begin with the model of a run that is on the mirror alone, and bring it first.

        Raises
        ------
        RpcError
            `away`, with what is brought.

        """
        missing = [one for one in self._keeper.need(run) if one.unit in MODELS]
        if missing:
            size = sum(one.size for one in missing) / 1e6
            raise _away(f"The model of {title}", self._keeper.status().place, size)


def _away(what: str, place: str, size: float) -> RpcError:
    return RpcError(
        "away",
        f"{what} is on {place} ({size:,.1f} MB) and is being brought here now. Try again in a "
        "moment.",
    )


def mirroring_of(
    places: Places, subscribe: Callable[[Callable[[], None]], object]
) -> Mirroring | None:
    """The mirror of a home, its projects brought here where the home is fresh."""
    if places.mirror is None:
        return None
    folder = DiskFolder(places.mirror, places.mirror_name)
    with _lock:
        keeper = _keepers.get(places.home)
        if keeper is not None and _roots.get(places.home) != places.mirror:
            keeper.close(0)  # it is kept elsewhere from now on
            keeper = None
        if keeper is None:
            fresh = not any((places.home / "projects").glob("*.json"))
            try:
                keeper = Keeper(places.home, folder, old_home=places.old_home)
            except OSError:  # a home that cannot be made: the store's banner says so
                return None
            _keepers[places.home], _roots[places.home] = keeper, places.mirror
            subscribe(keeper.poke)
            keeper.start()
            if fresh:
                keeper.ready(FIRST_SECONDS)
    return Mirroring(keeper)


@atexit.register
def _close_all() -> None:
    with contextlib.suppress(RuntimeError):
        for keeper in list(_keepers.values()):
            keeper.close(LAST_SECONDS)
