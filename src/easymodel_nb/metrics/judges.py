"""The frozen judges of text: what they are, and the best ones on this machine.

A judge is the same for every epoch of a run; its name and the hash of its weights are printed with
each number that it gave. Nothing here downloads: `missing` tells what could be had, `refresh` looks
again. No heavy library is imported before a judge is asked for.
"""

import hashlib
import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from easymodel_nb.metrics.obtainable import Obtainable

__all__ = [
    "Encoder",
    "GrammarJudge",
    "Identity",
    "Judges",
    "LanguageModel",
    "digest",
    "finite",
    "local",
    "missing",
    "refresh",
]

OFF = "EASYMODEL_NO_JUDGE"  # "1" pretends that there is none, for tests
_DIGITS = 12

Label = Literal["Well-formed", "Grammar"]


class Identity(BaseModel):
    """Which judge: `hash` is the first 12 hexadecimal digits of SHA-256 over its weights."""

    model_config = ConfigDict(frozen=True)

    id: str
    hash: str
    licence: str
    note: str = ""

    def __str__(self) -> str:
        """As it is printed with a number: `Measured.judge`."""
        return f"{self.id}@{self.hash}"


class Encoder(Protocol):
    """Vectors of texts; texts beyond 256 wordpieces are cut, so the caller gives sentences.

    Results are float32, in input order. A vector that is not finite is given as it is: `finite`
    tells which texts have one.
    """

    @property
    def identity(self) -> Identity:
        """Which encoder this is."""
        ...

    def sentences(self, texts: Sequence[str]) -> np.ndarray:
        """One L2-normalised vector a text: (n, 384)."""
        ...

    def tokens(self, texts: Sequence[str]) -> list[np.ndarray]:
        """L2-normalised vectors of each text's wordpieces, without specials: (len_i, 384)."""
        ...

    def layer(self, texts: Sequence[str], layer: int = 4) -> np.ndarray:
        """Mean beside maximum over the wordpieces of a hidden layer: (n, 768)."""
        ...

    def unknown_share(self, text: str) -> float:
        """Share of the text's wordpieces that the encoder does not know, 0 to 1."""
        ...


class GrammarJudge(Protocol):
    """How probably a sentence is well-formed; `rescale`: only its order has a meaning."""

    @property
    def identity(self) -> Identity:
        """Which judge this is."""
        ...

    @property
    def label(self) -> Label:
        """What the axis may be called."""
        ...

    @property
    def rescale(self) -> bool:
        """Whether a score is read against the references' scores."""
        ...

    def probabilities(self, sentences: Sequence[str]) -> np.ndarray:
        """One probability a sentence: (n,), NaN where none could be computed."""
        ...


class LanguageModel(Protocol):
    """Probabilities of sentences, in nats; NaN where there is no token to score."""

    @property
    def identity(self) -> Identity:
        """Which model this is."""
        ...

    def slor(self, sentences: Sequence[str]) -> np.ndarray:
        """(log p - unigram log p) / tokens of each sentence: (n,)."""
        ...

    def log_probability(self, sentences: Sequence[str]) -> np.ndarray:
        """Log p of each sentence: (n,)."""
        ...


@dataclass(frozen=True)
class Judges:
    """The judges on this machine; `reasons[name]` is a sentence for each that is not there."""

    encoder: Encoder | None = None
    grammar: GrammarJudge | None = None
    reasons: dict[str, str] = field(default_factory=dict)


def digest(chunks: Iterable[Any]) -> str:
    """First 12 hexadecimal digits of SHA-256 over buffers."""
    whole = hashlib.sha256()
    for chunk in chunks:
        whole.update(chunk)
    return whole.hexdigest()[:_DIGITS]


def digest_of_files(files: Iterable[Path]) -> str:
    """The same over files, by name."""

    def chunks() -> Iterable[bytes]:
        for file in sorted(files):
            with file.open("rb") as stream:
                while chunk := stream.read(1 << 22):
                    yield chunk

    return digest(chunks())


def weight_files(folder: Path) -> list[Path]:
    """The files of a model's weights: safetensors, else PyTorch's own."""
    return sorted(folder.glob("*.safetensors")) or sorted(folder.glob("pytorch_model*.bin"))


def finite(vectors: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
    """For each text, whether all its numbers are finite: (n,) of bool."""
    return np.array([bool(np.isfinite(vector).all()) for vector in vectors], dtype=bool)


_lock = threading.RLock()
_loaded: dict[str, Judges] = {}


def local(device: str = "cpu") -> Judges:
    """The best judges on this machine; loaded once a process, never a download, never an error."""
    if os.environ.get(OFF) == "1":
        told = f"Judges are switched off on this machine ({OFF}=1)."
        return Judges(reasons={"encoder": told, "grammar": told})
    with _lock:
        if device not in _loaded:
            _loaded[device] = _load(device)
        return _loaded[device]


def refresh() -> None:
    """Forget what was loaded: the next `local` looks again, as after a download."""
    with _lock:
        _loaded.clear()


def missing() -> "list[Obtainable]":
    """The judges that the Hub has and this machine does not; `refresh` after a download."""
    if os.environ.get(OFF) == "1":
        return []
    from easymodel_nb.metrics.obtainable import TABLE  # noqa: PLC0415

    return [one for one in TABLE if not one.here()]


def _load(device: str) -> Judges:
    reasons: dict[str, str] = {}
    encoder = _encoder(device, reasons)
    return Judges(encoder=encoder, grammar=_grammar(device, encoder, reasons), reasons=reasons)


def _encoder(device: str, reasons: dict[str, str]) -> Encoder | None:
    try:
        from easymodel_nb.metrics import encoder as encoders  # noqa: PLC0415

        return encoders.load(device)
    except LookupError as error:  # NoEncoderError: it says what to do
        reasons["encoder"] = str(error)
    except Exception as error:  # noqa: BLE001  a broken file costs this judge, never the run
        reasons["encoder"] = _broken("The text encoder (MiniLM)", error)
    return None


def _grammar(device: str, encoder: Encoder | None, reasons: dict[str, str]) -> GrammarJudge | None:
    """The CoLA classifier when it is here, else the probe on the encoder."""
    try:
        from easymodel_nb.metrics.cola import Cola  # noqa: PLC0415
        from easymodel_nb.metrics.obtainable import COLA  # noqa: PLC0415  the Hub's client

        folder = COLA.folder()
        if folder is not None:
            return Cola(folder, device=device)
    except Exception as error:  # noqa: BLE001  as above
        reasons["grammar"] = _broken("The judge of grammar (CoLA)", error)
    if encoder is None:
        reasons.setdefault(
            "grammar", "Well-formedness is read from the text encoder, which is missing."
        )
        return None
    try:
        from easymodel_nb.metrics.probe import Probe  # noqa: PLC0415

        return Probe(encoder)
    except Exception as error:  # noqa: BLE001  as above
        reasons["grammar"] = _broken("The probe of well-formedness", error)
    return None


def _broken(what: str, error: Exception) -> str:
    told = " ".join(str(error).split())[:200]
    why = f"{type(error).__name__}: {told}" if told else type(error).__name__
    return f"{what} is here and could not be loaded ({why}). Install or download it again."
