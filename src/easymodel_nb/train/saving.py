"""The model folder of a run, whole or not there, and adapters merged into their base.

A full run writes model and tokenizer. A LoRA run writes the same, its adapters merged into the
base, so that the folder needs neither peft nor the base, which may move or be deleted; the
adapters lie beside it in `model/adapter`. They alone are kept as `model` where the base has
4 bits (QLoRA), the disk has no room for a whole model, or merged and adapter model disagree.
"""

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from safetensors import SafetensorError

from easymodel_nb.errors import StudioError, problem_error
from easymodel_nb.runlog import adapters
from easymodel_nb.runlog.run import Run
from easymodel_nb.train.control import Control
from easymodel_nb.train.methods import bare, is_adapted, sizes
from easymodel_nb.train.probing import Difference, difference, logits, probe_rows
from easymodel_nb.trust import loading
from easymodel_nb.trust.permits import NOTHING, Permit, permit_of_run

MODEL, ADAPTER, MERGED = "model", "adapter", "model-merged"
CHECKED = "merge.json"  # in the run's folder: how far merged and adapter model are apart
_SPARE = 64 << 20  # bytes that stay free
_BYTES = 4  # of a weight in 32 bits
_NOT_WRITTEN = "The merged model could not be written ({})."
_ALONE = "The adapters are kept alone: they load with their base; make room and merge them then."


@dataclass(frozen=True)
class Saved:
    """What was written, by its path in the run's folder, and what the user should know of it."""

    path: str
    notes: tuple[tuple[str, str], ...] = ()  # code, sentence


@dataclass(frozen=True)
class Merge:
    """A merged model and what checking it gave."""

    path: Path
    checked: Difference


def adapter_of(run_folder: Path) -> Path | None:
    """Where a run's adapters lie, for peft; None of a run that trained all weights."""
    found = (run_folder / MODEL / ADAPTER, run_folder / MODEL)
    return next((path for path in found if (path / adapters.ADAPTER_CONFIG).is_file()), None)


def merged_of(run_folder: Path) -> Path | None:
    """A whole model of a run, loadable without its base; None where it was not merged yet."""
    found = (run_folder / MODEL, run_folder / MERGED)
    return next((path for path in found if (path / "config.json").is_file()), None)


# ------------------------------------------------------------ at the end of a run


def save(model: Any, tokenizer: Any, run_folder: Path) -> Saved:
    """Write `model` in the run's folder, atomically. Adapters are merged in place meanwhile.

    Raises
    ------
    OSError
        When the disk is full; what was there before is still there.

    """
    part, final = run_folder / f"{MODEL}.part", run_folder / MODEL
    shutil.rmtree(part, ignore_errors=True)
    try:
        saved = _write(model, tokenizer, run_folder, part)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    for old in (final, run_folder / MERGED):
        shutil.rmtree(old, ignore_errors=True)
    part.rename(final)
    return saved


def _write(model: Any, tokenizer: Any, run_folder: Path, part: Path) -> Saved:
    if not is_adapted(model):
        model.save_pretrained(part)
        tokenizer.save_pretrained(part)
        return Saved(MODEL)
    plan = Run(run_folder).plan
    rows = probe_rows(run_folder, tokenizer, model)
    note, expected = _why_not_merged(model, run_folder), []
    if note is None:
        try:
            expected = logits(model, rows)
        except (RuntimeError, ValueError) as error:
            note = (
                "merge.unchecked",
                (
                    f"The model cannot be asked about its samples ({error}), so a merged one could "
                    "not be checked: the adapters are kept alone."
                ),
            )
    if note is not None:
        _write_adapter(model, part, plan)
        tokenizer.save_pretrained(part)
        return Saved(MODEL, (note,))
    _write_adapter(model, part / ADAPTER, plan)
    tokenizer.save_pretrained(part)
    merged = model.merge_and_unload()
    try:
        merged.save_pretrained(part)
    except (OSError, SafetensorError) as error:  # what was trained is on the disk already
        _leave_adapter(part)
        return Saved(MODEL, (("disk.merged", f"{_NOT_WRITTEN.format(error)} {_ALONE}"),))
    read = _load_if_allowed(part, merged, run_folder, plan) if _room_beside(merged) else merged
    checked = difference(expected, logits(read, rows))
    (run_folder / CHECKED).write_text(json.dumps(asdict(checked)) + "\n", encoding="utf-8")
    if checked.agrees:
        return Saved(MODEL)
    _leave_adapter(part)
    return Saved(MODEL, (("merge.differs", f"{checked.sentence()} The adapters are kept alone."),))


def _why_not_merged(model: Any, folder: Path) -> tuple[str, str] | None:
    if getattr(bare(model), "is_quantized", False):
        return "merge.quantized", (
            "The adapters were trained on a base of 4 bits, so they are kept alone; the model "
            "loads with its whole base, and can be merged into it."
        )
    need, free = sizes(model)[0] * _BYTES, shutil.disk_usage(folder).free
    if need + _SPARE > free:
        return "disk.merged", (
            f"The disk has no room for the merged model ({need / 1e9:.1f} GB, and "
            f"{free / 1e9:.1f} GB are free). {_ALONE}"
        )
    return None


def _room_beside(model: Any) -> bool:
    """Whether memory holds the model a second time: a run must not die of being checked."""
    return sizes(model)[0] * _BYTES < psutil.virtual_memory().available / 2


def _write_adapter(model: Any, folder: Path, plan: dict[str, Any] | None) -> None:
    """The files of peft, with the base by its Hub id and revision where it came from the Hub."""
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)  # a form to fill in
    known = (plan or {}).get("model") or {}
    if known.get("kind") == "hub":
        path = folder / adapters.ADAPTER_CONFIG
        settings = json.loads(path.read_text(encoding="utf-8"))
        settings |= {"base_model_name_or_path": known["name"], "revision": known.get("revision")}
        path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    inner = bare(model)
    config = inner.config.to_dict() | {"architectures": [type(inner).__name__]}
    for trained in ("quantization_config", "dtype", "torch_dtype"):  # what the base has is loaded
        config.pop(trained, None)
    text = json.dumps(config, indent=2, default=str)
    (folder / adapters.MODEL_CONFIG).write_text(text + "\n", encoding="utf-8")


def _leave_adapter(part: Path) -> None:
    """Take the merged weights away and put the adapters in their place."""
    for name in ("config.json", "generation_config.json"):
        (part / name).unlink(missing_ok=True)
    for path in [*part.glob("*.safetensors*"), *part.glob("*.tmp*")]:
        path.unlink()
    for path in (part / ADAPTER).iterdir():
        path.rename(part / path.name)
    (part / ADAPTER).rmdir()


def _load_if_allowed(
    folder: Path, merged: Any, run_folder: Path, plan: dict[str, Any] | None
) -> Any:
    """What was written, read back; what was trained itself, where its code was taken back since."""
    try:
        permit = permit_of_run(run_folder, folder, plan)
    except StudioError:
        return merged
    return _load(folder, merged.device, permit)


def _load(folder: Path, device: Any = "cpu", permit: Permit = NOTHING) -> Any:
    model = loading.saved_model(folder, permit, dtype=torch.float32)
    with suppress(torch.OutOfMemoryError):  # beside the trained one; the CPU says the same
        model = model.to(device)
    return model


# ------------------------------------------------------------ later


def merge(
    run_folder: Path,
    target: Path,
    control: Control | None = None,
    on_progress: Callable[[str], None] = lambda _: None,
) -> Merge:
    """Write a run's adapters, merged into the base in full precision, as the folder `target`.

    The written model is read back and its logits are compared with those of base and adapters
    on rows of the run; where they differ by more than `probing.TOLERANCE` nothing is left.
    `on_progress` hears what is done, in a sentence.

    Raises
    ------
    StudioError
        When the run has no adapters, its base is gone, memory or disk are too small, or the
        merged model is not the same.
    Stopped
        When `control` was asked to stop.

    """

    def step(said: str) -> None:
        if control is not None:
            control.check()
        on_progress(said)

    run = Run(run_folder)
    folder = adapter_of(run_folder)
    if folder is None:
        raise problem_error(
            "merge.no_adapter",
            f"Run {run.id} trained all weights, so there is nothing to merge: its model folder is "
            "whole.",
        )
    plan = run.plan
    _refuse_too_large(plan, target)
    step("Loading the base and the adapters")
    trained = run_folder / MODEL
    tokenizer = loading.tokenizer(trained, permit_of_run(run_folder, trained, plan))
    model = adapters.load_adapted(folder, plan, run_folder=run_folder, dtype=torch.float32)
    rows = probe_rows(run_folder, tokenizer, model)
    step("Asking the model with adapters")
    expected = logits(model, rows)
    part = target.with_name(f"{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        step("Merging")
        merged = model.merge_and_unload()
        step("Writing the merged model")
        merged.save_pretrained(part)
        tokenizer.save_pretrained(part)
        del model, merged
        step("Reading it back and comparing")
        checked = difference(
            expected, logits(_load(part, permit=permit_of_run(run_folder, part, plan)), rows)
        )
        _refuse_different(checked)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)
    (run_folder / CHECKED).write_text(json.dumps(asdict(checked)) + "\n", encoding="utf-8")
    return Merge(target, checked)


def _refuse_different(checked: Difference) -> None:
    if not checked.agrees:
        raise problem_error(
            "merge.differs",
            f"{checked.sentence()} It was removed; the adapters are as they were.",
        )


def _refuse_too_large(plan: dict[str, Any] | None, target: Path) -> None:
    """Look at memory and disk before, not after."""
    need = int(((plan or {}).get("model") or {}).get("parameters") or 0) * _BYTES
    free = shutil.disk_usage(target.parent).free
    if need + _SPARE > free:
        raise problem_error(
            "merge.disk",
            f"The merged model takes {need / 1e9:.1f} GB and {free / 1e9:.1f} GB are free on the "
            f"disk of {target.parent}. Make room there; the adapters are safe.",
        )
    memory = int(psutil.virtual_memory().available)
    if need > memory:
        raise problem_error(
            "merge.memory",
            f"Merging needs the whole base in memory, {need / 1e9:.1f} GB, and "
            f"{memory / 1e9:.1f} GB are free. Merge it on a larger machine; the adapters are safe.",
        )
