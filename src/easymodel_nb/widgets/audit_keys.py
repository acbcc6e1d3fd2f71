"""What an audit depends on, as a key: the nodes, the files they name, and the versions."""

import hashlib
import importlib.metadata
import json
import os
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from easymodel_nb import environment
from easymodel_nb.train.addresses import BUILTIN, VARIABLE, local_path
from easymodel_nb.train.auditing.asking import audit_request, audit_requests
from easymodel_nb.workflow.check import stopped
from easymodel_nb.workflow.document import Workflow

_VERSION = 1  # of what an audit holds
_LIBRARIES = ("transformers", "tokenizers", "datasets")
_FREE = ("accept", "output_name")  # fields that change no figure
_MOST_FILES = 2_000
_DEPTH = 3
_LOOKED_SECONDS = 2.0
_MODEL_FILES = (".json", ".txt", ".model", ".jinja")


class Question(NamedTuple):
    """One node to be audited; `lasting` says whether the answer holds for another session."""

    key: str
    request: dict[str, Any]
    lasting: bool
    remote: bool  # whether something of it lies on the network


class Keys:
    """Makes questions of nodes; what files look like is looked at again after two seconds."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[float, Any]] = {}
        self._turn = 0  # what variables hold is known anew at each
        self._asked: tuple[Workflow, dict[str, list[tuple[str, dict[str, Any]]]]] | None = None

    def turn(self) -> None:
        """A cell may have changed what a variable holds."""
        self._turn += 1
        self._files.clear()

    def question(self, workflow: Workflow, node: str) -> Question:
        """The question of a finetune node that check() finds no error in; of a sweep the first."""
        return self._question(audit_request(workflow, node))

    def questions(self, workflow: Workflow) -> dict[str, dict[str, Question]]:
        """Those of every node that could be trained, by the name of the run of a sweep.

        "" is the name where there is one for all. What is asked changes with the document alone,
        what its files look like by itself.
        """
        if self._asked is None or self._asked[0] != workflow:
            without = stopped(workflow)
            nodes = (n.id for n in workflow.of_type("finetune") if n.id not in without)
            requests = {node: audit_requests(workflow, node) for node in nodes}
            self._asked = workflow.model_copy(deep=True), requests
        return {
            node: {name: self._question(request) for name, request in asked}
            for node, asked in self._asked[1].items()
        }

    def _question(self, request: dict[str, Any]) -> Question:
        sources = [str(request[part]["data"].get("source", "")) for part in ("model", "dataset")]
        variable = sources[1].strip().startswith(VARIABLE)
        parts = [
            _VERSION,
            environment.version(),
            _versions(),
            *(self._state(source, model=place == 0) for place, source in enumerate(sources)),
            [request[part]["id"] for part in ("node", "model", "dataset")],
            {k: v for k, v in request["node"]["data"].items() if k not in _FREE},
            request["model"]["data"],
            request["dataset"]["data"],
            self._turn if variable else None,
        ]
        text = json.dumps(parts, sort_keys=True, default=str)
        key = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        remote = any(not s.strip().startswith(VARIABLE) and not _is_here(s) for s in sources)
        return Question(key, request, not variable, remote)

    def _state(self, source: str, *, model: bool) -> Any:
        """What the files of a source look like from outside; None where it names none here."""
        known = self._files.get(source)
        if known is None or time.monotonic() - known[0] > _LOOKED_SECONDS:
            path = local_path(source) if source.strip() else None
            known = time.monotonic(), _looks(path, model=model) if path is not None else None
            self._files[source] = known
        return known[1]


def _is_here(source: str) -> bool:
    return source.strip().startswith(BUILTIN) or local_path(source) is not None


@cache
def _versions() -> list[str]:
    found = []
    for name in _LIBRARIES:
        try:
            found.append(importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            found.append("")
    return found


def _looks(path: Path, *, model: bool) -> list[Any]:
    """Names, sizes and times of a file, or of what lies in a folder; no weights of a model."""
    try:
        if path.is_dir():
            files = sorted(_within(path, _DEPTH))[:_MOST_FILES]
            return [f for f in files if not model or str(f[0]).endswith(_MODEL_FILES)]
        state = path.stat()
    except OSError as error:
        return [type(error).__name__]
    return [str(path), state.st_size, state.st_mtime_ns]


def _within(folder: Path, depth: int) -> Iterator[tuple[str, int, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if depth:
                    yield from _within(Path(entry.path), depth - 1)
            else:
                state = entry.stat()
                yield entry.path, state.st_size, state.st_mtime_ns
