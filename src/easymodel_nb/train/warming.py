"""Makes a request warm as a run would begin it: the same preparation, the same model.

Nothing is downloaded that is large, and no model is read that takes a good part of the memory
that is free: then the data alone is ready. It imports PyTorch.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from easymodel_nb import environment
from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.secrets import redact
from easymodel_nb.train.assembly import assemble, torch_device
from easymodel_nb.train.auditing.audit import ANNOUNCED
from easymodel_nb.train.control import Control, Stopped
from easymodel_nb.train.engine import settings_restored
from easymodel_nb.train.fitting.memory import free_bytes
from easymodel_nb.train.fitting.sizes import weights
from easymodel_nb.train.hub.large import TooLarge
from easymodel_nb.train.manager import training_here
from easymodel_nb.train.preparation import Preparation, prepare
from easymodel_nb.train.quiet import LogBuffer, quiet
from easymodel_nb.train.reporter import Unlogged
from easymodel_nb.train.scratch import scratch
from easymodel_nb.train.warm import KEEPER, Keeper, Warm
from easymodel_nb.train.warm_key import warm_key

SHARE = 0.25  # of the memory that is free, which a model that waits may take
_LEAST_FREE = 0.1  # of the machine's memory: with less of it free, nothing waits
_WIDTH = 4  # bytes of a weight as it is trained
_PICKLED = 2  # times its file: such checkpoints often have 16 bits


class Whole(Control):
    """Does to its end what cannot look at the flag: nothing is left behind that still loads."""

    def interruptible(self, work: Callable[[], Any], tick: Callable[[], None] | None = None) -> Any:
        """Do it in this thread."""
        self.check()
        found = work()
        if tick is not None:
            tick()
        self.check()
        return found


def make_warm(
    request: dict[str, Any],
    home: Path,
    token: Callable[[], str | None],
    *,
    keeper: Keeper = KEEPER,
    control: Control | None = None,
    busy: Callable[[], bool] = lambda: False,
) -> bool:
    """Make ready what a run of this request begins with; whether it is held now.

    `busy` is asked when it begins: with a run under way nothing is made ready. What is wrong with
    the request is for its audit and its run to say. The process is given back as it was.
    """
    key = warm_key(request, home)
    if key is None or key == keeper.key:
        return key is not None
    asked = control or Whole(home / "cache" / "audits")

    def work() -> Warm | None:
        # Asked once others can see that this is made: a run that comes now waits for it.
        return None if busy() or training_here() else _made(key, request, home, token, asked)

    try:
        return keeper.make(key, asked, work, _short)
    except (Stopped, StudioError, TooLarge):
        return False
    finally:
        keeper.collect()


def _made(
    key: str,
    request: dict[str, Any],
    home: Path,
    token: Callable[[], str | None],
    control: Control,
) -> Warm | None:
    places: list[int] = []
    with scratch(home) as folder, quiet(LogBuffer(redact)), settings_restored():
        reporter = Unlogged(home, folder)
        ready = prepare(
            request,
            token,
            control,
            reporter,
            device=torch_device(),
            begin=lambda chooser: places.append(len(chooser.choices)),
            weights=False,
            limit=ANNOUNCED,
        )
        if ready.model_folder.missing_bytes or _has_code(ready):
            return None  # a run downloads it, or runs it, and says so
        _ = ready.lengths
        warm = Warm(key, ready, places[0], size=_rows_bytes(ready))
        room = free_bytes() * SHARE
        if warm.size + _model_bytes(ready.model_folder.path) <= room:
            began = time.monotonic()
            warm.model = assemble(ready, environment.device(ask_torch=True), control, reporter)
            warm.load_seconds = time.monotonic() - began
            warm.size += sum(int(weight.nbytes) for weight in warm.model.parameters())
        elif warm.size > room:
            return None
        warm.problems = list[Problem](reporter.warnings)
    control.check()
    return warm if warm_key(request, home) == key else None  # what changed meanwhile is not it


def _has_code(ready: Preparation) -> bool:
    """Whether the model is made by code of its own: that runs when a run is asked for."""
    return getattr(getattr(ready.model_folder, "permit", None), "code", None) is not None


def _rows_bytes(ready: Preparation) -> int:
    """Of the tables; those that are mapped from a file count as well."""
    return sum(table.nbytes for table in ready.tables.splits.values())


def _model_bytes(folder: Path) -> int:
    """About what the model will take, by its files."""
    count = weights(folder)
    if count is not None:
        return count * _WIDTH
    files = [path for path in folder.iterdir() if path.suffix in {".bin", ".safetensors", ".pt"}]
    return _PICKLED * sum(path.stat().st_size for path in files)


def _short(warm: Warm) -> bool:
    """Whether memory is too short for something to wait in it."""
    total = environment.device(ask_torch=True).memory_bytes
    return free_bytes() < max(warm.size, int(total * _LEAST_FREE))
