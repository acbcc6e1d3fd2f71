"""What a machine says it has on the synced folder: one file, written last, never changed.

`<machine>/manifests/<number>-<digest>.json`: the highest number whose digest holds counts. A name
that a synced folder made of it ("... (1).json") is read like the name itself.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import Final, Literal

from pydantic import BaseModel, ValidationError

from easymodel_nb.store.mirror.copying import Stop, digest, put
from easymodel_nb.store.mirror.folder import Synced

FORMAT: Final = "easymodel.mirror"
VERSION: Final = 1
KEPT = 3  # manifests of a machine: the newest may not have arrived elsewhere
_NAME = re.compile(r"(\d{8})-([0-9a-f]{16})(?: ?\(\d+\))?\.json")


class Stored(BaseModel):
    """A file there; `at` is below the synced folder, and may be another machine's."""

    size: int
    sha256: str
    at: str

    @property
    def wanted(self) -> tuple[int, str]:
        """What it has to be when it is read."""
        return self.size, self.sha256


class Origin(BaseModel):
    """What an unchanged copy is of: a version of a project."""

    project: str
    version: str


class ProjectEntry(BaseModel):
    """A project's newest version there; its ancestors stand in the file."""

    name: str
    version: str
    content: str  # digest of what the user made, without its revision
    time: str
    trashed: bool = False
    origin: Origin | None = None
    file: Stored


class CopyOf(BaseModel):
    """A run that is another machine's branch of a run: its log, before it got another id."""

    run: str
    size: int
    sha256: str
    placed: str  # SHA-256 of its log under this id: another one went on from it


class RunEntry(BaseModel):
    """A run's files there, by their path in its folder."""

    files: dict[str, Stored]
    time: str = ""  # of its last event
    label: str = ""
    copy_of: CopyOf | None = None


class Manifest(BaseModel):
    """Everything one machine has there."""

    format: Literal["easymodel.mirror"] = FORMAT
    version: Literal[1] = VERSION
    machine: str
    host: str
    number: int = 0
    time: str = ""
    projects: dict[str, ProjectEntry] = {}
    gone: dict[str, list[str]] = {}  # versions of projects that were thrown away for good
    runs: dict[str, RunEntry] = {}
    settings: Stored | None = None
    uploads: dict[str, Stored] = {}

    def stored(self) -> Iterator[Stored]:
        """Every file it names."""
        for project in self.projects.values():
            yield project.file
        for run in self.runs.values():
            yield from run.files.values()
        yield from self.uploads.values()
        if self.settings is not None:
            yield self.settings


def _folder_of(machine: str) -> str:
    return f"{machine}/manifests"


def publish(folder: Synced, manifest: Manifest, stop: Stop) -> None:
    """Write it; what it says counts from now on."""
    content = manifest.model_dump_json().encode()
    sha256 = hashlib.sha256(content).hexdigest()
    above = _folder_of(manifest.machine)
    at = f"{above}/{manifest.number:08d}-{sha256[:16]}.json"
    put(folder, [content], at, (len(content), sha256), stop)


def remove(folder: Synced, machine: str, name: str) -> None:
    """Delete one of a machine's manifests."""
    folder.remove(f"{_folder_of(machine)}/{name}")


def manifests(folder: Synced, machine: str) -> Iterator[Manifest]:
    """A machine's manifests that can be read whole, the newest first."""
    for name in numbered(folder, machine):
        if found := read(folder, machine, name):
            yield found


def machines(folder: Synced) -> list[str]:
    """Every machine that has a folder there."""
    return [name for name in folder.names("") if not name.startswith(".")]


def highest(folder: Synced, machine: str) -> int:
    """The highest number there is, readable or not."""
    return max((int(name[:8]) for name in numbered(folder, machine)), default=0)


def numbered(folder: Synced, machine: str) -> list[str]:
    """The names of a machine's manifests, the newest first."""
    names = [name for name in folder.names(_folder_of(machine)) if _NAME.fullmatch(name)]
    return sorted(names, key=lambda name: (name[:8], name), reverse=True)


def read(folder: Synced, machine: str, name: str) -> Manifest | None:
    """One of them; None while it is not there whole, or of a newer version."""
    match = _NAME.fullmatch(name)
    assert match is not None  # noqa: S101  it is one of `numbered`
    try:
        content = b"".join(folder.read(f"{_folder_of(machine)}/{name}"))
    except FileNotFoundError:
        return None
    if not digest([content])[1].startswith(match.group(2)):
        return None
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError:  # of a newer version
        return None
    return manifest if manifest.machine == machine else None
