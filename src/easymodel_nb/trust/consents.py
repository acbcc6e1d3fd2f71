"""What the user allowed a repository, by its commit, in `consents.json` of the home.

A consent is of this machine: it lies in no project, run or mirror, so that nobody's file can bring
one along, and it is of one commit, so that what is put into the repository later is asked about
again. A consent to code also keeps the digest of each Python file that was there to look at.
"""

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from easymodel_nb.trust.code import CodeFile

NAME = "consents.json"
Kind = Literal["pickled", "code"]
KINDS: tuple[Kind, ...] = ("pickled", "code")
_PATIENCE_SECONDS = 5.0
_lock = threading.Lock()


@dataclass(frozen=True)
class Consent:
    """One of them; `files` are the Python files by name with their SHA-256, of code alone."""

    kind: Kind
    repo: str  # or the absolute path of a folder
    commit: str
    files: Mapping[str, str]
    given: str = ""  # ISO time


def given(home: Path, kind: Kind, repo: str, commit: str) -> bool:
    """Whether the user allowed it for this commit."""
    return find(home, kind, repo, commit) is not None


def find(home: Path, kind: Kind, repo: str, commit: str) -> Consent | None:
    """The consent for this commit; None without one."""
    same = (c for c in known(home) if (c.kind, c.repo, c.commit) == (kind, repo, commit))
    return next(same, None)


def known(home: Path) -> list[Consent]:
    """Every consent of this home that can be read, the ones given last first."""
    found = [c for kind in KINDS for c in map(_understood(kind), _read(home).get(kind, [])) if c]
    return sorted(found, key=lambda consent: consent.given, reverse=True)


def give(
    home: Path, kind: Kind, repo: str, commit: str, files: list[CodeFile] | None = None
) -> None:
    """Remember a consent; `files` are what was there to look at."""
    entry = {
        "repo": repo,
        "commit": commit,
        "files": {file.name: file.sha256 for file in files or []},
        "given": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    _change(home, kind, repo, commit, [entry])


def withdraw(home: Path, kind: Kind, repo: str, commit: str) -> None:
    """Forget a consent: it will be asked again."""
    _change(home, kind, repo, commit, [])


def _change(home: Path, kind: Kind, repo: str, commit: str, new: list[dict[str, Any]]) -> None:
    with _lock, _alone(home):
        content = _read(home)
        told = _understood(kind)
        others = [
            entry
            for entry in content.get(kind, [])
            if (c := told(entry)) is not None and (c.repo, c.commit) != (repo, commit)
        ]
        temporary = home / f".{NAME}-{os.getpid()}.tmp"
        text = json.dumps(content | {kind: [*others, *new]}, indent=1)
        temporary.write_text(text + "\n", encoding="utf-8")
        temporary.replace(home / NAME)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Keep other processes from writing meanwhile, where the file system knows locks."""
    lock = FileLock(home / f".{NAME}.lock", timeout=_PATIENCE_SECONDS)
    held = False
    with suppress(OSError, NotImplementedError, Timeout):
        lock.acquire()
        held = True
    try:
        yield
    finally:
        if held:
            lock.release()


def _read(home: Path) -> dict[str, list[Any]]:
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads((home / NAME).read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return {kind: entries for kind, entries in found.items() if isinstance(entries, list)}
    return {}


def _understood(kind: Kind) -> Callable[[Any], Consent | None]:
    """Read an entry of the file, which anybody may have changed by hand."""

    def read(entry: Any) -> Consent | None:
        if isinstance(entry, str) and kind == "pickled":  # as earlier versions wrote it
            named, _, at = entry.rpartition("@")
            entry = {"repo": named, "commit": at}
        if not isinstance(entry, dict):
            return None
        files = entry.get("files", {})
        texts = [entry.get("repo"), entry.get("commit"), entry.get("given", "")]
        if not isinstance(files, dict) or not all(texts[:2]):
            return None
        if not all(isinstance(value, str) for value in (*texts, *files.values())):
            return None
        return Consent(kind, texts[0], texts[1], files, texts[2])

    return read
