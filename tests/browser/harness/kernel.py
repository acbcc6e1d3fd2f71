"""The kernel of a page, put to sleep: every message waits, and none is lost."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from easymodel_nb.store.projects import ProjectStore
from harness.lab import LabPage


def pid_of(page: LabPage, folder: Path) -> int:
    """The process of a page's kernel."""
    path = folder / "kernel.pid"
    page.execute(f"import os, pathlib; pathlib.Path({str(path)!r}).write_text(str(os.getpid()))")
    return int(path.read_text())


def sleep(pid: int, home: Path) -> None:
    """Put the kernel to sleep where it holds no lock of the home, which others would wait for."""
    with ProjectStore(home).transaction():
        os.kill(pid, signal.SIGSTOP)


@contextmanager
def asleep(pid: int, home: Path) -> Iterator[None]:
    """While this lasts the kernel answers nothing, as when the machine sleeps."""
    sleep(pid, home)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
