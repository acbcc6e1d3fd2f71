"""What another process does with a run is seen by a studio in which nothing is under way."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from easymodel_nb.runlog.log import RunLog, new_run, write_live
from easymodel_nb.train.manager import RunManager
from easymodel_nb.widgets.elsewhere import Elsewhere
from easymodel_nb.widgets.session import Session
from easymodel_nb.widgets.state import RunsState


@pytest.fixture
def session(home: Path) -> Iterator[Session]:
    made = Session(home, RunManager(home), variables=list)
    yield made
    made.close()


def queued(home: Path, project: str) -> Path:
    folder = new_run(home)
    writer = RunLog(folder)
    writer.append("run_created", project_id=project, node_id="f1", request={})
    writer.append("stage", stage="queued", message="Waiting in the queue")
    return folder


def status(session: Session) -> str:
    runs = session.snapshots()["runs"]
    assert isinstance(runs, RunsState)
    return runs.items[0].status


def test_a_run_that_goes_on_elsewhere_is_not_shown_as_interrupted(session: Session, home: Path):
    told = threading.Event()
    folder = queued(home, session.project().id)
    assert status(session) == "interrupted"
    session.changed = told.set
    session.holding.start()
    write_live(folder, attempt=2, stage={"stage": "loading", "message": "Starting"})
    RunLog(folder).append("stage", stage="loading", message="Starting")  # somebody resumes it
    assert told.wait(60), "nobody looked"
    assert status(session) == "running"


def test_only_a_log_that_grew_is_news_and_only_once(home: Path):
    elsewhere = Elsewhere(home)
    assert not elsewhere.changed()
    folder = queued(home, "p")
    assert elsewhere.changed()
    assert not elsewhere.changed()
    write_live(folder)
    assert not elsewhere.changed()
    RunLog(folder).append("stage", stage="loading", message="Starting")
    assert elsewhere.changed()
