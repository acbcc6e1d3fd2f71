"""Does a sentence look damaged? Logistic regression on a hidden layer of the encoder.

The probe knows English sentences from ones with swapped, lost, doubled or wrongly bent words. It is
no judge of grammar: its axis is called "Well-formed". Trained by `tools/train_probe.py`; what was
measured of it stands beside its weights.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from easymodel_nb.metrics.judges import Encoder, Identity, digest

FOLDER = Path(__file__).parent / "weights"
WEIGHTS = "well_formed.safetensors"
CARD = "well_formed.json"
LAYER = 4


class Probe:
    """The judge of well-formedness, on an encoder."""

    label: Literal["Well-formed"] = "Well-formed"
    rescale = True  # a score has a meaning beside the references' scores only

    def __init__(self, encoder: Encoder) -> None:
        """Read the weights.

        Raises
        ------
        OSError
            When the file is not there.

        """
        from safetensors.numpy import load_file  # noqa: PLC0415

        tensors = load_file(FOLDER / WEIGHTS)
        self._weight = tensors["weight"].astype(np.float64)
        self._bias = float(tensors["bias"][0])
        self._encoder = encoder
        mine = [tensors["weight"].tobytes(), tensors["bias"].tobytes()]
        self.identity = Identity(
            id="well-formed-probe",
            hash=digest([encoder.identity.hash.encode(), *mine]),
            licence="MIT",
            note=f"English; on layer {LAYER} of {encoder.identity}",
        )

    def probabilities(self, sentences: Sequence[str]) -> np.ndarray:
        """Sigmoid of the probe, one a sentence: (n,) float32; NaN for a vector that has one."""
        if not sentences:
            return np.zeros(0, dtype=np.float32)
        logits = self._encoder.layer(sentences, LAYER).astype(np.float64) @ self._weight
        logits = np.clip(logits + self._bias, -60.0, 60.0)  # NaN stays NaN
        probabilities: np.ndarray = (1.0 / (1.0 + np.exp(-logits))).astype(np.float32)
        return probabilities
