"""How the predictions of a model that labels move from point to point.

What the base model and the last whole epochs predicted lies in the run's folder, so that a run that
is resumed compares with the same. With a head of its own the base model is compared with, else the
point before: a new head predicts nothing of meaning.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from easymodel_nb.metrics.changes import prediction_changes
from easymodel_nb.metrics.reliability import reliability

FOLDER = "predictions"
MOST = 8_000_000  # probabilities of one point that are kept
_KEPT = 3  # points beside the base: a run goes on from one of the last two checkpoints
_HALF = 0.5


@dataclass(frozen=True)
class Predicted:
    """Probabilities (rows, classes); a row is a text, or a word of the text that `owners` names.

    With `several` each is that of one label by itself. `truth`: the true class numbers (rows,), or
    yes and no (rows, labels).
    """

    probabilities: np.ndarray
    several: bool = False
    owners: Sequence[int] | None = None
    truth: np.ndarray | None = None

    @property
    def labels(self) -> np.ndarray:
        """Class numbers (rows,), or yes and no (rows, labels)."""
        if self.several:
            return np.asarray(self.probabilities > _HALF)
        return np.asarray(self.probabilities.argmax(axis=1))

    def calibration(self, seed: int) -> dict[str, Any]:
        """How often what is predicted is right, by how sure the model is; empty without truth."""
        if self.truth is None:
            return {}
        found = reliability(self.probabilities, self.truth, clusters=self.owners, seed=seed)
        return found.dump()


class History:
    """The predictions of one run's points."""

    def __init__(self, folder: Path) -> None:
        self._root = folder / FOLDER

    def moved(self, step: int, now: Predicted, seed: int) -> dict[str, Any]:
        """What changed since the base model or the point before; empty where there is neither."""
        since, before = "base", self._read(0)
        if before is None:
            since, before = "previous", self._read_before(step)
        if before is None or before.shape != now.probabilities.shape:
            return {}
        old = Predicted(before, several=now.several)
        found = prediction_changes(
            now.labels,
            old.labels,
            probabilities=(now.probabilities, before),
            clusters=now.owners,
            seed=seed,
        )
        return {"changed": found.changed, "js": found.divergence, "since": since}

    def keep(self, step: int, found: Predicted) -> None:
        """Keep the predictions of a point; where there is no room, the next has none to compare."""
        if found.probabilities.size > MOST:
            return
        with contextlib.suppress(OSError):
            self._root.mkdir(exist_ok=True)
            part = self._root / f"part-{step}.npy"
            np.save(part, found.probabilities.astype(np.float32))
            part.replace(self._root / f"{step}.npy")
            for old in self._steps()[:-_KEPT]:
                (self._root / f"{old}.npy").unlink(missing_ok=True)

    def _steps(self) -> list[int]:
        """Those that are kept, but for the base."""
        names = (path.stem for path in self._root.glob("*.npy"))
        return sorted(int(name) for name in names if name.isdigit() and name != "0")

    def _read_before(self, step: int) -> np.ndarray | None:
        earlier = [known for known in self._steps() if known < step]
        return self._read(earlier[-1]) if earlier else None

    def _read(self, step: int) -> np.ndarray | None:
        with contextlib.suppress(OSError, ValueError):
            found: np.ndarray = np.load(self._root / f"{step}.npy")
            return found
        return None
