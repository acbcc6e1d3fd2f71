"""The files of a run: appended to by one writer, read by anyone, alive while its owner is."""

import errno
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import pytest

from easymodel_nb import environment, ids
from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.log import (
    RunLog,
    RunReader,
    fold_file,
    new_run,
    read_live,
    read_view,
    write_live,
)
from easymodel_nb.runlog.run import Run
from easymodel_nb.runlog.view import Live


@pytest.fixture
def folder(home: Path) -> Path:
    return new_run(home)


def begin(folder: Path, *, training: bool = True) -> RunLog:
    writer = RunLog(folder)
    writer.append("run_created", project_id="p", node_id="f1", request={})
    writer.append("stage", stage="queued", message="Waiting")
    if training:
        plan = {"epochs": 2, "max_steps": 10}
        writer.append("run_started", attempt=1, plan=plan, environment={})
        writer.append("stage", stage="training", message="Training")
    return writer


def progress(writer: RunLog, step: int, **more: Any) -> None:
    writer.append("progress", step=step, max_steps=10, epoch=step / 5, epochs=2, **more)


def test_run_ids_sort_by_time_and_are_never_shared(home: Path):
    names = [new_run(home).name for _ in range(20)]
    assert len(set(names)) == 20
    stamps = [name.split("-")[0] for name in names]
    assert stamps == sorted(stamps)
    assert environment.hostname() not in "".join(names)


def test_a_line_is_on_disk_when_append_returns(folder: Path):
    writer = begin(folder)
    progress(writer, 1, loss=float("nan"))
    raws = [json.loads(text) for text in (folder / "events.jsonl").read_text().splitlines()]
    assert [raw["seq"] for raw in raws] == [0, 1, 2, 3, 4]
    assert raws[-1]["loss"] is None
    assert {raw["run_id"] for raw in raws} == {folder.name}


def test_a_writer_goes_on_after_a_torn_line(folder: Path):
    begin(folder)
    path = folder / "events.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"seq": 4, "type": "progr')
    event = RunLog(folder).append("stage", stage="saving", message="Saving")
    assert event.seq == 4
    assert path.read_bytes().startswith(whole + b'{"seq": 4')
    assert fold_file(folder).stage.message == "Saving"


def test_an_unknown_or_malformed_event_is_refused_before_it_is_written(folder: Path):
    writer = begin(folder)
    before = (folder / "events.jsonl").read_bytes()
    with pytest.raises(ValueError, match="no event type"):
        writer.append("celebration")
    with pytest.raises(ValueError, match="stage"):
        writer.append("stage", stage="dreaming", message="")
    assert (folder / "events.jsonl").read_bytes() == before


def test_live_state_lies_over_the_log_while_the_owner_lives(folder: Path):
    progress(begin(folder), 1, loss=3.0)
    write_live(folder, step=4, max_steps=10, loss=2.0, stage={"stage": "training", "message": "On"})
    view = read_view(folder)
    assert (view.status, view.step, view.loss, view.stage.message) == ("running", 4, 2.0, "On")
    assert fold_file(folder).step == 1


def test_a_run_whose_process_is_gone_is_interrupted(folder: Path):
    progress(begin(folder), 1, loss=3.0)
    code = "from easymodel_nb.runlog.log import write_live; import pathlib, sys; "
    code += "write_live(pathlib.Path(sys.argv[1]), step=7, max_steps=10)"
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, env=os.environ)
    view = read_view(folder)
    assert (view.status, view.step, view.seconds_left) == ("interrupted", 1, None)
    assert fold_file(folder).status == "running", "interrupted is derived, never written"


def test_without_a_live_file_nobody_owns_the_run(folder: Path):
    begin(folder, training=False)
    assert read_view(folder).status == "interrupted"
    write_live(folder)
    assert read_view(folder).status == "queued"


def test_an_ended_run_needs_no_owner(folder: Path):
    begin(folder).append("run_finished", summary={}, model_path="model")
    assert read_view(folder).status == "finished"
    assert Run(folder).model_path == folder / "model"


def test_a_live_file_that_is_torn_or_older_does_not_count(folder: Path):
    (folder / "live.json").write_text('{"run_id": "r", "pi')
    assert read_live(folder) is None
    writer = begin(folder)
    progress(writer, 5, loss=1.0)
    write_live(folder, step=2, loss=9.0)
    assert read_view(folder).step == 5
    assert isinstance(read_live(folder), Live)


def test_run_ids_sort_also_when_the_clock_goes_back(home: Path, monkeypatch: pytest.MonkeyPatch):
    now = datetime.now(UTC)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]  # noqa: ARG003
            return now - timedelta(hours=len(names))

    monkeypatch.setattr(ids, "datetime", Clock)
    names: list[str] = []
    while len(names) < 5:
        names.append(new_run(home).name)
    assert names == sorted(names)
    assert len(set(names)) == 5


def test_missing_lines_are_counted_and_told(folder: Path):
    writer = begin(folder)
    for step in range(1, 6):
        progress(writer, step, loss=1.0)
    path = folder / "events.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    assert read_view(folder).warnings == []
    path.write_bytes(b"".join([*lines[:5], b'{"type": "celebration", "seq": 5}\n', *lines[6:]]))
    assert read_view(folder).warnings == [], "a later version's line is no gap"
    path.write_bytes(b"".join([*lines[:4], b"\0" * 40 + b"\n", *lines[5:6], *lines[7:]]))
    (warning,) = read_view(folder).warnings
    assert warning.code == "log.gap"
    assert "2 lines" in warning.message
    assert read_view(folder).curve[-1].step == 5
    event = RunLog(folder).append("run_finished", summary={}, model_path="m")
    assert event.seq == 9, "the sequence goes on from its end"


def test_a_reader_that_follows_counts_what_is_missing_too(folder: Path):
    writer, reader = begin(folder), RunReader(folder)
    assert reader.view().warnings == []
    path = folder / "events.jsonl"
    writer._seq += 3
    progress(writer, 1)
    path.write_bytes(path.read_bytes() + b'{"torn')
    assert "3 lines" in reader.view().warnings[0].message
    progress(RunLog(folder), 2)
    assert len(reader.view().warnings) == 1


class Refusing:
    """A file of a disk that is full after so many bytes."""

    def __init__(self, file: Any, room: int) -> None:
        self.file, self.room = file, room

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def write(self, data: Any) -> int:
        if self.room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        done: int = self.file.write(bytes(data)[: self.room])
        self.room -= done
        return done


@pytest.mark.parametrize("room", [0, 1, 40, 200])
def test_a_full_disk_does_not_cost_the_run_its_log(
    folder: Path, room: int, monkeypatch: pytest.MonkeyPatch
):
    writer = begin(folder)
    before = (folder / "events.jsonl").read_bytes()
    whole = Path.open
    with monkeypatch.context() as full:
        full.setattr(Path, "open", lambda *a, **k: Refusing(whole(*a, **k), room))
        full.setattr(Path, "write_text", lambda *_a, **_k: Refusing(None, 0).write(b""))
        for step in (1, 2, 3):
            progress(writer, step, loss=float(step))
            write_live(folder, step=step)
        assert [line["seq"] for line in map(json.loads, before.splitlines())] == [0, 1, 2, 3]
    written = (folder / "events.jsonl").read_bytes()
    assert written.startswith(before)
    assert written.endswith(b"}\n"), "nothing half written"
    progress(writer, 4, loss=4.0)
    view = fold_file(folder)
    assert [point.step for point in view.curve] == [1, 2, 3, 4]
    assert view.warnings == []


def test_a_run_without_room_for_its_first_line_is_none(home: Path, monkeypatch: pytest.MonkeyPatch):
    folder = new_run(home)
    with monkeypatch.context() as full:
        whole = Path.open
        full.setattr(Path, "open", lambda *a, **k: Refusing(whole(*a, **k), 0))
        with pytest.raises(StudioError, match="is full") as refused:
            RunLog(folder).append("run_created", project_id="p", node_id="f1", request={})
    assert refused.value.problems[0].code == "run.unwritable"
    assert not folder.exists()


def test_a_home_where_no_run_can_be_written_down_is_named(home: Path):
    home.mkdir()
    (home / "runs").write_text("in the way")
    with pytest.raises(StudioError, match="cannot be done now") as refused:
        new_run(home)
    assert refused.value.problems[0].code == "run.unwritable"
