"""Runs of other machines: logs, plans and samples at once; models and checkpoints when asked for.

A log only grows, so a log that begins with another one came from it. Two that went on differently
are two runs: the one that is here keeps its id, the other gets one of its own.
"""

import hashlib
import shutil
from dataclasses import dataclass
from typing import NamedTuple

from easymodel_nb.runlog.log import runs_folder
from easymodel_nb.store.mirror import copying
from easymodel_nb.store.mirror.contents import (
    CHECKPOINTS,
    LOG,
    MODELS,
    Home,
    mirrored,
    unit_of,
)
from easymodel_nb.store.mirror.copying import Source, Stop
from easymodel_nb.store.mirror.folder import Synced
from easymodel_nb.store.mirror.manifest import CopyOf, Manifest, RunEntry, Stored
from easymodel_nb.store.mirror.memory import Memory, keep, write

_SPARE = 1 << 30  # bytes of the local disk that models from the mirror leave free
_MANIFEST = "manifest.json"  # of a checkpoint: it names the run
_LARGEST_LOG = 256 << 20


class Branch(NamedTuple):
    """A run as another machine has it."""

    machine: str
    host: str
    entry: RunEntry
    log: bytes


@dataclass(frozen=True)
class Wanted:
    """A folder of a run that is there and not here: a checkpoint, a model, data."""

    run: str
    unit: str
    files: dict[str, Stored]
    renamed: str = ""  # the id the run has there

    @property
    def size(self) -> int:
        """Its bytes."""
        return sum(stored.size for stored in self.files.values())

    @property
    def order(self) -> tuple[int, str]:
        """Checkpoints and data before models: a run that can go on comes first."""
        return int(self.unit in MODELS), "".join(chr(0x10FFFF - ord(sign)) for sign in self.run)


class RunArrivals:
    """Brings runs here."""

    def __init__(self, contents: Home, folder: Synced, memory: Memory) -> None:
        self._contents, self._folder, self._memory = contents, folder, memory
        self.wanted: dict[tuple[str, str], Wanted] = {}
        self.late = 0
        self.brought = 0

    # ------------------------------------------------------------ logs

    def all(self, others: dict[str, list[Manifest]], stop: Stop) -> None:
        """Decide about each run that another machine has, the newest first."""
        self.late = 0
        self.wanted.clear()
        names = {name for one in others.values() for manifest in one for name in manifest.runs}
        for name in sorted(names, reverse=True):
            if stop():
                raise copying.Stopped
            if _is_run(name) and (branches := self._branches(name, others)):
                self._decide(name, branches)

    def _branches(self, name: str, others: dict[str, list[Manifest]]) -> list[Branch]:
        """Each machine's newest state of a run that can be read and is not the past of this one."""
        here = self._log(name)
        found: dict[bytes, Branch] = {}
        for machine in sorted(others):
            for manifest in others[machine]:
                entry = manifest.runs.get(name)
                stored = entry.files.get(LOG) if entry else None
                if entry is None or stored is None:
                    continue
                if self._is_copy_of_mine(name, entry):
                    break
                log: bytes | None = here[: stored.size] if here is not None else b""
                if copying.digest([log or b""]) != stored.wanted:
                    log = self._read(stored)
                if log is None:
                    self.late += 1
                    continue
                found.setdefault(log, Branch(machine, manifest.host, entry, log))
                self._want(name, entry, log, here)
                break
        return list(found.values())

    def _decide(self, name: str, branches: list[Branch]) -> None:
        here = self._log(name)
        tips = [
            one
            for one in branches
            if not any(other.log != one.log and other.log.startswith(one.log) for other in branches)
        ]
        if here is not None:
            tips = [one for one in tips if not here.startswith(one.log)]
            newer = [one for one in tips if one.log.startswith(here)]
        else:
            newer = tips
        if not tips:
            return
        take = max(newer, key=lambda one: (one.entry.time, one.machine), default=None)
        if take is not None and self._bring(name, take, take.log):
            here = take.log
            self._want(name, take.entry, take.log, here)
        if here is None:
            return
        for one in tips:
            if one is not take and not here.startswith(one.log):
                self._beside(name, one, here)

    def _beside(self, name: str, branch: Branch, here: bytes) -> None:
        """Keep what went on differently as a run of its own."""
        target = _id_of(name, branch, here)
        while True:
            log = renamed(branch.log, name, target)
            known = self._log(target)
            if known is None or log.startswith(known) or known.startswith(log):
                break
            target = f"{target}x"  # that copy went on here: this is another one
        if known is not None and known.startswith(log):
            self._want(target, branch.entry, log, known, was=name)
            return
        wanted = branch.entry.files[LOG]
        placed = copying.digest([log])[1]
        self._memory.copies[target] = CopyOf(
            run=name, size=wanted.size, sha256=wanted.sha256, placed=placed
        )
        keep(self._contents.home, self._memory)
        if self._bring(target, branch, log, was=name):
            self._want(target, branch.entry, log, log, was=name)

    def _bring(self, name: str, branch: Branch, log: bytes, was: str = "") -> bool:
        """Write a run's small files, its log last: from then on it is there."""
        folder = runs_folder(self._contents.home) / name
        if self._log(name) is not None and self._contents.view(name).active:
            return False  # it goes on here at this moment
        contents = {}
        for path, stored in branch.entry.files.items():
            if path != LOG and mirrored(path) and not unit_of(path):
                content = self._read(stored)
                if content is None:
                    self.late += 1
                    return False
                contents[path] = renamed(content, was, name) if was else content
        for path, content in contents.items():
            write(folder / path, content)
        write(folder / LOG, log)
        self._contents.forget(name)
        self.brought += 1
        return True

    def _log(self, name: str) -> bytes | None:
        """The log that is here, as it would be copied."""
        path = runs_folder(self._contents.home) / name / LOG
        try:
            size = path.read_bytes().rfind(b"\n") + 1
            return b"".join(Source(path, size, text=True).parts())
        except FileNotFoundError:
            return None

    def _read(self, stored: Stored) -> bytes | None:
        if stored.size > _LARGEST_LOG or not _is_below(stored.at):
            return None
        return copying.read(self._folder, stored.at, stored.wanted)

    def _is_copy_of_mine(self, name: str, entry: RunEntry) -> bool:
        """Whether it is what this home has as the run itself."""
        copied = entry.copy_of
        if (
            copied is None
            or self._log(name) is not None
            or entry.files[LOG].sha256 != copied.placed
        ):
            return False
        mine = self._log(copied.run)
        return mine is not None and copying.digest([mine[: copied.size]]) == (
            copied.size,
            copied.sha256,
        )

    # ------------------------------------------------------------ models and checkpoints

    def _want(
        self, name: str, entry: RunEntry, log: bytes, here: bytes | None, was: str = ""
    ) -> None:
        """Note the folders that belong to the state that is here."""
        if here != log:
            return
        folder = runs_folder(self._contents.home) / name
        units: dict[str, dict[str, Stored]] = {}
        for path, stored in entry.files.items():
            if (unit := unit_of(path)) and mirrored(path) and _is_below(stored.at):
                units.setdefault(unit, {})[path] = stored
        for unit, files in units.items():
            if not (folder / unit).exists():
                self.wanted[name, unit] = Wanted(name, unit, files, was)

    def room_for(self, wanted: Wanted) -> bool:
        """Whether this disk holds it and stays usable."""
        return shutil.disk_usage(self._contents.home).free - wanted.size > _SPARE

    def fetch(self, wanted: Wanted, stop: Stop) -> bool:
        """Bring one folder, whole or not at all; False while it has not arrived there."""
        folder = runs_folder(self._contents.home) / wanted.run
        final = folder / wanted.unit
        part = final.with_name(f"arriving-{final.name}")
        shutil.rmtree(part, ignore_errors=True)
        try:
            for path, stored in wanted.files.items():
                target = part / path.removeprefix(f"{wanted.unit}/")
                if not copying.fetch(self._folder, stored.at, stored.wanted, target, stop):
                    return False
                if wanted.renamed and CHECKPOINTS in wanted.unit and target.name == _MANIFEST:
                    target.write_bytes(renamed(target.read_bytes(), wanted.renamed, wanted.run))
            if not final.exists():
                part.rename(final)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        self.wanted.pop((wanted.run, wanted.unit), None)
        return True

    def missing(self, run: str) -> list[Wanted]:
        """What of a run is still there alone."""
        return sorted((one for key, one in self.wanted.items() if key[0] == run), key=_order)

    def next(self) -> Wanted | None:
        """What to bring next."""
        return min(self.wanted.values(), key=_order, default=None)


def _order(wanted: Wanted) -> tuple[int, str]:
    return wanted.order


def renamed(content: bytes, was: str, name: str) -> bytes:
    """The same lines of a run under another id."""
    return content.replace(was.encode(), name.encode())


def _id_of(name: str, branch: Branch, here: bytes) -> str:
    """The same id for the same branch, wherever and whenever it is met."""
    ours, theirs = here.splitlines(), branch.log.splitlines()
    at = next(
        (n for n, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), 0
    )
    mark = hashlib.sha256(branch.log.splitlines()[at]).hexdigest()[:8]
    return f"{name[:60]}-{mark}"


def _is_run(name: str) -> bool:
    return 0 < len(name) < 100 and all(sign.isalnum() or sign in "-_" for sign in name)  # noqa: PLR2004


def _is_below(at: str) -> bool:
    return not at.startswith("/") and ".." not in at.split("/") and "\\" not in at and ":" not in at
