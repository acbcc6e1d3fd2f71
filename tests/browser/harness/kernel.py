"""The kernel of a page, put to sleep: every message waits, and none is lost."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.lab import LabPage


def pid_of(page: LabPage, folder: Path) -> int:
    """The process of a page's kernel."""
    path = folder / "kernel.pid"
    page.execute(f"import os, pathlib; pathlib.Path({str(path)!r}).write_text(str(os.getpid()))")
    return int(path.read_text())


@contextmanager
def asleep(pid: int) -> Iterator[None]:
    """While this lasts the kernel answers nothing, as when the machine sleeps."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
