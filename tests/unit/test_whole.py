"""A file that is replaced is the old one or the new one, and nothing else is left."""

from pathlib import Path

import pytest

from easymodel_nb import whole


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("content", ["ä\n", b"\x00\xff"])
def test_it_is_replaced(tmp_path: Path, content: str | bytes, shared: bool):  # noqa: FBT001
    path = tmp_path / "a.json"
    path.write_text("old")
    whole.replace(path, content, shared=shared)
    assert path.read_bytes() == (content if isinstance(content, bytes) else content.encode())
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_refuses_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "a.json"
    path.write_text("old")

    def full(file: Path, content: bytes) -> int:
        with file.open("wb") as half:
            half.write(content[:1])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match="space"):
            whole.replace(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_is_overwritten(tmp_path: Path):
    (tmp_path / "plan.json.part").write_text('{"ha')
    whole.replace(tmp_path / "plan.json", "{}")
    assert [item.name for item in tmp_path.iterdir()] == ["plan.json"]
