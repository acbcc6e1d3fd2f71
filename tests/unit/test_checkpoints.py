"""A checkpoint is whole or not used, and belongs to its run; running out of disk costs only it."""

import errno
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from easymodel_nb.errors import StudioError
from easymodel_nb.train import checkpoints
from easymodel_nb.train.checkpoints import Identity

MINE = Identity(
    run_id="r1", plan="abc", method="full", architecture="GPT2LMHeadModel", parameters=100
)


def fill(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"weights" * 100)
    (folder / "optimizer.pt").write_bytes(b"moments" * 200)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Checkpoints of steps 5 and 10."""
    for step in (5, 10):
        checkpoints.write(tmp_path, step, MINE, {"loss": {"nll": 0.1}}, fill)
    return tmp_path


def used(root: Path, owner: Identity = MINE) -> tuple[int | None, list[str]]:
    found, problems = checkpoints.find(root, owner)
    return found.step if found else None, [problem.message for problem in problems]


def edit(manifest: Path, **changes: Any) -> None:
    raw = json.loads(manifest.read_text())
    raw.update(changes)
    manifest.write_text(json.dumps(raw))


def test_the_newest_is_used_with_what_was_kept_in_it(root: Path):
    found, problems = checkpoints.find(root, MINE)
    assert found is not None
    assert (found.step, found.manifest.state, problems) == (10, {"loss": {"nll": 0.1}}, [])
    assert checkpoints.other_versions(found) is None


def test_the_newest_two_stay(root: Path):
    path, size = checkpoints.write(root, 15, MINE, {}, fill)
    assert sorted(p.name for p in root.iterdir()) == ["checkpoint-10", "checkpoint-15"]
    assert size == sum(file.stat().st_size for file in path.iterdir())


def test_what_is_later_than_a_new_one_goes(root: Path):
    checkpoints.write(root, 7, MINE, {}, fill)  # a run that went back to step 5
    assert sorted(p.name for p in root.iterdir()) == ["checkpoint-5", "checkpoint-7"]


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda p: (p / "manifest.json").unlink(), "not written to its end"),
        (lambda p: (p / "manifest.json").write_text('{"format": "easym'), "manifest cannot be"),
        (lambda p: (p / "optimizer.pt").write_bytes(b"moments" * 199), "optimizer.pt is damaged"),
        (lambda p: (p / "optimizer.pt").write_bytes(b"MOMENTS" * 200), "optimizer.pt is damaged"),
        (lambda p: (p / "model.safetensors").unlink(), "model.safetensors is missing"),
        (lambda p: edit(p / "manifest.json", version=2), "another version of EasyModel"),
        (
            lambda p: edit(
                p / "manifest.json",
                identity={**MINE.model_dump(), "architecture": "T5Model", "parameters": 7},
            ),
            r"another model (T5Model, 7 weights)",
        ),
        (
            lambda p: edit(p / "manifest.json", identity={**MINE.model_dump(), "run_id": "r2"}),
            "another run",
        ),
    ],
)
def test_one_that_cannot_be_used_is_told_and_the_older_is_used(root: Path, damage: Any, why: str):
    damage(root / "checkpoint-10")
    step, messages = used(root)
    assert step == 5
    assert len(messages) == 1
    assert messages[0].startswith("The checkpoint of step 10 is not used: ")
    assert why in messages[0]
    damage(root / "checkpoint-5")
    step, messages = used(root)
    assert (step, len(messages)) == (None, 2)


def test_none_is_used_for_another_plan(root: Path):
    assert used(root, MINE.model_copy(update={"plan": "def"}))[0] is None
    assert used(root / "nowhere") == (None, [])


def test_other_libraries_are_told(root: Path):
    found, _ = checkpoints.find(root, MINE)
    assert found is not None
    found.manifest.versions["torch"] = "1.13"
    told = checkpoints.other_versions(found)
    assert told is not None
    assert "torch 1.13 (now " in told.message


def test_a_disk_that_fills_up_meanwhile_leaves_the_older_ones(root: Path):
    def full(folder: Path) -> None:
        fill(folder)
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        checkpoints.write(root, 15, MINE, {}, full)
    assert sorted(p.name for p in root.iterdir()) == ["checkpoint-10", "checkpoint-5"]
    assert used(root) == (10, [])


def test_what_a_killed_writer_left_is_no_checkpoint_and_goes_with_the_next(root: Path):
    shutil.copytree(root / "checkpoint-10", root / "part-15")
    assert used(root) == (10, [])
    checkpoints.write(root, 15, MINE, {}, fill)
    assert not (root / "part-15").exists()


def test_room_for_the_model_and_three_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checkpoints, "room", lambda _: 1_000_000_000)
    assert checkpoints.check_room(tmp_path, 400_000_000, 200_000_000) is None
    told = checkpoints.check_room(tmp_path, 400_000_001, 200_000_000)
    assert told is not None
    assert "need 1.0 GB and 1.0 GB are free" in told.message
    with pytest.raises(StudioError, match=r"needs 1\.5 GB and 1\.0 GB are free"):
        checkpoints.check_room(tmp_path, 1_500_000_000, 0)
