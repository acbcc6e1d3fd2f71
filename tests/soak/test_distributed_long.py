"""Four processes, and two launchers that meet over the network as two machines do."""

import json
from pathlib import Path

import pytest
from cutting import workflow
from on_several import alike, finished, free_port, still, torchrun

from easymodel_nb.runlog.run import Run
from easymodel_nb.train.manager import RunManager


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return still(tmp_path_factory.mktemp("tasks"))


# 20 steps, each of five rows, the last of an epoch of a single one.
FIELDS = {"epochs": 4, "batch_size": 5, "gradient_accumulation": 1, "subset_size": 21}


def alone(home: Path, document: Path) -> Run:
    manager = RunManager(home)
    from easymodel_nb.workflow.document import Workflow, read_text

    (run,) = manager.submit(Workflow.read(json.loads(read_text(document))))
    return manager.wait(run.id, 300)


@pytest.fixture
def document(folder: Path, tmp_path: Path) -> Path:
    path = tmp_path / "workflow.json"
    path.write_text(json.dumps(workflow(folder, **FIELDS).dump()))
    return path


def only(home: Path) -> Run:
    (path,) = (home / "runs").iterdir()
    return Run(path)


def test_four_processes(tmp_path: Path, document: Path):
    command = torchrun(str(document), "--home", str(tmp_path / "four"), processes=4)
    one = alone(tmp_path / "one", document)
    finished(command)
    run = only(tmp_path / "four")
    assert (run.view.environment or {})["world_size"] == 4
    assert run.view.max_steps == 20
    alike(run, one)


def test_two_launchers_of_two_processes_on_loopback(tmp_path: Path, document: Path):
    """As on two machines: each has a home of its own, and the log is in that of the first."""
    port = free_port()
    where = ("--nnodes", "2", "--rdzv-backend", "c10d", "--rdzv-id", "two-machines")
    where += ("--rdzv-endpoint", f"localhost:{port}")
    homes = [tmp_path / "first", tmp_path / "second"]
    agents = [
        torchrun(str(document), "--home", str(home), processes=2, options=where) for home in homes
    ]
    one = alone(tmp_path / "one", document)
    for agent in agents:
        finished(agent)
    led = [home for home in homes if (home / "runs").exists() and [*(home / "runs").iterdir()]]
    assert len(led) == 1  # one event log, written by the process that leads
    run = only(led[0])
    assert (run.view.environment or {})["world_size"] == 4
    assert run.view.max_steps == 20
    alike(run, one)
