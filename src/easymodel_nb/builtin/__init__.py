"""The models and the data that come with the package, so that a first run needs no download."""

import functools
import json
import pathlib
from dataclasses import dataclass
from typing import Any

from easymodel_nb.builtin.offline import MINILM, PackagedModelError

__all__ = [
    "CARD",
    "BuiltinDataset",
    "BuiltinModel",
    "PackagedModelError",
    "datasets",
    "models",
    "path",
]

CARD = "facts.json"  # what is said of a model or a data set, beside its files
_HERE = pathlib.Path(__file__).parent
_PACKAGED = {MINILM.name: MINILM}


@dataclass(frozen=True, slots=True)
class BuiltinModel:
    """A model folder inside the package or an extra; `bytes` is what its files take."""

    name: str
    title: str
    licence: str
    parameters: int
    bytes: int
    tasks: tuple[str, ...]
    summary: str


@dataclass(frozen=True, slots=True)
class BuiltinDataset:
    """A data folder inside the package; `rows` are for training, `held_out` for validation."""

    name: str
    title: str
    licence: str
    rows: int
    held_out: int
    columns: tuple[str, ...]
    tasks: tuple[str, ...]
    summary: str


@functools.cache
def _facts() -> dict[str, dict[str, Any]]:
    """Read facts.json of every folder, by name."""
    found = sorted(_HERE.glob(f"*/{CARD}"))
    return {file.parent.name: json.loads(file.read_text(encoding="utf-8")) for file in found}


def path(name: str) -> pathlib.Path:
    """Return the folder of a built-in model or data set.

    Raises
    ------
    LookupError
        When nothing is called so.
    PackagedModelError
        A LookupError: when it comes with an extra that is not installed, or whose files are not
        those that were published.

    """
    if name not in _facts():
        known = [
            "models: " + ", ".join(m.name for m in models()),
            "data sets: " + ", ".join(d.name for d in datasets()),
        ]
        message = f"Nothing built in is called {name!r}. There are {'; '.join(known)}."
        raise LookupError(message)
    return _PACKAGED[name].path() if name in _PACKAGED else _HERE / name


def models() -> tuple[BuiltinModel, ...]:
    """Return the built-in models that are here, by name; that of an extra when it is installed."""
    return tuple(
        model
        for model in _models()
        if model.name not in _PACKAGED or _PACKAGED[model.name].folder() is not None
    )


@functools.cache
def _models() -> tuple[BuiltinModel, ...]:
    return tuple(
        BuiltinModel(
            name=name,
            title=str(facts["title"]),
            licence=str(facts["licence"]),
            parameters=int(facts["parameters"]),
            bytes=_PACKAGED[name].bytes if name in _PACKAGED else int(facts["bytes"]),
            tasks=tuple(map(str, facts["tasks"])),
            summary=str(facts["summary"]),
        )
        for name, facts in _facts().items()
        if facts["kind"] == "model"
    )


@functools.cache
def datasets() -> tuple[BuiltinDataset, ...]:
    """Return the built-in data sets, by name."""
    return tuple(
        BuiltinDataset(
            name=name,
            title=str(facts["title"]),
            licence=str(facts["licence"]),
            rows=int(facts["rows"]),
            held_out=int(facts["held_out"]),
            columns=tuple(map(str, facts["columns"])),
            tasks=tuple(map(str, facts["tasks"])),
            summary=str(facts["summary"]),
        )
        for name, facts in _facts().items()
        if facts["kind"] == "dataset"
    )
