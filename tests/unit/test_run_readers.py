"""What stays in memory of runs that have ended, and that nobody sees the difference."""

import gc
from pathlib import Path

import pytest

from easymodel_nb.measured import Measured
from easymodel_nb.runlog import outline as outlines
from easymodel_nb.runlog.log import RunLog, new_run, read_view, runs_folder
from easymodel_nb.runlog.outline import Later
from easymodel_nb.runlog.readers import Readers
from easymodel_nb.runlog.view import CurvePoint, EpochPoint

FAILED = {"code": "x", "message": "It failed."}


def run(home: Path, points: int, *, end: bool = True) -> RunLog:
    """A run with as many measured points, and ten lines of progress for each."""
    log = RunLog(new_run(home))
    log.append("run_created", node_id="f1", request={"node": {"id": "f1"}})
    log.append("run_started", attempt=1, plan={"epochs": points}, environment={})
    told = Measured(value=3.5, n=4).model_dump(mode="json")
    for point in range(points):
        log.append("epoch", step=10 * point, epoch=point, analytics={"perplexity": {"v": told}})
        for step in range(10 * point, 10 * point + 10):
            log.append("progress", step=step, max_steps=99, epoch=0.5, epochs=points, loss=2.0)
    if end:
        log.append("run_failed", problem=FAILED)
    return log


@pytest.fixture
def readers(home: Path) -> Readers:
    return Readers(runs_folder(home))


def in_memory(kind: type) -> int:
    gc.collect()
    return sum(type(found) is kind for found in gc.get_objects())


def test_an_outline_says_what_the_whole_view_says(home: Path, readers: Readers):
    log = run(home, 3)
    short, whole = readers.outline(log.run_id), readers.view(log.run_id)
    assert whole == read_view(log.folder)
    assert isinstance(short.points, Later)
    for name in type(whole).model_fields:
        assert getattr(short, name) == getattr(whole, name), name
    assert (len(short.curve), len(short.points), len(short.samples)) == (30, 3, 0)
    assert [bool(found) for found in (short.curve, short.points, short.samples)] == [1, 1, 0]
    assert short.points[-1].step == 20
    assert [p.step for p in reversed(short.points)] == [20, 10, 0]
    assert short.points[1:] == whole.points[1:]
    assert short.points != whole.points[1:]
    assert readers.outline(log.run_id) is short  # cards go by that
    assert readers.view(log.run_id) is whole


def test_what_ended_does_not_stay_whole(
    home: Path, readers: Readers, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(outlines.Shelf, "put", lambda _self, _run, _view: None)
    logs = [run(home, 4) for _ in range(5)]
    before = in_memory(EpochPoint), in_memory(CurvePoint)
    kept = [readers.outline(log.run_id) for log in logs]
    assert [len(view.points) for view in kept] == [4] * 5
    assert (in_memory(EpochPoint), in_memory(CurvePoint)) == before
    assert [p.epoch for p in kept[2].points] == [0, 1, 2, 3]  # it is folded again


def test_the_shelf_has_room_for_so_many_points(
    home: Path, readers: Readers, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(outlines.Shelf.__init__, "__defaults__", (20,))
    readers = Readers(runs_folder(home))
    ids = [run(home, 6).run_id for _ in range(4)]
    first = [readers.view(name) for name in ids]
    assert readers.view(ids[3]) is first[3]
    assert readers.view(ids[0]) is not first[0]
    assert readers.view(ids[0]) == first[0]


def test_a_run_that_is_resumed_is_read_on(home: Path, readers: Readers):
    log = run(home, 2)
    short = readers.outline(log.run_id)
    log.append("stage", stage="queued", message="Waiting")
    log.append("run_resumed", attempt=2, step=10)
    log.append("progress", step=11, max_steps=99, epoch=0.5, epochs=2, loss=1.0)
    now = readers.outline(log.run_id)
    assert now.attempt == 2
    assert not isinstance(now.curve, Later)
    assert now.curve[-1].step == 11
    assert short.curve[-1].step == 11  # what is read later is what is there by then
    log.append("run_stopped", reason="user")
    assert readers.outline(log.run_id).status == "stopped"
    assert readers.outline(log.run_id) == read_view(log.folder)


def test_what_is_measured_later_is_seen(home: Path, readers: Readers):
    log = run(home, 2)
    assert readers.outline(log.run_id).points[1].analytics.task == {}
    more = {"task": {"accuracy": Measured(value=0.5, n=4).model_dump(mode="json")}}
    log.append("measured", step=10, epoch=1, analytics=more)
    assert readers.outline(log.run_id).points[1].analytics.task["accuracy"].value == 0.5


def test_a_run_that_is_gone_is_no_run(home: Path, readers: Readers):
    log = run(home, 1)
    readers.outline(log.run_id)
    (log.folder / "events.jsonl").unlink()
    assert not readers.outline(log.run_id).created
