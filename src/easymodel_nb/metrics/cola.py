"""A CoLA classifier: the probability that a linguist would accept a sentence.

CoLA is the Corpus of Linguistic Acceptability (Warstadt, Singh & Bowman 2019). The classifier is a
RoBERTa from the local cache of the Hub; it is never downloaded here.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from easymodel_nb.metrics.judges import Identity, digest_of_files, weight_files
from easymodel_nb.metrics.obtainable import COLA, without_bars
from easymodel_nb.trust import loading

ACCEPTABLE = 1  # CoLA's label of a sentence that is accepted
_LONGEST = 256  # tokens of a sentence; what follows is not read
_SENTENCES_A_BATCH = 32


class Cola:
    """The judge of grammar; may be asked from several threads."""

    label: Literal["Grammar"] = "Grammar"
    rescale = False  # its probabilities mean something by themselves

    def __init__(self, folder: Path, *, device: str = "cpu", name: str = COLA.repo) -> None:
        """Load it from a folder, which is not written to.

        Raises
        ------
        OSError
            When the folder holds no model.
        ValueError
            When the model is no classifier of two labels with weights for its head.

        """
        import torch  # noqa: PLC0415

        with without_bars():
            self._tokenizer: Any = loading.tokenizer(folder)
            model, told = loading.model(
                "AutoModelForSequenceClassification",
                folder,
                loading.JUDGE,
                dtype=torch.float32,
                output_loading_info=True,
            )
        unread = [key for key in told["missing_keys"] if "position_ids" not in key]
        if model.config.num_labels != 2 or unread:  # noqa: PLR2004  rejected and accepted
            raise ValueError(f"{name} is no classifier of accepted and rejected sentences")
        self._model: Any = model.eval().requires_grad_(False).to(device)  # noqa: FBT003
        self._device = device
        self._lock = threading.Lock()
        self.identity = Identity(
            id=name.rsplit("/", 1)[-1],
            hash=digest_of_files(weight_files(folder)),
            licence=COLA.licence,
            note="English; trained on CoLA",
        )

    def probabilities(self, sentences: Sequence[str]) -> np.ndarray:
        """Probability of "acceptable", one a sentence: (n,) float32; NaN where it is not finite."""
        found = np.zeros(len(sentences), dtype=np.float32)
        order = sorted(range(len(sentences)), key=lambda i: len(sentences[i]), reverse=True)
        with self._lock:
            for start in range(0, len(order), _SENTENCES_A_BATCH):
                batch = order[start : start + _SENTENCES_A_BATCH]
                found[batch] = self._batch([sentences[i] for i in batch])
        return found

    def _batch(self, sentences: list[str]) -> np.ndarray:
        import torch  # noqa: PLC0415

        from easymodel_nb.metrics.memory import in_halves  # noqa: PLC0415  it imports PyTorch

        def ask(part: Sequence[str]) -> list[float]:
            rows = self._tokenizer(
                list(part),
                truncation=True,
                max_length=_LONGEST,
                padding=True,
                return_tensors="pt",
                verbose=False,
            ).to(self._device)
            with torch.inference_mode(), torch.autocast(self._device.split(":")[0], enabled=False):
                logits = self._model(**rows).logits.float()
            return [float(p) for p in logits.softmax(dim=-1)[:, ACCEPTABLE].cpu()]

        return np.array(in_halves(sentences, ask), dtype=np.float32)
