"""A run that was cut off goes on as if it had not been: the joined curve is the whole one."""

from pathlib import Path

import pytest
from cutting import STEPS, TASKS, Cut, cut_within, prepared, told, workflow

from easymodel_nb.train import planning
from easymodel_nb.train.callbacks import checkpoints as when
from easymodel_nb.train.manager import RunManager


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("tasks"))


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint after each step and a line after every third, as in a long, slow run."""
    monkeypatch.setattr(when, "SECONDS", -1.0)
    monkeypatch.setattr(planning, "progress_steps", lambda steps: (1, *range(3, steps + 1, 3)))


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize("task", TASKS)
def test_the_joined_curve_is_that_of_a_run_that_was_never_cut_off(
    manager: RunManager,
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    task: str,
    method: str,
):
    (whole,) = manager.submit(workflow(folder, task, method))
    assert manager.wait(whole.id).status == "finished", whole.view.detail
    with monkeypatch.context() as patched:
        cut_within(patched, 8)
        (run,) = manager.submit(workflow(folder, task, method))
        manager.wait(run.id)
    assert run.status == "failed"
    assert Cut.__name__ in run.view.problem.message
    assert run.view.resumable == 8  # in the middle of the second epoch
    manager.resume(run.id)
    assert manager.wait(run.id).status == "finished", run.view.detail
    assert run.view.resumed_from == 8
    joined, expected = told(run), told(whole)
    assert [line[0] for line in joined["curve"]] == [1, 3, 6, 9, STEPS]
    for part, value in expected.items():
        assert joined[part] == value, part
