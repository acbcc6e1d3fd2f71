"""The files of a run: append to and read events.jsonl, replace and read live.json."""

import contextlib
import json
import os
import secrets
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from easymodel_nb import environment
from easymodel_nb.redaction import throughout
from easymodel_nb.runlog.events import Event, finite, now, parse
from easymodel_nb.runlog.owners import Pulse
from easymodel_nb.runlog.view import Live, RunView, fold, overlay, step


def runs_folder(home: Path) -> Path:
    """Where the runs of a home lie."""
    return home / "runs"


def new_run(home: Path) -> Path:
    """A fresh run folder; its name sorts by time and names no person."""
    while True:
        stamp = _next_stamp()
        folder = runs_folder(home) / f"{stamp}-{secrets.token_hex(2)}"
        with contextlib.suppress(FileExistsError):
            folder.mkdir(parents=True)
            return folder


_last_stamp = ""
_stamp_lock = threading.Lock()


def _next_stamp() -> str:
    """Now, never the same twice: runs queued in one millisecond keep their order."""
    global _last_stamp  # noqa: PLW0603  one clock a process
    with _stamp_lock:
        while (stamp := datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")[:-3]) == _last_stamp:
            time.sleep(0.0005)
        _last_stamp = stamp
        return stamp


class RunLog:
    """The writer of one run's log: what it returned from is on disk before anyone is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run_id = folder.name
        self._path = folder / "events.jsonl"
        self._lock = threading.Lock()
        lines = _drop_torn_line(self._path)
        self._seq = lines

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
            line = json.dumps(raw, ensure_ascii=False, allow_nan=False) + "\n"
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line)
                file.flush()
                if type != "progress":
                    os.fsync(file.fileno())
            self._seq += 1
            return event


def _jsonable(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(item) for item in value]
    return value


def _drop_torn_line(path: Path) -> int:
    """Cut what a killed writer left after the last whole line; count the whole ones."""
    if not path.exists():
        return 0
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        with path.open("r+b") as file:
            file.truncate(whole)
    return data[:whole].count(b"\n")


class RunReader:
    """Reads one run incrementally: only the lines that are new since the last time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._offset = 0
        self._folded = RunView(id=folder.name)
        self._pulse = Pulse()
        self._lock = threading.Lock()

    def events(self) -> Iterator[Event]:
        """Every event from the start; unknown types and a torn last line are left out."""
        try:
            data = (self.folder / "events.jsonl").read_bytes()
        except FileNotFoundError:
            return
        yield from _parse_lines(data[: data.rfind(b"\n") + 1])

    def view(self) -> RunView:
        """The run as it is now."""
        with self._lock:
            self._catch_up()
            if self._folded.status not in {"queued", "running"}:
                return self._folded
            return overlay(self._folded, read_live(self.folder), self._pulse.alive)

    def folded(self) -> RunView:
        """The fold of the log alone, without live.json."""
        with self._lock:
            return self._catch_up()

    def _catch_up(self) -> RunView:
        for event in self.new_events():
            self._folded = step(self._folded, event)
        return self._folded

    def new_events(self) -> list[Event]:
        """The events since the last call, or since the last view."""
        path = self.folder / "events.jsonl"
        try:
            if path.stat().st_size <= self._offset:
                return []
            with path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        return list(_parse_lines(whole))


def _parse_lines(data: bytes) -> Iterator[Event]:
    for line in data.splitlines():
        with contextlib.suppress(ValueError, RecursionError):
            raw = json.loads(line)
            if isinstance(raw, dict) and (event := parse(raw)) is not None:
                yield event


def read_view(folder: Path) -> RunView:
    """The run in `folder` as it is now."""
    return RunReader(folder).view()


def fold_file(folder: Path) -> RunView:
    """The fold of the log alone, without live.json."""
    return fold(RunReader(folder).events(), RunView(id=folder.name))


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
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(folder / "live.json")
    return live


def read_live(folder: Path) -> Live | None:
    """What the owner last said, or None."""
    try:
        return Live.model_validate_json((folder / "live.json").read_bytes())
    except (OSError, ValueError):
        return None
