"""The model and the data that come with the package, so that a first run needs no download."""

import functools
import json
import pathlib
from dataclasses import dataclass
from typing import Any

__all__ = ["BuiltinDataset", "BuiltinModel", "datasets", "models", "path"]

_HERE = pathlib.Path(__file__).parent


@dataclass(frozen=True, slots=True)
class BuiltinModel:
    """A model folder inside the package; `bytes` is what its files take, facts.json aside."""

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
    found = sorted(_HERE.glob("*/facts.json"))
    return {file.parent.name: json.loads(file.read_text(encoding="utf-8")) for file in found}


def path(name: str) -> pathlib.Path:
    """Return the folder of a built-in model or data set."""
    if name not in _facts():
        known = [
            "models: " + ", ".join(m.name for m in models()),
            "data sets: " + ", ".join(d.name for d in datasets()),
        ]
        message = f"Nothing built in is called {name!r}. There are {'; '.join(known)}."
        raise LookupError(message)
    return _HERE / name


@functools.cache
def models() -> tuple[BuiltinModel, ...]:
    """Return the built-in models, by name."""
    return tuple(
        BuiltinModel(
            name=name,
            title=str(facts["title"]),
            licence=str(facts["licence"]),
            parameters=int(facts["parameters"]),
            bytes=int(facts["bytes"]),
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
