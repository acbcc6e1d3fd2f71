"""The fit check: whether a node fits on this device, and how long it takes.

It begins as a run does (`preparation`, `assembly`), takes real steps on the longest batch
(`fitting.steps`) and lets go of everything. Where memory runs out, it tries what takes less. A run
uses what the check has measured, or measures its own model while it prepares.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from easymodel_nb import environment
from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.events import now
from easymodel_nb.secrets import redact
from easymodel_nb.train import methods, planning
from easymodel_nb.train.assembly import assemble, torch_device
from easymodel_nb.train.auditing.audited import Fit
from easymodel_nb.train.control import Control
from easymodel_nb.train.distributed.runner import count, sharded
from easymodel_nb.train.embedding.rows import idle_weights
from easymodel_nb.train.engine import settings_restored
from easymodel_nb.train.fitting import measurement, steps, verdict
from easymodel_nb.train.fitting.measurement import Measurement, Setting
from easymodel_nb.train.fitting.memory import Peak, free_bytes, give_back, ran_out
from easymodel_nb.train.fitting.sizes import least_bytes, most_bytes
from easymodel_nb.train.plan import EmbeddingPlan
from easymodel_nb.train.preparation import Preparation, parse, prepare
from easymodel_nb.train.quiet import LogBuffer, quiet
from easymodel_nb.train.reporter import Reporter, Unlogged
from easymodel_nb.train.scratch import scratch
from easymodel_nb.workflow.document import FinetuneData

_ROOM = 0.5  # of what is free: a run that needs less by its size is not measured before it begins


@dataclass(frozen=True)
class Shortage:
    """Nothing that was tried fits."""

    taken: int  # bytes until memory ran out, or the least that is needed
    tried: list[Setting]  # empty: it is too large by the size of its weights


def fit_check(
    request: dict[str, Any],
    home: Path,
    token: Callable[[], str | None],
    control: Control,
    *,
    on_stage: Callable[[str], None] = lambda _: None,
    fresh: bool = False,
) -> Fit:
    """Measure time and memory of a finetune node; `request` is as a run has it.

    A measurement of the same rows, model, settings and device is taken from HOME/cache/fit
    unless `fresh`. The process is given back as it was.

    Raises
    ------
    StudioError
        When the node cannot be trained, on the field to mend. Running out of memory is none: it
        is a verdict, in the problems of what is returned.
    Stopped
        When a stop was asked for.

    """
    with (
        scratch(home) as folder,
        quiet(LogBuffer(redact)),
        settings_restored(),
    ):
        reporter = Unlogged(home, folder, on_stage=on_stage)
        device = environment.device(ask_torch=True)
        ready = prepare(
            request,
            token,
            control,
            reporter,
            device=torch_device(),
            begin=lambda chooser: planning.choose_threads(chooser, device, control),
        )
        free = free_bytes()
        try:
            known = None if fresh else kept(ready, home, device)
            found = known or _measured(ready, device, control, reporter, free)
        finally:
            give_back()
        if isinstance(found, Shortage):
            return verdict.nothing_fits(
                ready,
                taken=found.taken,
                free=free,
                device=device.name,
                tried=found.tried,
                measured=now(),
            )
        return verdict.verdict(found, ready, free=free, ran=known is None)


def kept(ready: Preparation, home: Path, device: environment.Device) -> Measurement | None:
    """What was measured before for what was prepared; None where nothing was."""
    return (
        measurement.read(home, measurement.key(ready, device)) if measurement.any_in(home) else None
    )


def _measured(
    ready: Preparation,
    device: environment.Device,
    control: Control,
    reporter: Reporter,
    free: int,
) -> Measurement | Shortage:
    """Load the weights and measure; nothing of them is left."""
    least = least_bytes(ready)
    if least is not None and least > free:
        return Shortage(least, [])
    began = time.monotonic()
    try:
        model = assemble(ready, device, control, reporter)
    except Exception as error:
        if not ran_out(error):
            raise
        return Shortage(least or 0, [])
    try:
        loaded = time.monotonic() - began
        return measure(ready, model, device, control, reporter, load_seconds=loaded)
    finally:
        del model


def measure(
    ready: Preparation,
    model: Any,
    device: environment.Device,
    control: Control,
    reporter: Reporter,
    *,
    load_seconds: float,
) -> Measurement | Shortage:
    """Take real steps with a model, and try what takes less where memory runs out.

    The model stays as it is. What was measured is kept for the next time.

    Raises
    ------
    Stopped
        When a stop was asked for.

    """
    asked = parse(FinetuneData, ready.request["node"])
    name = measurement.key(ready, device)
    plan = planning.finish("fit", ready, model, device)
    checkpointing = bool(getattr(methods.bare(model), "supports_gradient_checkpointing", False))
    tried: list[Setting] = []
    most = 0
    weights = _bytes_of(model)
    processes = count(ready.request)
    for setting in verdict.settings(asked, checkpointing=checkpointing):
        if setting.batch_size < min(processes, asked.batch_size):
            break  # one row a process was tried
        reporter.stage("preparing", _sentence(setting, tried))
        long, typical = measurement.batches(ready, setting.batch_size)
        peak = Peak()
        try:
            taken = steps.take(ready, model, plan, setting, long, typical, control, peak)
            found = _found(ready, model, plan, setting, taken, long, typical)
        except Exception as error:
            if not ran_out(error):
                raise
            most = max(most, peak.bytes)
            tried.append(setting)
            continue
        finally:
            give_back()
        found = found.model_copy(
            update={
                "load_seconds": load_seconds,
                "weight_bytes": weights,
                "memory_bytes": weights + found.memory_bytes,
                "device": device.name,
                "refused": tried,
            }
        )
        if not tried:
            measurement.write(reporter.home, name, found)
        return found
    return Shortage(weights + most, tried)


# ------------------------------------------------------------ inside a run


def settle(
    ready: Preparation,
    model: Any,
    device: environment.Device,
    control: Control,
    reporter: Reporter,
    *,
    load_seconds: float,
) -> Measurement | None:
    """Find out, before the plan is frozen, what fits; the outcome stands in the plan.

    None where it is not worth the steps: the run has no time budget, and by its size it cannot
    take half of what is free; and where the model is sharded.

    Raises
    ------
    StudioError
        When nothing fits, with what takes less.
    Stopped
        When a stop was asked for.

    """
    if sharded():
        return None  # this process alone would need the memory of all
    asked = parse(FinetuneData, ready.request["node"])
    free = free_bytes() + _bytes_of(model)
    found = kept(ready, reporter.home, device)
    known = found is not None and found.memory_bytes <= free
    if not known:
        need = most_bytes(ready, model)
        if asked.time_budget_minutes is None and need is not None and need < free * _ROOM:
            return None
        measured = measure(ready, model, device, control, reporter, load_seconds=load_seconds)
        if isinstance(measured, Shortage):
            raise StudioError(
                verdict.no_room(ready, measured.taken, free, device.name, measured.tried)
            )
        found = measured
    if found is not None:
        _apply(ready, found, asked, free, reporter)
    return found


def _apply(
    ready: Preparation, found: Measurement, asked: FinetuneData, free: int, reporter: Reporter
) -> None:
    """Fill the plan with what fits, and say so where it is not what was asked for."""
    chooser, setting = ready.chooser, found.setting
    taken = f"{verdict.gigabytes(found.memory_bytes)} of {verdict.gigabytes(free)}"
    chooser.note("memory", taken, "the peak of two real steps on the longest batch")
    if not found.refused:
        return
    why = f"{verdict.in_words(found.refused)} ran out of memory on {found.device}"
    if setting.gradient_checkpointing != bool(asked.gradient_checkpointing):
        chooser.replace("gradient_checkpointing", value=True, reason=why)
    if setting.batch_size != asked.batch_size:
        chooser.replace("batch_size", setting.batch_size, why)
        same = "so that a step learns from as many rows as before"
        chooser.replace("gradient_accumulation", setting.gradient_accumulation, same)
    words = verdict.in_words([setting])
    reporter.warn(
        "fit.smaller",
        f"{why[0].upper()}{why[1:]}. The run goes on with {words}"
        + (
            f" and {setting.gradient_accumulation} batches a step." if asked.batch_size > 1 else "."
        ),
        node=ready.node,
        field="batch_size",
    )


def _found(
    ready: Preparation,
    model: Any,
    plan: Any,
    setting: Setting,
    taken: steps.Steps,
    long: list[Any],
    typical: list[Any],
) -> Measurement:
    longest = max(len(row) for row in long)

    def tokens(rows: list[Any]) -> int:
        sizes = ready.task.sizes(rows)
        flat = plan.batches.layout == "flat"
        mine = int(sizes.sum() if flat else sizes.max(axis=0).sum() * len(rows))
        return mine * count(ready.request)  # the other processes read as many meanwhile

    return Measurement(
        setting=setting,
        precision=str(plan.finetune.precision),
        batches=plan.batches,
        batch_seconds=taken.long_seconds,
        batch_tokens=tokens(long),
        typical_seconds=taken.typical_seconds,
        typical_tokens=tokens(typical),
        typical_rows=len(typical),
        optimizer_seconds=taken.optimizer_seconds,
        forward_seconds=steps.forward_seconds(ready.task, model, typical),
        token_seconds=steps.token_seconds(ready.task, model, ready.prepared),
        load_seconds=0.0,
        weight_bytes=0,
        # fp16 may skip its first steps, and with them what the optimizer allocates
        memory_bytes=max(taken.peak, _state_bytes(model, plan.embedding, count(ready.request))),
        longest=longest,
        rows=len(long),
        device="",
        measured=now(),
    )


def _bytes_of(model: Any) -> int:
    held = [*model.parameters(), *model.buffers()]
    return sum(int(tensor.nbytes) for tensor in held)


def _state_bytes(model: Any, embedding: EmbeddingPlan, processes: int) -> int:
    """A gradient and AdamW's two moments of each trained weight; several send the gradient."""
    trained = sum(int(weight.nbytes) for weight in model.parameters() if weight.requires_grad)
    sent = trained if processes > 1 else 0
    return 3 * (trained - 4 * idle_weights(model, embedding)) + sent


def _sentence(setting: Setting, tried: list[Setting]) -> str:
    if not tried:
        return "Measuring time and memory of the longest batch"
    return f"Out of memory: measuring {verdict.in_words([setting])}"
