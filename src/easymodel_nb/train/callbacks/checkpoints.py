"""Checkpoints of a run: when they are written, what they hold, what the log says of them."""

import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import TrainerCallback

from easymodel_nb.metrics.memory import out_of_memory
from easymodel_nb.train import checkpoints
from easymodel_nb.train.control import with_ticks
from easymodel_nb.train.finite import broken_weight
from easymodel_nb.train.plan import RunPlan
from easymodel_nb.train.reporter import Reporter

SECONDS = 600  # at least every ten minutes, beside each epoch's end
_FULL, _ADAPTER = "model.safetensors", "trained.safetensors"
_RNG = "rng_state.pth"  # the names the Trainer looks for
_RNG_OF = "rng_state_{}.pth"
_SPARE = 16_000_000  # bytes left on the disk for logs and other small files


class Keeps(Protocol):
    """What must survive an interruption, so that the joined curve is the uninterrupted one.

    `state_dict` gives JSON values or tensors of one number, none of which changes afterwards.
    """

    def state_dict(self) -> dict[str, Any]:
        """The state of this moment."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""


class Checkpoints(TrainerCallback):
    """Writes one at each epoch's end and every ten minutes, and the last one on a stop."""

    def __init__(self, plan: RunPlan, reporter: Reporter, keepers: Mapping[str, Keeps]) -> None:
        self._owner = checkpoints.identity(plan)
        self._per_epoch = plan.steps_per_epoch
        self._reporter = reporter
        self._keepers = keepers
        self._root = reporter.folder / checkpoints.FOLDER
        self._written = time.monotonic()
        self._last_step = 0
        self._moment: tuple[int, dict[str, Any], dict[str, Any]] | None = None
        self._told: set[str] = set()

    # ------------------------------------------------------------ when

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Remember the moment: a step that is left half done goes back to it."""
        self._remember(state.global_step)

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """The same; an epoch's first step comes after its loader has drawn a number."""
        if state.global_step % self._per_epoch:
            self._remember(state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Ask for one when the last is too old."""
        if not control.should_training_stop and time.monotonic() - self._written > SECONDS:
            control.should_save = True

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Ask for one at the end of an epoch, or where the training ends."""
        control.should_save = state.global_step > self._last_step

    # ------------------------------------------------------------ what

    def _remember(self, step: int) -> None:
        state = {name: keeper.state_dict() for name, keeper in self._keepers.items()}
        self._moment = (step, state, random_states())

    def last(self, trainer: Any) -> None:
        """Write the last whole step, if that was not done."""
        shards = trainer.shards
        kept = shards is None or shards.states is not None  # nobody is left to bring them
        if kept and trainer.state.global_step > self._last_step:
            self.write(trainer)

    def write(self, trainer: Any, processes: Sequence[dict[str, Any]] = ()) -> None:
        """Write one of the last whole step; a disk that refuses costs the checkpoint alone.

        `processes`: the random states of each, where several train together.
        """
        step = trainer.state.global_step
        if self._moment is None or self._moment[0] != step:
            self._remember(step)
        assert self._moment is not None  # noqa: S101  just remembered
        _, kept, numbers = self._moment
        self._written = time.monotonic()
        if broken_weight(trainer.whole, learned_only=True) is not None:
            return  # nobody should go on from it
        need = _bytes(trainer) + _SPARE
        free = checkpoints.room(self._reporter.folder)
        if free < need:
            self._not_written(
                step, f"it needs {checkpoints.size(need)}, {checkpoints.size(free)} are free"
            )
            return

        def fill(folder: Path) -> None:
            save_weights(trainer.whole, folder)
            trainer.write_states(folder)
            torch.save(numbers, folder / _RNG)
            for rank, states in enumerate(processes):
                torch.save(states, folder / _RNG_OF.format(rank))

        def work() -> tuple[Path, int]:
            return checkpoints.write(self._root, step, self._owner, _plain(kept), fill)

        try:
            with self._reporter.saying(f"Writing the checkpoint of step {step:,}"):
                path, written = with_ticks(work, self._reporter.heartbeat)
        except (OSError, RuntimeError, SafetensorError) as error:
            if out_of_memory(error):
                raise
            self._not_written(step, str(error).splitlines()[0] if str(error) else "no reason given")
            return
        self._last_step = step
        self._told.clear()
        name = path.relative_to(self._reporter.folder).as_posix()
        self._reporter.event("checkpoint", step=step, path=name, bytes=written)

    def _not_written(self, step: int, why: str) -> None:
        """Say so once, until one is written again."""
        if self._told:
            return
        self._told.add(why)
        stays = f"that of step {self._last_step:,} stays" if self._last_step else "there is none"
        self._reporter.warn(
            "checkpoint.not_written",
            f"The checkpoint of step {step:,} could not be written: {why}. The training goes on; "
            f"{stays}. Free some disk space to have newer ones.",
        )

    def restore(self, found: checkpoints.Found) -> None:
        """Give our own counts back; the Trainer does the same with its own."""
        self._last_step = found.step  # on disk already, and better than what a stop could write
        for name, keeper in self._keepers.items():
            if name in found.manifest.state:
                keeper.load_state_dict(found.manifest.state[name])


def random_states() -> dict[str, Any]:
    """The states of all global generators, as the Trainer writes and reads them."""
    states: dict[str, Any] = {
        "python": random.getstate(),
        "numpy": np.random.get_state(),  # noqa: NPY002
        "cpu": torch.random.get_rng_state(),
    }
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.random.get_rng_state()
    return states


def _plain(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.item()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    return value


# ---------------------------------------------------------------- weights


def save_weights(model: Any, folder: Path) -> None:
    """The weights that are trained; where those are all, the folder loads like any model."""
    trained = {
        name: weight.detach().contiguous()
        for name, weight in model.named_parameters()
        if weight.requires_grad
    }
    whole = len(trained) == sum(1 for _ in model.named_parameters())
    save_file(trained, folder / (_FULL if whole else _ADAPTER), metadata={"format": "pt"})
    if whole:
        model.config.save_pretrained(folder)


@torch.no_grad()
def load_weights(model: Any, folder: Path) -> None:
    """Give the model the trained weights of a checkpoint.

    Raises
    ------
    ValueError
        When these are not the weights of this model.

    """
    path = next(folder / name for name in (_FULL, _ADAPTER) if (folder / name).exists())
    saved = load_file(path)
    trained = {name: w for name, w in model.named_parameters() if w.requires_grad}
    if saved.keys() != trained.keys():
        raise ValueError(f"{path.name} holds other weights than the model that is trained")
    for name, weight in trained.items():
        weight.copy_(saved[name])


def trained_bytes(model: Any) -> int:
    """Bytes of the weights that are trained."""
    return sum(p.numel() * p.element_size() for p in model.parameters() if p.requires_grad)


def _bytes(trainer: Any) -> int:
    moments = sum(
        value.numel() * value.element_size()
        for state in trainer.optimizer.state.values()
        for value in state.values()
        if isinstance(value, torch.Tensor)
    )
    return trained_bytes(trainer.whole) + moments
