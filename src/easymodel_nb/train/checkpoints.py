"""Checkpoints on disk: whole or not there at all, and known again by their manifest.

A checkpoint is `checkpoints/checkpoint-STEP/`. It is written under another name, its manifest
(what it belongs to, and size and digest of every file) last, and then renamed. What has no
manifest, or does not hold what its manifest says, is never used.
"""

import contextlib
import hashlib
import importlib.metadata
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel

from easymodel_nb import environment
from easymodel_nb.errors import Problem, problem_error
from easymodel_nb.train.plan import RunPlan

FORMAT: Final = "easymodel.checkpoint"
VERSION: Final = 1
FOLDER: Final = "checkpoints"
KEPT: Final = 2
_MANIFEST = "manifest.json"
_PREFIX = "checkpoint-"
_PART = "part-"
_PACKAGES = ("torch", "transformers", "accelerate", "peft")
_CHUNK = 1 << 20
# What running out of memory, or other devices, may change of a plan while it goes on.
_MAY_CHANGE = frozenset(
    {"batch_size", "gradient_accumulation", "gradient_checkpointing", "precision", "processes"}
)


class Identity(BaseModel):
    """What a checkpoint belongs to."""

    run_id: str
    plan: str  # a digest of what its steps depend on
    method: str
    architecture: str
    parameters: int


class Manifest(BaseModel):
    """The last file of a checkpoint."""

    format: Literal["easymodel.checkpoint"] = FORMAT
    version: Literal[1] = VERSION
    step: int
    identity: Identity
    versions: dict[str, str]
    state: dict[str, Any]  # what is ours: tallies, clock, early stopping
    files: dict[str, tuple[int, str]]  # name: bytes, SHA-256


class Found(BaseModel):
    """A checkpoint that can be used."""

    path: Path
    manifest: Manifest

    @property
    def step(self) -> int:
        """After how many steps it was written."""
        return self.manifest.step


def identity(plan: RunPlan) -> Identity:
    """What checkpoints of this plan belong to."""
    frozen = plan.model_dump(
        mode="json", include={"task", "method", "finetune", "epochs", "max_steps", "train_examples"}
    )
    for name in _MAY_CHANGE:
        frozen["finetune"].pop(name, None)
    frozen["rows"] = plan.dataset.fingerprint
    digest = hashlib.sha256(json.dumps(frozen, sort_keys=True).encode()).hexdigest()
    return Identity(
        run_id=plan.run_id,
        plan=digest[:16],
        method=plan.method,
        architecture=plan.model.architecture,
        parameters=plan.model.parameters,
    )


def versions() -> dict[str, str]:
    """The libraries a checkpoint depends on."""
    found = {"easymodel": environment.version()}
    for name in _PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


# ---------------------------------------------------------------- writing


def write(
    root: Path, step: int, owner: Identity, state: dict[str, Any], fill: Callable[[Path], None]
) -> tuple[Path, int]:
    """Write one whole, keep the newest two; `fill` writes into the folder it is given.

    Returns its folder and its size in bytes.

    Raises
    ------
    OSError
        When the disk refuses; what was written of it is gone again, older ones stay.

    """
    part = root / f"{_PART}{step}"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        fill(part)
        files = {}
        for path in sorted(p for p in part.rglob("*") if p.is_file()):
            _to_disk(path)
            files[path.relative_to(part).as_posix()] = (path.stat().st_size, _digest(path))
        manifest = Manifest(
            step=step, identity=owner, versions=versions(), state=state, files=files
        )
        last = part / _MANIFEST
        last.write_text(manifest.model_dump_json(), encoding="utf-8")
        _to_disk(last)
        final = root / f"{_PREFIX}{step}"
        shutil.rmtree(final, ignore_errors=True)
        part.rename(final)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    _to_disk(root)
    _prune(root, step)
    return final, sum(size for size, _ in files.values()) + (final / _MANIFEST).stat().st_size


def _to_disk(path: Path) -> None:
    with contextlib.suppress(OSError):  # not every file system can be asked
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _prune(root: Path, step: int) -> None:
    """Keep this step and the newest before it: what is later belongs to a past that was left."""
    steps = sorted(_steps(root), reverse=True)
    kept = [found for found in steps if found <= step][:KEPT]
    for found in steps:
        if found not in kept:
            shutil.rmtree(root / f"{_PREFIX}{found}", ignore_errors=True)
    for left in root.glob(f"{_PART}*"):
        shutil.rmtree(left, ignore_errors=True)


def _steps(root: Path) -> list[int]:
    names = [path.name for path in root.glob(f"{_PREFIX}*")] if root.exists() else []
    return [int(name.removeprefix(_PREFIX)) for name in names if name[len(_PREFIX) :].isdigit()]


# ---------------------------------------------------------------- finding


def find(root: Path, owner: Identity) -> tuple[Found | None, list[Problem]]:
    """The newest one that can be used, and why newer ones cannot.

    Nothing of a checkpoint is read before its digests were checked.
    """
    problems: list[Problem] = []
    for step in sorted(_steps(root), reverse=True):
        path = root / f"{_PREFIX}{step}"
        manifest, why = _check(path, owner)
        if manifest is not None and not why:
            return Found(path=path, manifest=manifest), problems
        message = f"The checkpoint of step {step:,} is not used: {why}."
        problems.append(Problem(code="checkpoint.unusable", severity="note", message=message))
    return None, problems


def _check(path: Path, owner: Identity) -> tuple[Manifest | None, str]:
    """The manifest, or why the checkpoint cannot be used."""
    try:
        raw = json.loads((path / _MANIFEST).read_bytes())
        if isinstance(raw, dict) and raw.get("format") == FORMAT and raw.get("version") != VERSION:
            return None, "another version of EasyModel wrote it"
        manifest = Manifest.model_validate(raw)
    except FileNotFoundError:
        return None, "it was not written to its end"
    except (OSError, ValueError):
        return None, "its manifest cannot be read"
    return manifest, _foreign(manifest.identity, owner) or _damaged(path, manifest)


def _foreign(theirs: Identity, owner: Identity) -> str:
    if (theirs.architecture, theirs.parameters) != (owner.architecture, owner.parameters):
        return f"it is of another model ({theirs.architecture}, {theirs.parameters:,} weights)"
    return "" if theirs == owner else "it belongs to another run"


def _damaged(path: Path, manifest: Manifest) -> str:
    for name, (size, digest) in manifest.files.items():
        file = path / name
        try:
            if file.stat().st_size != size or _digest(file) != digest:
                return f"its file {name} is damaged"
        except OSError:
            return f"its file {name} is missing"
    return ""


def other_versions(found: Found) -> Problem | None:
    """What to say of libraries that are not those the checkpoint was written with."""
    now = versions()
    changed = [
        f"{name} {was} (now {now.get(name, 'absent')})"
        for name, was in found.manifest.versions.items()
        if now.get(name) != was
    ]
    if not changed:
        return None
    message = (
        f"The run began with {', '.join(changed)}. It goes on, but its numbers may differ a "
        "little from those of a run that was never interrupted."
    )
    return Problem(code="checkpoint.versions", severity="note", message=message)


# ---------------------------------------------------------------- room


def room(folder: Path) -> int:
    """Free bytes where the run lies."""
    return shutil.disk_usage(folder).free


def check_room(folder: Path, model_bytes: int, checkpoint_bytes: int) -> Problem | None:
    """What a run needs on its disk, before it begins; None when there is room for all of it.

    Raises
    ------
    StudioError
        When not even the trained model will find room: hours of training would be lost.

    """
    free = room(folder)
    if free < model_bytes:
        raise problem_error(
            "disk.model",
            f"The trained model needs {size(model_bytes)} and {size(free)} are free on the disk of "
            f"{folder.parent}. Free some space there, or choose another home or a smaller model.",
        )
    need = model_bytes + (KEPT + 1) * checkpoint_bytes
    if free >= need:
        return None
    return Problem(
        code="disk.checkpoints",
        severity="note",
        message=f"Checkpoints and the model need {size(need)} and {size(free)} are free. "
        "Checkpoints are written while there is room; a run that is cut off may have to start "
        "again.",
    )


def size(number: float) -> str:
    """Bytes as people say them: 1.2 GB, 340 MB."""
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:,.1f} MB"  # noqa: PLR2004
