"""The fit check: does a node fit on this device, and how long does it take?

It begins as a run does (`preparation`, `assembly`), takes real steps on the longest batch
(`fitting.steps`) and lets go of everything. Where memory runs out, it tries what takes less. A run
uses what the check has measured, or measures its own model while it prepares.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from easymodel_nb import environment
from easymodel_nb.runlog.events import now
from easymodel_nb.secrets import redact
from easymodel_nb.train import methods, planning
from easymodel_nb.train.assembly import assemble, torch_device
from easymodel_nb.train.audited import Fit
from easymodel_nb.train.control import Control
from easymodel_nb.train.engine import settings_restored
from easymodel_nb.train.fitting import measurement, steps, verdict
from easymodel_nb.train.fitting.measurement import Measurement, Setting
from easymodel_nb.train.fitting.memory import Peak, free_bytes, give_back, ran_out
from easymodel_nb.train.fitting.weights import least_bytes
from easymodel_nb.train.preparation import Preparation, parse, prepare
from easymodel_nb.train.quiet import LogBuffer, quiet
from easymodel_nb.train.reporter import Reporter, Unlogged
from easymodel_nb.workflow.document import FinetuneData


@dataclass(frozen=True)
class Shortage:
    """Nothing that was tried fits."""

    taken: int  # bytes until memory ran out, or the least that is needed
    tried: list[str]


def fit_check(
    request: dict[str, Any],
    home: Path,
    token: Callable[[], str | None],
    control: Control,
    *,
    on_stage: Callable[[str], None] = lambda _: None,
) -> Fit:
    """Measure time and memory of a finetune node; `request` is as a run has it.

    A measurement of the same rows, model, settings and device is taken from HOME/cache/fit.
    The process is given back as it was.

    Raises
    ------
    StudioError
        When the node cannot be trained, on the field to mend. Running out of memory is none: it
        is a verdict, in the problems of what is returned.
    Stopped
        When a stop was asked for.

    """
    with (
        tempfile.TemporaryDirectory() as folder,
        quiet(LogBuffer(redact)),
        settings_restored(),
    ):
        reporter = Unlogged(home, Path(folder), on_stage=on_stage)
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
            found = kept(ready, home, device) or _measured(ready, device, control, reporter, free)
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
        return verdict.verdict(found, ready, free=free)


def kept(ready: Preparation, home: Path, device: environment.Device) -> Measurement | None:
    """What was measured before for what was prepared; None where nothing was."""
    return measurement.read(home, measurement.key(ready, device))


def known_fit(ready: Preparation, home: Path) -> Fit | None:
    """The fit of a prepared node, where it was measured before on this device."""
    found = kept(ready, home, environment.device(ask_torch=True))
    return verdict.verdict(found, ready, free=free_bytes()) if found is not None else None


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
        return Shortage(least or 0, ["loading its weights"])
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
    tried: list[str] = []
    most = 0
    weights = _bytes_of(model)
    for setting, words in verdict.settings(asked, checkpointing=checkpointing):
        reporter.stage("preparing", _sentence(setting, words, tried))
        long, typical = measurement.batches(ready.prepared.train, setting.batch_size)
        peak = Peak()
        try:
            taken = steps.take(ready.task, model, plan, setting, long, typical, control, peak)
            found = _found(ready, model, plan, setting, taken, long, typical)
        except Exception as error:  # noqa: BLE001  what is not about memory is raised again
            if not ran_out(error):
                raise
            most = max(most, peak.bytes)
            tried.append(_tried(setting))
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
    return Measurement(
        setting=setting,
        precision=str(plan.finetune.precision),
        batch_seconds=taken.long_seconds,
        batch_tokens=longest * len(long),
        typical_seconds=taken.typical_seconds,
        typical_tokens=max(len(row) for row in typical) * len(typical),
        typical_rows=len(typical),
        optimizer_seconds=taken.optimizer_seconds,
        forward_seconds=steps.forward_seconds(ready.task, model, typical),
        token_seconds=steps.token_seconds(ready.task, model, ready.prepared),
        load_seconds=0.0,
        weight_bytes=0,
        # fp16 may skip its first steps, and with them what the optimizer allocates
        memory_bytes=max(taken.peak, _state_bytes(model)),
        longest=longest,
        rows=len(long),
        device="",
        measured=now(),
    )


def _bytes_of(model: Any) -> int:
    held = [*model.parameters(), *model.buffers()]
    return sum(tensor.numel() * tensor.element_size() for tensor in held)


def _state_bytes(model: Any) -> int:
    """A gradient and AdamW's two moments of each trained weight."""
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    return 3 * sum(weight.numel() * weight.element_size() for weight in trained)


def _sentence(setting: Setting, words: str, tried: list[str]) -> str:
    if not tried:
        return "Measuring time and memory of the longest batch"
    return f"Out of memory: measuring again {words}"


def _tried(setting: Setting) -> str:
    more = " with gradient checkpointing" if setting.gradient_checkpointing else ""
    return f"a batch of {setting.batch_size}{more}"
