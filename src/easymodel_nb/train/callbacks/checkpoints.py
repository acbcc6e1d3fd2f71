"""Checkpoints: when they are written, and what the log says of them."""

import shutil
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from easymodel_nb.train.reporter import Reporter

_SECONDS = 600


class Checkpoints(TrainerCallback):
    """Writes one every ten minutes, beside those at the end of each epoch, and says so."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._written = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Ask for one when the last is too old."""
        if not control.should_training_stop and time.monotonic() - self._written > _SECONDS:
            control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Log the one that was written."""
        self._written = time.monotonic()
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
        path = folder.relative_to(self._reporter.folder).as_posix()
        self._reporter.event("checkpoint", step=state.global_step, path=path, bytes=size)


def room_for_checkpoints(model: Any, reporter: Reporter) -> bool:
    """Whether three checkpoints (weights and two optimizer moments each) fit; else says so."""
    need: int = 3 * 3 * sum(p.numel() * p.element_size() for p in model.parameters())
    free = shutil.disk_usage(reporter.folder).free
    if need > free:
        reporter.warn(
            "disk.checkpoints",
            f"No checkpoints are written: they need {need / 1e9:.1f} GB and {free / 1e9:.1f} GB "
            "are free. A run that is cut off starts again.",
        )
    return need <= free
