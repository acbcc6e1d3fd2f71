"""One lock a path, also where files cannot be locked."""

import errno
import threading
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from easymodel_nb.errors import StudioError
from easymodel_nb.store.locks import PathLock, lock_at


class Refusing:
    """A file lock on a file system that has none."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def acquire(self, timeout: float | None = None) -> None:  # noqa: ARG002  filelock's
        raise self.error

    def release(self) -> None:
        pytest.fail("released what was never held")


@pytest.mark.parametrize(
    "error", [NotImplementedError(), OSError(errno.ENOLCK, "x"), OSError(errno.ENOSYS, "x")]
)
def test_without_file_locks_threads_still_take_turns(tmp_path: Path, error: Exception):
    refusing: Any = Refusing(error)
    lock = PathLock(tmp_path / "lock", file_lock=refusing)
    entered = threading.Event()
    order: list[str] = []

    def other() -> None:
        entered.set()
        with lock.held():
            order.append("second")

    with lock.held():
        thread = threading.Thread(target=other)
        thread.start()
        assert entered.wait(5)
        order.append("first")
    thread.join(5)
    assert order == ["first", "second"]
    assert not lock.between_processes


def test_another_error_is_not_taken_for_missing_locks(tmp_path: Path):
    refusing: Any = Refusing(OSError(errno.EIO, "disk"))
    lock = PathLock(tmp_path / "x", file_lock=refusing)
    with lock.held():
        assert lock.refused is refusing.error, "nothing may be written now"
    assert lock.between_processes, "and it is tried again"


def test_a_lock_held_elsewhere_is_a_sentence(tmp_path: Path):
    path = tmp_path / "lock"
    with (
        FileLock(path),
        pytest.raises(StudioError, match="Close other notebooks"),
        PathLock(path, timeout=0.01).held(),
    ):
        pass


def test_the_same_path_has_one_lock_which_may_be_held_twice(tmp_path: Path):
    assert lock_at(tmp_path / "x") is lock_at(tmp_path / "x")
    with lock_at(tmp_path / "x").held(), lock_at(tmp_path / "x").held():
        assert lock_at(tmp_path / "x").between_processes
