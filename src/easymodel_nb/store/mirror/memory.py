"""What this home remembers of its mirror: `HOME/mirror/`, beside what is mirrored.

`memory.json` is written before anything that depends on it is said on the synced folder. Where it
is lost, the home is a new machine there, and what is equal is known again by its content.
"""

import contextlib
import getpass
import json
import os
import re
import secrets
import sys
from pathlib import Path

from pydantic import BaseModel, ValidationError

from easymodel_nb import environment
from easymodel_nb.store.mirror.manifest import CopyOf, Manifest, Origin

FOLDER = "mirror"


class Known(BaseModel):
    """A project's newest version here."""

    version: str
    content: str
    ancestors: tuple[str, ...] = ()
    time: str = ""
    trashed: bool = False
    origin: Origin | None = None


class Memory(BaseModel):
    """What is remembered."""

    machine: str = ""
    host: str = ""
    saved: str | None = None  # when all that was here then was there
    published: Manifest | None = None
    projects: dict[str, Known] = {}
    gone: dict[str, list[str]] = {}
    settled: dict[str, list[str]] = {}  # diverged versions that were kept beside here
    copies: dict[str, CopyOf] = {}  # runs that are another machine's branch


def machine_host() -> str:
    """What people call this machine, without the person whose it is."""
    if environment.host() == "colab":
        return "Colab"
    name = re.sub(r"[^A-Za-z0-9-]+", "-", environment.hostname().split(".")[0]).strip("-")[:30]
    try:
        person = getpass.getuser()
    except (OSError, KeyError, ImportError):
        person = ""
    if not name or (person not in {"", "root"} and person.lower() in name.lower()):
        return {"darwin": "Mac", "win32": "Windows"}.get(sys.platform, "Linux")
    return name


def load(home: Path) -> Memory:
    """The memory of a home; a home copied to another machine is another machine."""
    try:
        memory = Memory.model_validate_json((home / FOLDER / "memory.json").read_bytes())
    except (OSError, ValidationError, ValueError):
        memory = Memory()
    host = machine_host()
    if not memory.machine or memory.host != host:
        memory.machine, memory.host = f"{host}-{secrets.token_hex(4)}", host
        memory.published = None
    return memory


def keep(home: Path, memory: Memory) -> None:
    """Write it, down to the disk."""
    write(home / FOLDER / "memory.json", memory.model_dump_json().encode())


def write(path: Path, content: bytes) -> None:
    """Replace a file whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}-{os.getpid()}-{secrets.token_hex(2)}.tmp")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


class Digests:
    """Checksums of files that have not changed since: what is known is not read again."""

    def __init__(self, home: Path) -> None:
        self._path = home / FOLDER / "digests.json"
        self._known: dict[str, tuple[list[int], int, str]] = {}
        self._used: set[str] = set()
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
            raw = json.loads(self._path.read_bytes())
            self._known = {name: (stamp, size, sha) for name, (stamp, size, sha) in raw.items()}

    def get(self, path: Path, length: int, text: bool) -> tuple[int, str] | None:  # noqa: FBT001
        """Bytes and SHA-256, where the file is as it was."""
        key = str(path)
        self._used.add(key)
        known = self._known.get(key)
        if known is None or known[0] != _stamp(path, length, text):
            return None
        return known[1], known[2]

    def put(self, path: Path, length: int, text: bool, found: tuple[int, str]) -> None:  # noqa: FBT001
        """Remember it; for what is stored before it could have changed within the clock's grain."""
        self._known[str(path)] = (_stamp(path, length, text), *found)

    def keep(self) -> None:
        """Write them, those of files that are still asked for; losing them costs time alone."""
        self._known = {name: known for name, known in self._known.items() if name in self._used}
        self._used.clear()
        with contextlib.suppress(OSError):
            write(self._path, json.dumps(self._known).encode())


def _stamp(path: Path, length: int, text: bool) -> list[int]:  # noqa: FBT001
    try:
        stat = path.stat()
    except OSError:
        return [length]
    return [stat.st_ino, stat.st_mtime_ns, length, int(text)]
