"""Judges that can be downloaded from the Hugging Face Hub, and where they lie when they are here.

Nothing here downloads. Whoever does needs `repo`, `revision` and `patterns`, and calls
`judges.refresh()` afterwards.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from easymodel_nb import builtin

Axis = Literal["encoder", "grammar"]
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")


@dataclass(frozen=True)
class Obtainable:
    """A judge on the Hub.

    `axis` is the key of `Judges.reasons`; `megabytes` is about what a download takes; `sha256` is
    that of the weights, where they are known.
    """

    axis: Axis
    repo: str
    megabytes: int
    licence: str
    judges: str  # what it is for, as words that follow "judges"
    patterns: tuple[str, ...]
    revision: str | None = None
    sha256: str | None = None

    @property
    def label(self) -> str:
        """What a button says."""
        return f"Get the judge, {self.megabytes} MB"

    def here(self) -> bool:
        """Whether it is on this machine, by a look at the disk."""
        if self.axis == "encoder":
            with contextlib.suppress(LookupError):
                return bool(builtin.path("minilm"))
        return self.folder() is not None

    def folder(self) -> Path | None:
        """Its folder in the local cache of the Hub's client; None when it is not all there."""
        from huggingface_hub import try_to_load_from_cache  # noqa: PLC0415

        def found(name: str) -> str | None:
            path = try_to_load_from_cache(self.repo, name, revision=self.revision)
            return path if isinstance(path, str) else None

        config = found("config.json")
        if config is None or not any(found(name) for name in _WEIGHTS):
            return None
        if not any(found(name) for name in ("tokenizer.json", "vocab.json", "vocab.txt")):
            return None
        return Path(config).parent


_PATTERNS = ("*.json", "*.txt", "model.safetensors")

ENCODER = Obtainable(
    axis="encoder",
    repo="sentence-transformers/all-MiniLM-L6-v2",
    megabytes=91,
    licence="Apache-2.0",
    judges="meaning: coherence, relevance, consistency, drift; well-formedness through a probe",
    patterns=_PATTERNS,
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
COLA = Obtainable(
    axis="grammar",
    repo="textattack/roberta-base-CoLA",
    megabytes=500,
    licence="not stated by its authors; RoBERTa is MIT",
    judges="grammar: whether a linguist would accept a sentence (CoLA)",
    patterns=(*_PATTERNS, "pytorch_model.bin"),
)
TABLE = (ENCODER, COLA)


@contextlib.contextmanager
def without_bars() -> Iterator[None]:
    """Load a model without transformers' progress bar, which would land in somebody's cell."""
    from transformers.utils import logging as told  # noqa: PLC0415

    logging: Any = told  # its functions have no types
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
