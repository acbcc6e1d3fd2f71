"""A recorded run: what it wrote down, found in a folder, a zip, a log file, or the package."""

import json
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Any

from easymodel_nb.errors import StudioError, problem_error
from easymodel_nb.workflow.document import Edge, Node, Position, Workflow

BUILTIN = "builtin:"
LOG, SAMPLES, SCORES = "events.jsonl", "samples.jsonl", "scores.jsonl"
_LARGEST = 200e6  # bytes of one file in a zip
_MODEL = Position(x=0, y=0)

Row = dict[str, Any]
Read = Callable[[str], str]  # the text of a file beside the log; empty where there is none


@dataclass(frozen=True)
class Recording:
    """The lines of a run's log, its samples and its scores."""

    events: list[Row]
    samples: list[Row]
    scores: list[Row]

    @property
    def run_id(self) -> str:
        """The id the run had."""
        return str(self.events[0].get("run_id") or "recorded")

    @property
    def plan(self) -> Row:
        """The frozen plan; empty where the run did not get so far."""
        for event in self.events:
            if event.get("type") == "run_started" and isinstance(event.get("plan"), dict):
                return dict(event["plan"])
        return {}

    @property
    def workflow(self) -> Workflow:
        """The nodes the run was made of, connected as they were."""
        request = self.events[0].get("request") or {}
        node = Node.model_validate(request["node"])
        model = request.get("model") or {}
        if "type" not in model:  # it continued another run, whose node is not in the record
            name = (self.plan.get("model") or {}).get("name") or "the model of another node"
            model = {"id": "m1", "type": "model", "position": _MODEL, "data": {"source": name}}
        nodes = [Node.model_validate(model), Node.model_validate(request["dataset"]), node]
        edges = [
            Edge(id=f"e{n}", source=source.id, sourceHandle=handle, target=node.id,
                 targetHandle=handle)
            for n, (source, handle) in enumerate(zip(nodes, ("model", "dataset"), strict=False))
        ]  # fmt: skip
        name = str(request.get("name") or "Run")
        return Workflow(name=f"Recorded: {name}", nodes=nodes, edges=edges)


def recording(source: object) -> Recording:
    """What was recorded at `source`.

    A run's folder or its `Run`, a folder or zip of a report, an `events.jsonl`, or
    "builtin:NAME".

    Raises
    ------
    StudioError
        When there is none, or it cannot be read.

    """
    place = getattr(source, "folder", source)
    if isinstance(place, str) and place.startswith(BUILTIN):
        return _builtin(place.removeprefix(BUILTIN))
    if not isinstance(place, str | Path):
        raise problem_error(
            "replay.unknown",
            "replay= takes a run, its folder, a report's folder or zip, an events.jsonl, or "
            f'"builtin:NAME" ({", ".join(names())}), not {type(source).__name__}.',
        )
    path = Path(place).expanduser()
    try:
        return _at(path)
    except (
        OSError, ValueError, KeyError, TypeError, RecursionError, zipfile.BadZipFile,
        NotImplementedError, RuntimeError, zlib.error,  # zips that are packed or locked otherwise
    ) as error:  # fmt: skip
        raise _unreadable(path, error) from None


def names() -> list[str]:
    """The recorded runs that come with the package."""
    folder = files("easymodel_nb.builtin") / "recorded"
    if not folder.is_dir():
        return []
    return sorted(f.name.removesuffix(".zip") for f in folder.iterdir() if f.name.endswith(".zip"))


def _builtin(name: str) -> Recording:
    if name not in names():
        raise problem_error(
            "replay.unknown",
            f"There is no recorded run {name!r} in the package; there are: {', '.join(names())}.",
        )
    with (files("easymodel_nb.builtin") / "recorded" / f"{name}.zip").open("rb") as file:
        return _in_zip(zipfile.ZipFile(file))


def _at(path: Path) -> Recording:
    if path.is_dir():
        found = sorted(path.rglob(LOG)) if not (path / LOG).exists() else [path / LOG]
        if len(found) != 1:
            many = f"{len(found)} runs" if found else "no run"
            raise problem_error(
                "replay.unknown",
                f"There is {many} in {path}; name the folder of one, which holds {LOG}.",
            )
        path = found[0]
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:
            return _in_zip(archive)

    def read(name: str) -> str:
        beside = path if name == LOG else path.with_name(name)
        return beside.read_text(encoding="utf-8") if name == LOG or beside.exists() else ""

    return _read(read)


def _in_zip(archive: zipfile.ZipFile) -> Recording:
    places = [name for name in archive.namelist() if PurePosixPath(name).name == LOG]
    if len(places) != 1:
        raise ValueError(f"{len(places)} recorded runs in the zip")
    folder = PurePosixPath(places[0]).parent

    def read(name: str) -> str:
        place = (folder / name).as_posix()
        if place not in archive.namelist():
            return ""
        if archive.getinfo(place).file_size > _LARGEST:
            raise ValueError(f"{place} is too large")
        return archive.read(place).decode()

    return _read(read)


def _read(read: Read) -> Recording:
    events = list(_rows(read(LOG)))
    if not events or events[0].get("type") != "run_created":
        raise ValueError("it does not begin as a run's log does")
    for event in events:
        datetime.fromisoformat(str(event["time"]))  # by which it is played
    found = Recording(events, list(_rows(read(SAMPLES))), list(_rows(read(SCORES))))
    _ = found.workflow  # what cannot be drawn is told now
    return found


def _rows(text: str) -> Iterator[Row]:
    # Not splitlines(), which also cuts at U+2028 and its like inside a text.
    for line in text.split("\n"):
        if line.strip():
            row = json.loads(line)
            if isinstance(row, Mapping):
                yield dict(row)


def _unreadable(path: Path, error: Exception) -> StudioError:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return problem_error(
        "replay.unreadable",
        f"There is no recorded run that could be read at {path} ({said}).",
    )
