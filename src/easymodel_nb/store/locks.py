"""One lock a path: a lock between threads, and around it one between processes.

Some file systems (network mounts, mounted buckets) know no locks. There the lock
between threads remains, and the revision each write names still finds most of
what another process wrote meanwhile. Where the disk refuses the lock's file (full,
read-only, not ours), threads still take turns, and `refused` says why nothing may be
written to what it guards.
"""

import errno
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from easymodel_nb.errors import StudioError, problem_error

_NO_LOCKS_HERE = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOLCK}
_PATIENCE_SECONDS = 5.0
_SOON_SECONDS = 0.1


class PathLock:
    """Mutual exclusion over one path; may be held again by the thread that holds it."""

    def __init__(
        self,
        path: Path,
        *,
        timeout: float = _PATIENCE_SECONDS,
        file_lock: BaseFileLock | None = None,
    ) -> None:
        self._path = path
        self._threads = threading.RLock()
        # thread_local=False: the lock between threads already sees to who counts.
        self._processes = file_lock or FileLock(path, timeout=timeout, thread_local=False)
        self.between_processes = True
        self.refused: OSError | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock.

        Raises
        ------
        StudioError
            When another process holds it for longer than the patience.

        """
        with self._threads:
            locked = self._acquire()
            try:
                yield
            finally:
                if locked:
                    self._processes.release()

    @contextmanager
    def held_soon(self, seconds: float = _SOON_SECONDS) -> Iterator[bool]:
        """Hold the lock where it can be had so soon; whether it is held.

        For those who only look: a disk may take seconds to flush what another thread writes.
        """
        if not self._threads.acquire(timeout=seconds):
            yield False
            return
        try:
            try:
                locked = self._acquire(seconds)
            except StudioError:
                yield False
                return
            try:
                yield True
            finally:
                if locked:
                    self._processes.release()
        finally:
            self._threads.release()

    def _acquire(self, seconds: float | None = None) -> bool:
        """Whether the lock between processes is held; `seconds` instead of its own patience."""
        self.refused = None
        if not self.between_processes:
            return False
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._processes.acquire(timeout=seconds)
        except Timeout:
            raise problem_error(
                "store.busy",
                f"Another program holds {self._path}. Close other notebooks that use this "
                "EasyModel home, then try again.",
            ) from None
        except NotImplementedError:
            self.between_processes = False
            return False
        except OSError as error:
            if error.errno in _NO_LOCKS_HERE:
                self.between_processes = False
            else:
                self.refused = error
            return False
        return True


@cache
def lock_at(path: Path) -> PathLock:
    """The lock of a path, one for the whole process."""
    return PathLock(path)
