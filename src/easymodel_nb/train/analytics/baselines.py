"""What was measured of a base model, in HOME/cache/baselines, for the next run of the same.

The key holds everything the numbers depend on: the model's files, the texts, the settings, the
judges, the device and the versions. Safe to delete; where it cannot be written, a run goes on.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import transformers
from pydantic import BaseModel, ValidationError

from easymodel_nb import environment, whole
from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.runlog.scores import Values
from easymodel_nb.train import cache
from easymodel_nb.train.analytics.allowance import Costs
from easymodel_nb.workflow.document import FinetuneData

VERSION = 3  # of what is measured, and how
_KEPT = 40  # entries; those longest unused leave first
# What training does with the model afterwards changes nothing of the base.
_LATER = frozenset(
    {
        *("epochs", "batch_size", "learning_rate", "scheduler", "warmup_ratio", "weight_decay"),
        *("gradient_accumulation", "gradient_checkpointing", "early_stopping", "class_weights"),
        *("time_budget_minutes", "analytics_budget", "sweep", "accept", "output_name", "processes"),
        *("lora_rank", "lora_alpha", "lora_dropout", "target_modules"),
    }
)


class Baseline(BaseModel):
    """The base model's point: numbers, answers, scores by set, and what they cost."""

    run: str
    measured: str
    prompts: int = 0  # whose answers were judged
    noise_prompts: int = 0
    costs: Costs | None = None
    analytics: Analytics
    rows: list[dict[str, Any]] = []
    values: dict[str, Values] = {}


def key(
    folder: Path, revision: str | None, data: FinetuneData, digests: Any, others: list[Any]
) -> str:
    """Names everything the numbers depend on; `digests` tell the texts, `others` what else does.

    Not the number of threads: it follows what else the machine does, and changes a sum by its
    rounding alone, parts in a million.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    known = [
        (str(path.relative_to(folder)), path.stat().st_size, path.stat().st_mtime_ns)
        for path in files
    ]
    settings = data.model_dump(mode="json", exclude=set(_LATER))
    if data.method == "lora":  # untrained adapters add nothing to the weights; 4 bits do
        settings["method"] = "full"
    return cache.digest(
        [
            VERSION,
            environment.version(),
            torch.__version__,
            transformers.__version__,
            [str(folder), revision, known],
            settings,
            digests,
            others,
        ]
    )


def read(home: Path, name: str) -> Iterator[Baseline]:
    """What runs before have measured, the last one first: each with as many prompts as it had.

    How many a run can afford depends on its length. A damaged entry is passed over.
    """
    folder = home / "cache" / "baselines"
    with contextlib.suppress(OSError):
        for path in sorted(folder.glob(f"{name}-*.json"), key=_used, reverse=True):
            with contextlib.suppress(OSError, ValidationError, ValueError):
                yield Baseline.model_validate_json(path.read_text(encoding="utf-8"))


def used(home: Path, name: str, found: Baseline) -> None:
    """Note that it was of use, so that others leave before it."""
    with contextlib.suppress(OSError):
        os.utime(_path(home, name, found))


def write(home: Path, name: str, found: Baseline) -> None:
    """Keep it; those longest unused make room."""
    folder = home / "cache" / "baselines"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        whole.replace(_path(home, name, found), found.model_dump_json(), shared=True)
        for old in sorted(folder.glob("*.json"), key=_used, reverse=True)[_KEPT:]:
            old.unlink(missing_ok=True)


def _path(home: Path, name: str, found: Baseline) -> Path:
    of = f"{name}-{found.prompts}-{found.noise_prompts}.json"
    return home / "cache" / "baselines" / of


def _used(path: Path) -> int:
    return path.stat().st_mtime_ns
