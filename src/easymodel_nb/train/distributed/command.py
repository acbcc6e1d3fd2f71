"""A command that torchrun has started several times: one process does it, the others help."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from easymodel_nb.secrets import TokenHolder
from easymodel_nb.train.distributed.world import World, join


def lead_or_help(home: Path, work: Callable[[], int], holder: TokenHolder | None = None) -> int:
    """Do the work if this is the process that leads; else help where it trains; an exit code.

    Where there are several, it does not return: torch's threads would be torn down in whatever
    order the interpreter goes, which now and then aborts a process that has done all its work.
    `holder` has the token, where it was given and not found.

    Raises
    ------
    StudioError
        When this process would have no GPU of its own.

    """
    world = join()
    if world is None:
        return work()
    code = 1
    try:
        code = _lead(world, work) if world.leads else _help(world, home, holder or TokenHolder())
    except KeyboardInterrupt:
        code = 130
    except Exception:  # noqa: BLE001  as the interpreter would have said
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _lead(world: World, work: Callable[[], int]) -> int:
    try:
        return work()
    finally:
        world.end()


def _help(world: World, home: Path, holder: TokenHolder) -> int:
    def wish(*_: object) -> None:
        world.asked_to_stop = True  # the leader hears of it with the next step

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, wish)
    from easymodel_nb.train.distributed.following import follow  # noqa: PLC0415

    return follow(world, home, holder.token, holder.redact)
