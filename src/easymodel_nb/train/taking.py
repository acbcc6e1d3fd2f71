"""A run begins with what is warm: made its own, so that it is the very run it would be cold."""

import dataclasses
from collections.abc import Callable
from typing import Any

from easymodel_nb.train.control import Control
from easymodel_nb.train.fitting.memory import give_back
from easymodel_nb.train.plan import RunPlan
from easymodel_nb.train.planning import Chooser
from easymodel_nb.train.preparation import Preparation
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.train.warm import KEEPER, Keeper, Warm
from easymodel_nb.train.warm_key import warm_key

_COUNTED = ("lengths", "used_ids")  # of all rows, once


def take(
    request: dict[str, Any],
    frozen: RunPlan | None,
    control: Control,
    reporter: Reporter,
    *,
    keeper: Keeper = KEEPER,
) -> Warm | None:
    """What is warm for this request, now the run's alone; None: it begins cold, and nothing waits.

    A run that is resumed begins cold: it has a plan and rows of its own to come back to.

    Raises
    ------
    Stopped
        When a stop was asked for while the rest was made ready.

    """
    key = None if frozen is not None else warm_key(request, reporter.home)
    held = keeper.key

    def tick() -> None:
        control.check()
        reporter.heartbeat()

    if key is not None and keeper.makes(key):
        reporter.stage("loading", "Reading the model and its data")
    found = keeper.take(key, tick)
    if found is None:
        if held is not None:
            give_back()  # what it held is this run's to take
        return None
    task = found.ready.task
    task.context.control, task.context.reporter = control, reporter
    reporter.stage("loading", f"{found.ready.model_folder.name} and its data are ready from before")
    for problem in found.problems:
        reporter.event("warning", problem=problem)
    return found


def begun(warm: Warm, request: dict[str, Any], begin: Callable[[Chooser], None]) -> Preparation:
    """What was prepared, as of this run, with what a run chooses when it begins."""
    ready: Preparation = warm.ready
    chooser = ready.chooser
    first = Chooser(chooser.data)
    begin(first)
    chooser.data = first.data
    chooser.choices[warm.begin_at : warm.begin_at] = first.choices
    _ = ready.lengths
    counted = {name: vars(ready)[name] for name in _COUNTED if name in vars(ready)}
    of_run = dataclasses.replace(ready, request=request)
    vars(of_run).update(counted)
    return of_run
