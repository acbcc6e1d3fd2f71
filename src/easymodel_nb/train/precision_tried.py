"""Whether a CPU trains this model faster in bf16: found out by its own passes on its own rows.

Processors with matrix instructions multiply in bf16 several times faster. What lies around the
products becomes slower, so that a small model may lose by it.
"""

import contextlib
import itertools
import json
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch

from easymodel_nb import environment, whole
from easymodel_nb.metrics.memory import out_of_memory
from easymodel_nb.train import methods, precision
from easymodel_nb.train.batches.layout import Layout, batches
from easymodel_nb.train.batches.orders import Sizing
from easymodel_nb.train.control import Control, Stopped
from easymodel_nb.train.fitting import measurement
from easymodel_nb.train.objective.objective import Objective
from easymodel_nb.train.preparation import Preparation
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.train.untouched import untouched
from easymodel_nb.workflow.document import FinetuneData

_ENOUGH = 0.85  # of the time in 32 bits: less gain may be chance
_LARGE = 50_000_000  # weights: with so many, their products are what a pass takes
_TIMES = 3  # batches, of which the median counts: other work may hold one up
_TOKENS = 1_024  # of a batch are tried, at most
_SECONDS = 5.0  # after which nothing more is tried
_PLACE = ("cache", "precision")  # below the home: what was found, so that runs agree


def choose(
    ready: Preparation,
    model: Any,
    device: environment.Device,
    control: Control,
    reporter: Reporter,
) -> None:
    """Let the run compute in bf16 where that is faster, and say so; the model stays as it is.

    Raises
    ------
    Stopped
        When a stop was asked for.

    """
    if not any(choice.field == "precision" for choice in ready.chooser.choices):
        return  # it was settled when the run began
    asked = FinetuneData.model_validate(ready.request["node"].get("data", {}))
    if not precision.worth_trying(asked.precision, device) or model.device.type != "cpu":
        return
    if methods.sizes(model)[0] >= _LARGE:
        faster = 1 / precision.bf16_slowdown()
        why = f"this CPU multiplies in it {faster:.2g} times as fast"
        ready.chooser.replace("precision", "bf16", f"{why}, and a large model does little else")
        return
    share = _tried(ready, model, device, control, reporter)
    if share is None:
        return
    said = f"tried on a batch: {1 / share:.2g} times as fast as in 32 bits"
    if share <= _ENOUGH:
        ready.chooser.replace("precision", "bf16", said)
    else:
        why = f"bf16 was {said.replace(' as in 32 bits', '')}, which is not worth it"
        ready.chooser.replace("precision", "fp32", why)


def _tried(
    ready: Preparation,
    model: Any,
    device: environment.Device,
    control: Control,
    reporter: Reporter,
) -> float | None:
    """Its time in bf16 as a share of that in 32 bits; None where it cannot be told."""
    path = reporter.home.joinpath(*_PLACE, f"{measurement.key(ready, device)}.json")
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return float(json.loads(path.read_text(encoding="utf-8"))["share"])
    reporter.stage("preparing", "Trying which precision is faster here")
    try:
        share = _share(ready, model, control)
    except Stopped:
        raise
    except Exception as error:
        if out_of_memory(error):
            raise
        return None  # what is wrong with it will show in 32 bits, or is wrong in bf16 alone
    with contextlib.suppress(OSError):  # without it the next run tries again
        path.parent.mkdir(parents=True, exist_ok=True)
        whole.replace(path, json.dumps({"share": share}), shared=True)
    return share


def _share(ready: Preparation, model: Any, control: Control) -> float:
    task, plan, train = ready.task, ready.chooser.batches, ready.prepared.train
    objective = Objective(task, model, ready.chooser.head)
    order = batches(plan, task.sizes(train), Sizing.of(ready.chooser.data.batch_size, 1), 0)
    sizes = task.sizes(train).max(axis=1)
    drawn = [_first(places, sizes) for places in itertools.islice(order, 1 + _TIMES)]
    embedding = model.get_input_embeddings() if ready.chooser.embedding.rows is not None else None

    def seconds(places: list[int], *, half: bool) -> float:
        control.check()
        layout = Layout(task, model, plan, half=half)
        rows = [train[place] for place in places]
        began = time.perf_counter()
        batch = layout.inputs(layout.collate(rows))
        with layout.computing(), precision.in_bf16() if half else nullcontext():
            loss, count = objective(model, batch)
        with layout.computing():
            torch.autograd.backward(loss / count)
        taken = time.perf_counter() - began
        model.zero_grad(set_to_none=True)
        return taken

    shares: list[float] = []
    began = time.perf_counter()
    with untouched(model), torch.random.fork_rng(devices=[]), _frozen(embedding):
        model.train()
        for places in drawn:
            # For a size it never had, bf16 takes its time. There are few sizes where rows lie end
            # to end, so that a run has soon had them all.
            if plan.layout == "flat" or not shares:
                seconds(places, half=True)
            shares.append(seconds(places, half=True) / seconds(places, half=False))
            if time.perf_counter() - began > _SECONDS:
                break
    return statistics.median(shares[1:] or shares)  # the first warms up


def _first(places: list[int], sizes: Any) -> list[int]:
    """As many of a batch's rows as give an impression."""
    most = max(1, int(np.searchsorted(np.cumsum(sizes[places]), _TOKENS)))
    return places[:most]


@contextmanager
def _frozen(module: Any) -> Iterator[None]:
    """Compute no gradient of a whole embedding of which a run trains some rows."""
    if module is not None:
        module.requires_grad_(requires_grad=False)
    try:
        yield
    finally:
        if module is not None:
            module.requires_grad_(requires_grad=True)
