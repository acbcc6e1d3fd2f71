"""The weights of the best epoch: on disk where there is room for them, else in memory."""

import shutil
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError

from easymodel_nb.train import checkpoints
from easymodel_nb.train.callbacks.checkpoints import load_weights, save_weights, trained_bytes
from easymodel_nb.train.control import with_ticks
from easymodel_nb.train.reporter import Reporter

FOLDER = "best"
_SPARE = 16_000_000  # bytes left on the disk for logs and other small files


def clear(folder: Path) -> None:
    """Give the room back: the run has finished, its model is saved."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)


class KeptWeights:
    """Only the weights that are trained: with adapters a few MB.

    Those of the last two best epochs stay, because the older of the two checkpoints that a run
    may go on from was written when the one before was the best.
    """

    def __init__(self, model: Any, reporter: Reporter) -> None:
        self._model = model
        self._reporter = reporter
        self._root = reporter.folder / FOLDER
        self._memory: tuple[int, dict[str, torch.Tensor]] | None = None
        self._before: int | None = None
        self.place: Literal["disk", "memory"] = "disk"

    def _folder(self, step: int) -> Path:
        return self._root / f"step-{step}"

    def has(self, step: int) -> bool:
        """Whether the weights of that step can be had."""
        return self._in_memory(step) or self._folder(step).is_dir()

    def _in_memory(self, step: int) -> bool:
        return self._memory is not None and self._memory[0] == step

    def keep(self, step: int) -> None:
        """Keep the weights the model has now; they survive the process where there is room."""
        need, free = trained_bytes(self._model), checkpoints.room(self._reporter.folder)
        why = f"it needs {checkpoints.size(need)} and {checkpoints.size(free)} are free"
        if need + _SPARE < free:
            try:
                with_ticks(lambda: self._write(step), self._reporter.heartbeat)
            except (OSError, SafetensorError) as error:
                why = str(error).splitlines()[0] if str(error) else "no reason given"
            else:
                self.place, self._memory = "disk", None
                return
        if self.place == "disk":
            self._reporter.warn(
                "early_stopping.memory",
                f"The best epoch is kept in memory, not on the disk: {why}. If the run is cut off, "
                "these weights are lost.",
                field="early_stopping",
            )
        self.place = "memory"
        self._memory = (step, {n: w.detach().cpu().clone() for n, w in self._trained().items()})

    def _write(self, step: int) -> None:
        part = self._root / f"part-{step}"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        try:
            save_weights(self._model, part)
            shutil.rmtree(self._folder(step), ignore_errors=True)
            part.rename(self._folder(step))
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise

    def _trained(self) -> dict[str, Any]:
        return {name: w for name, w in self._model.named_parameters() if w.requires_grad}

    @torch.no_grad()
    def restore(self, step: int) -> None:
        """Give the model the weights of that step."""
        if self._memory is not None and self._in_memory(step):
            trained = self._trained()
            for name, weight in self._memory[1].items():
                trained[name].copy_(weight)
        else:
            load_weights(self._model, self._folder(step))

    def prune(self, best: int | None) -> None:
        """Keep this step's and those of the best before it; called once a checkpoint."""
        kept = {self._folder(step).name for step in (best, self._before) if step is not None}
        self._before = best
        for path in self._root.glob("*"):
            if path.name not in kept:
                shutil.rmtree(path, ignore_errors=True)
