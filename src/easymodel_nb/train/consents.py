"""What the user allowed a repository, by its commit, in `consents.json` of the home.

A consent is of this machine: it lies in no project, so that nobody's file can bring one along,
and it is of one commit, so that what is put into the repository later is asked about again.
"""

import json
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Literal

from easymodel_nb.errors import Fix, Problem
from easymodel_nb.train.hub.repository import Repo

NAME = "consents.json"
Kind = Literal["pickled"]
_lock = threading.Lock()


def given(home: Path, kind: Kind, repo: str, commit: str) -> bool:
    """Whether the user allowed it for this commit."""
    return f"{repo}@{commit}" in _read(home).get(kind, [])


def give(home: Path, kind: Kind, repo: str, commit: str) -> None:
    """Remember a consent."""
    with _lock:
        known = _read(home)
        entries = {*known.get(kind, []), f"{repo}@{commit}"}
        temporary = home / f".{NAME}-{os.getpid()}.tmp"
        text = json.dumps(known | {kind: sorted(entries)}, indent=1)
        temporary.write_text(text + "\n", encoding="utf-8")
        temporary.replace(home / NAME)


def _read(home: Path) -> dict[str, list[str]]:
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads((home / NAME).read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return {k: [e for e in v if isinstance(e, str)] for k, v in found.items()
                    if isinstance(v, list)}  # fmt: skip
    return {}


def pickled(home: Path, repo: Repo, commit: str) -> Problem | None:
    """What is asked before weights are opened that are a pickle; None once it was allowed."""
    if given(home, "pickled", repo.id, commit):
        return None
    return Problem(
        code="model.pickled",
        message=f"{repo.id} has its weights only as a pickle (pytorch_model.bin), a kind of file "
        "that can hold code. It would be opened for its numbers alone, with code refused. Allow "
        "it if you trust who made it, or choose a model with .safetensors.",
        field="source",
        fix=Fix(
            label="Allow it for this version",
            command="consent",
            params={"kind": "pickled", "repo": repo.id, "commit": commit},
        ),
    )
