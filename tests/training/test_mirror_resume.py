"""A run that was cut off on a machine that is gone goes on elsewhere, from the synced folder."""

from pathlib import Path
from random import Random

import pytest
from clouds import Cloud, FaultyFolder, Machine
from cutting import STEPS, cut_within, prepared, told, workflow

from easymodel_nb.train import planning
from easymodel_nb.train.callbacks import checkpoints as when
from easymodel_nb.train.manager import RunManager


def test_another_machine_goes_on_from_the_mirrored_checkpoint(
    manager: RunManager, monkeypatch: pytest.MonkeyPatch, home: Path, tmp_path: Path
):
    monkeypatch.setattr(when, "SECONDS", -1.0)  # a checkpoint after each step
    monkeypatch.setattr(planning, "progress_steps", lambda steps: (1, *range(3, steps + 1, 3)))
    asked = workflow(prepared(tmp_path / "data"), "generation", "lora")
    (whole,) = manager.submit(asked)
    assert manager.wait(whole.id).status == "finished", whole.view.detail
    with monkeypatch.context() as patched:
        cut_within(patched, 8)
        (run,) = manager.submit(asked)
        manager.wait(run.id)
    assert run.view.resumable == 8

    cloud = Cloud()
    first = Machine(home, FaultyFolder(cloud, Random(1)))
    first.save()
    assert first.saver.safe[run.id] == 8
    first.folder.sync()
    fresh = Machine(tmp_path / "another machine", FaultyFolder(cloud, Random(2)))
    fresh.folder.sync()
    fresh.look()
    there = RunManager(fresh.home)
    assert there.view(run.id).status == "failed"
    assert there.view(whole.id).status == "finished"
    while wanted := fresh.runs.next():
        assert fresh.runs.fetch(wanted, lambda: False)

    there.resume(run.id)
    gone_on = there.wait(run.id)
    assert gone_on.status == "finished", gone_on.view.detail
    assert gone_on.view.resumed_from == 8
    joined, expected = told(gone_on), told(whole)
    assert [line[0] for line in joined["curve"]] == [1, 3, 6, 9, STEPS]
    for part, value in expected.items():
        assert joined[part] == value, part
    assert there.run(whole.id).load()  # its model came along
