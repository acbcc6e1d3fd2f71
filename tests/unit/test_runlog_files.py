"""The files of a run: appended to by one writer, read by anyone, alive while its owner is."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from easymodel_nb import environment
from easymodel_nb.runlog.log import (
    RunLog,
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
