"""The files of a run: append to and read events.jsonl, replace and read live.json."""

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from easymodel_nb import environment, refusals
from easymodel_nb.errors import Problem, StudioError, problem_error
from easymodel_nb.ids import next_id
from easymodel_nb.redaction import throughout
from easymodel_nb.runlog.events import Event, finite, now, parse, parse_line
from easymodel_nb.runlog.owners import Pulse
from easymodel_nb.runlog.view import Live, RunView, fold, overlay

_LONGEST_ID = 100


def runs_folder(home: Path) -> Path:
    """Where the runs of a home lie."""
    return home / "runs"


def run_folder(home: Path, run_id: str) -> Path | None:
    """The folder of a run there is; an id is one name, and whatever else it is means no run."""
    if not run_id or len(run_id) > _LONGEST_ID or not run_id.isprintable():
        return None
    if set(run_id) & set("/\\:") or run_id.strip(". ") != run_id:
        return None
    folder = runs_folder(home) / run_id
    return folder if (folder / "events.jsonl").exists() else None


def new_run(home: Path) -> Path:
    """A fresh run folder; its name sorts by the order of queueing and names no person.

    Raises
    ------
    StudioError
        When the disk refuses it: a run is nothing without its log.

    """
    root = runs_folder(home)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _naming:
            folder = root / next_id((path.name for path in root.iterdir()), digits=3)
            folder.mkdir()
    except OSError as error:
        raise _unwritable(error, home) from None
    return folder


_naming = threading.Lock()


def _unwritable(error: OSError, home: Path) -> StudioError:
    return problem_error(
        "run.unwritable",
        f"A run is written down as it goes, and that cannot be done now: "
        f"{refusals.in_words(error, home)} {refusals.remedy(error)}, then train again.",
    )


class RunLog:
    """The writer of one run's log: what it returned from is on disk before anyone is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run_id = folder.name
        self._path = folder / "events.jsonl"
        self._lock = threading.Lock()
        self._seq = _drop_torn_line(self._path)
        self._waiting = b""  # lines that the disk refused, and will be asked to take again

    def append(self, type: str, **fields: Any) -> Event:  # noqa: A002  the name in the file
        """Write one event and return it."""
        with self._lock:
            raw = finite(
                {
                    "seq": self._seq,
                    "time": now(),
                    "run_id": self.run_id,
                    "type": type,
                    **{key: throughout(_jsonable(value)) for key, value in fields.items()},
                }
            )
            event = parse(raw)
            if event is None:
                msg = f"{type!r} is no event type"
                raise ValueError(msg)
            line = (json.dumps(raw, ensure_ascii=False, allow_nan=False) + "\n").encode()
            try:
                self._write(self._waiting + line, sync=type != "progress")
            except OSError as error:
                if self._seq == 0:
                    with contextlib.suppress(OSError):
                        self._path.unlink(missing_ok=True)
                        self.folder.rmdir()  # there is no such run
                    raise _unwritable(error, self.folder.parents[1]) from None
                # A full disk costs nobody their run: what it did is written once there is room.
                self._waiting += line
            else:
                self._waiting = b""
            self._seq += 1
            return event

    def _write(self, lines: bytes, *, sync: bool) -> None:
        """Append the lines, or leave the file as it was."""
        if self._waiting:
            _drop_torn_line(self._path)  # where not even that could be done
        with self._path.open("ab", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            try:
                left = memoryview(lines)
                while left:
                    left = left[file.write(left) :]
                if sync:
                    os.fsync(file.fileno())
            except OSError:
                with contextlib.suppress(OSError):
                    file.truncate(end)
                raise


def _jsonable(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(item) for item in value]
    return value


def _drop_torn_line(path: Path) -> int:
    """Cut what a killed writer left after the last whole line; answers the next `seq`."""
    if not path.exists():
        return 0
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        with path.open("r+b") as file:
            file.truncate(whole)
    lines = data[:whole].splitlines()
    last = _seq_of(lines[-1]) if lines else None
    return len(lines) if last is None else max(last + 1, len(lines))


def _seq_of(line: bytes) -> int | None:
    with contextlib.suppress(ValueError, RecursionError):
        raw = json.loads(line)
        seq = raw.get("seq") if isinstance(raw, dict) else None
        return seq if isinstance(seq, int) else None
    return None


class RunReader:
    """Reads one run incrementally: only the lines that are new since the last time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._offset = 0
        self._folded = RunView(id=folder.name)
        self._sequence = Sequence()
        self._pulse = Pulse()
        self._lock = threading.Lock()

    def events(self) -> Iterator[Event]:
        """Every event from the start; unknown types and a torn last line are left out."""
        try:
            data = (self.folder / "events.jsonl").read_bytes()
        except FileNotFoundError:
            return
        yield from Sequence().events(data)

    def view(self) -> RunView:
        """The run as it is now."""
        with self._lock:
            view = self._catch_up()
            if view.status not in {"queued", "running"}:
                return view
            return overlay(view, read_live(self.folder), self._pulse.alive)

    def folded(self) -> RunView:
        """The fold of the log alone, without live.json."""
        with self._lock:
            return self._catch_up()

    def _catch_up(self) -> RunView:
        self._folded = fold(self._sequence.events(self._new_lines()), self._folded)
        return self._sequence.told(self._folded)

    def new_events(self) -> list[Event]:
        """The events since the last call, or since the last view."""
        return list(self._sequence.events(self._new_lines()))

    def _new_lines(self) -> bytes:
        path = self.folder / "events.jsonl"
        try:
            if path.stat().st_size <= self._offset:
                return b""
            with path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return b""
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        return whole


class Sequence:
    """The lines of a log in order, and how many of them are not there."""

    def __init__(self) -> None:
        self._next = 0
        self.missing = 0

    def events(self, data: bytes) -> Iterator[Event]:
        """The events of more lines; unknown types and a torn last line are left out."""
        for line in data[: data.rfind(b"\n") + 1].splitlines():
            try:
                seq, event = parse_line(line)
            except (ValueError, RecursionError):
                continue
            self._count(seq)
            if event is not None:
                yield event

    def _count(self, seq: object) -> None:
        if type(seq) is int and seq >= self._next:
            self.missing += seq - self._next
            self._next = seq + 1

    def told(self, view: RunView) -> RunView:
        """The view, which says what is missing."""
        if not self.missing:
            return view
        lines = "1 line" if self.missing == 1 else f"{self.missing:,} lines"
        gap = Problem(
            code="log.gap",
            severity="note",
            message=f"{lines} of this run's log, runs/{view.id}/events.jsonl, were lost or "
            "damaged. What is shown of the run is what the others say.",
        )
        return view.model_copy(update={"warnings": [*view.warnings, gap]})


def read_view(folder: Path) -> RunView:
    """The run in `folder` as it is now."""
    return RunReader(folder).view()


def fold_file(folder: Path) -> RunView:
    """The fold of the log alone, without live.json."""
    return RunReader(folder).folded()


# ---------------------------------------------------------------- live.json


@cache
def _me(pid: int) -> dict[str, Any]:  # by pid, because a fork inherits the cache
    return _owner(pid)


def _owner(pid: int) -> dict[str, Any]:
    return {
        "pid": pid,
        "pid_started": environment.process_started(pid) or 0.0,
        "host": environment.hostname(),
        "boot_id": environment.boot_id(),
    }


def write_live(folder: Path, *, pid: int | None = None, **fields: Any) -> Live:
    """Replace live.json whole, in the name of this process or of its child `pid`."""
    owner = _owner(pid) if pid is not None else _me(os.getpid())
    live = Live(run_id=folder.name, beat=now(), **owner, **fields)
    text = json.dumps(finite(live.model_dump(mode="json")), allow_nan=False)
    temporary = folder / f".live-{os.getpid()}.tmp"
    with contextlib.suppress(OSError):  # it says how it goes; a run goes on without saying so
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(folder / "live.json")
    return live


def read_live(folder: Path) -> Live | None:
    """What the owner last said, or None."""
    try:
        return Live.model_validate_json((folder / "live.json").read_bytes())
    except (OSError, ValueError):
        return None
