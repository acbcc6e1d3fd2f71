"""What of a home goes to the mirror: an allow-list, looked at file by file.

A run under way is looked at as it was at its last checkpoint (or change of stage), so that nothing
in progress is copied. Full checkpoints go only where the user agreed; adapters always.
"""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.log import runs_folder
from easymodel_nb.runlog.readers import Readers
from easymodel_nb.runlog.view import RunView
from easymodel_nb.store.locks import lock_at
from easymodel_nb.store.mirror.copying import PART, Source
from easymodel_nb.store.records import Records

LOG = "events.jsonl"
_LINES = (LOG, "samples.jsonl", "scores.jsonl", "log.txt")  # grow line by line
_SMALL = (*_LINES, "plan.json", "merge.json", "pushed.json", "destinations.json")
CHECKPOINTS, _CHECKPOINT = "checkpoints", re.compile(r"checkpoint-(\d+)")
MODELS = ("model", "model-merged")
DATA = "data"
DELETED = "deleted"
_ADAPTERS = {"lora", "qlora"}
_NAME = re.compile(r"[\w][\w .()+@=,-]*")


@dataclass
class RunFiles:
    """A run's files as they may be copied now."""

    view: RunView
    small: dict[str, Source] = field(default_factory=dict)
    large: dict[str, dict[str, Source]] = field(default_factory=dict)  # by the folder they are in
    asked: tuple[int, int] | None = None  # step and bytes of a full checkpoint nobody agreed to
    declined: bool = False  # the user was asked about it, and said no

    @property
    def newest_checkpoint(self) -> int | None:
        """The step of the newest checkpoint among them."""
        steps = [int(name.rpartition("-")[2]) for name in self.large if CHECKPOINTS in name]
        return max(steps, default=None)


def mirrored(name: str) -> bool:
    """Whether a path in a run's folder is one that the mirror brings back."""
    parts = name.split("/")
    if not is_plain(name):
        return False
    if len(parts) == 1:
        return name in _SMALL
    checkpoint = parts[0] == CHECKPOINTS and len(parts) > 2  # noqa: PLR2004  folder, step, file
    return parts[0] in {*MODELS, DATA} or (checkpoint and bool(_CHECKPOINT.fullmatch(parts[1])))


def is_plain(name: str) -> bool:
    """Whether a path can only mean a file below the folder it is relative to."""
    return all(_NAME.fullmatch(part) for part in name.split("/"))


def unit_of(name: str) -> str:
    """The folder that is whole or not there, of a large file's path; "" of a small file."""
    parts = name.split("/")
    return "" if len(parts) == 1 else "/".join(parts[: 2 if parts[0] == CHECKPOINTS else 1])


class Home:
    """A home as the mirror reads it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.lock = lock_at(home / ".store.lock")
        self.projects = Records(home / "projects", self.lock)
        self.trash = Records(home / "trash", self.lock)
        self._readers = Readers(runs_folder(home))
        self._frozen: dict[str, tuple[object, RunFiles]] = {}

    # ------------------------------------------------------------ what changes

    def signature(self) -> tuple[object, object]:
        """Change with what would be copied of projects, and of runs: looks, nothing is read."""
        runs = []
        for folder in self._run_folders():
            with contextlib.suppress(OSError):
                view = self.view(folder.name)
                marks = (
                    view.id,
                    view.status,
                    view.attempt,
                    tuple(_steps(folder)),
                    self.agreed(view.id),
                )
                runs.append((*marks, () if view.active else _stamps(folder)))
        settings = self.home / "settings"
        slots = [_stamp(settings.with_name(f"settings.{slot}.json")) for slot in "ab"]
        uploads = _stamps(self.home / "uploads")
        return (self.projects.stamps(), self.trash.stamps(), slots, uploads), tuple(runs)

    # ------------------------------------------------------------ what there is

    def records(self) -> Iterator[tuple[str, dict[str, Any], bool]]:
        """Each readable project: id, record, whether it is in the trash."""
        for name in sorted(self.names()):
            with contextlib.suppress(StudioError):
                if found := self.record(name):
                    yield name, *found

    def record(self, name: str) -> tuple[dict[str, Any], bool] | None:
        """A project's record, and whether it is in the trash: what it says of itself decides."""
        if self.projects.there(name):
            raw = self.projects.raw(name)
            return raw, DELETED in raw
        return (self.trash.raw(name), True) if self.trash.there(name) else None

    def names(self) -> set[str]:
        """Every project that has a record, also one that cannot be read at the moment."""
        return {*self.projects.stamps(), *self.trash.stamps()}

    def undamaged(self, name: str) -> tuple[dict[str, Any], bool] | None:
        """The same as `record`; None as well where it was damaged, and so set aside.

        Raises
        ------
        StudioError
            When it cannot be read for another reason: then nothing may take its place.

        """
        try:
            return self.record(name)
        except StudioError as error:
            if any(problem.code == "store.damaged" for problem in error.problems):
                return None
            raise

    def uploads(self) -> dict[str, Source]:
        """Files of the user's, by their path below `uploads`; what is on its way is none."""
        root = self.home / "uploads"
        found = {}
        for path in _files(root):
            name = path.relative_to(root).as_posix()
            if not name.startswith("."):
                found[name] = Source(path, path.stat().st_size)
        return found

    def run_ids(self) -> list[str]:
        """Every run, the newest first."""
        return [folder.name for folder in self._run_folders()]

    def view(self, run: str) -> RunView:
        """A run as it is now."""
        return self._readers.outline(run)

    def forget(self, run: str) -> None:
        """Read a run anew: its log was put in place of another."""
        self._readers.forget(run)
        self._frozen.pop(run, None)

    def run(self, name: str) -> RunFiles | None:
        """A run's files as they may be copied now; None where its log says nothing yet."""
        folder, view = runs_folder(self.home) / name, self.view(name)
        if not view.created:
            return None
        agreed = self.agreed(name)
        key = (view.status, view.attempt, tuple(_steps(folder)), agreed)
        frozen = self._frozen.get(name)
        if view.active and frozen is not None and frozen[0] == key:
            return frozen[1]
        found = self._look(folder, view, agreed=agreed)
        self._frozen[name] = (key, found)
        return found

    def agreed(self, run: str) -> bool | None:
        """Whether the user agreed to copy a run's full checkpoints; None: nobody asked yet."""
        try:
            return self._consent(run).read_text(encoding="ascii") == "yes"
        except (OSError, ValueError):
            return None

    def agree(self, run: str, agreed: bool) -> None:  # noqa: FBT001
        """Remember the answer, for every process of this home."""
        path = self._consent(run)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("yes" if agreed else "no", encoding="ascii")

    def _consent(self, run: str) -> Path:
        return self.home / "mirror" / "consents" / run

    def _look(self, folder: Path, view: RunView, *, agreed: bool | None) -> RunFiles:
        found = RunFiles(view)
        # The log first: what it tells of is there, and what comes after it is told next time.
        for name in (*_LINES, *_SMALL):
            path = folder / name
            if name not in found.small and path.is_file():
                length = _whole_lines(path) if name in _LINES else path.stat().st_size
                found.small[name] = Source(path, length, text=True)
        adapters = str((view.plan or {}).get("method")) in _ADAPTERS
        for step in _steps(folder) if view.status != "finished" else ():  # nothing goes on from it
            unit = f"{CHECKPOINTS}/checkpoint-{step}"
            files = _unit(folder, unit)
            if adapters or agreed:
                found.large[unit] = files
            elif files:
                found.asked = (step, sum(source.length for source in files.values()))
        found.declined = agreed is False and found.asked is not None
        for unit in (DATA, *(() if view.active else MODELS)):
            if files := _unit(folder, unit):
                found.large[unit] = files
        return found

    def _run_folders(self) -> list[Path]:
        root = runs_folder(self.home)
        if not root.is_dir():
            return []
        found = [path for path in root.iterdir() if (path / LOG).is_file()]
        return sorted(found, key=lambda path: path.name, reverse=True)


def _unit(folder: Path, unit: str) -> dict[str, Source]:
    found = {}
    for path in _files(folder / unit):
        name = path.relative_to(folder).as_posix()
        with contextlib.suppress(OSError):
            if mirrored(name):
                found[name] = Source(path, path.stat().st_size)
    return found


def _files(root: Path) -> list[Path]:
    if not root.is_dir():
        return []
    found = (path for path in root.rglob("*") if PART not in path.name)
    return sorted(path for path in found if path.is_file() and not path.is_symlink())


def _steps(folder: Path) -> list[int]:
    root = folder / CHECKPOINTS
    names = [path.name for path in root.iterdir()] if root.is_dir() else []
    return sorted(int(match[1]) for name in names if (match := _CHECKPOINT.fullmatch(name)))


def _whole_lines(path: Path) -> int:
    """The bytes up to the last line's end, from the file's last part."""
    size = path.stat().st_size
    with path.open("rb") as file:
        end = size
        while end > 0:
            start = max(0, end - (1 << 16))
            file.seek(start)
            at = file.read(end - start).rfind(b"\n")
            if at >= 0:
                return start + at + 1
            end = start
    return 0


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        stat = path.stat()
    except OSError:
        return ()
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


def _stamps(folder: Path) -> tuple[object, ...]:
    if not folder.is_dir():
        return ()
    marks = []
    with contextlib.suppress(OSError):
        for path in sorted(folder.iterdir()):
            wanted = path.name in _SMALL or path.is_dir()
            if wanted and not path.name.startswith("."):
                marks.append((path.name, _stamp(path)))
    return tuple(marks)
