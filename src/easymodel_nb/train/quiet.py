"""Keeps a trainer's thread silent: logs and warnings go to a bounded, redacted buffer.

Output of a thread lands in whatever cell ran last, and a flood of it blocks the
messages that carry progress, so nothing of a run may be printed.
"""

import contextlib
import logging
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

MAX_LINES = 200
_LIBRARIES = (
    "transformers",
    "datasets",
    "accelerate",
    "huggingface_hub",
    "torch",
    "httpx",
    "httpx2",
)


class LogBuffer(logging.Handler):
    """The last lines that were logged, redacted."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__(logging.INFO)
        self._redact = redact
        self._lines: deque[str] = deque(maxlen=MAX_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        self.add(f"{record.levelname.lower()} {record.name}: {record.getMessage()}")

    def add(self, text: str) -> None:
        """Keep the lines of a text."""
        self._lines.extend(self._redact(text).splitlines())

    def lines(self) -> list[str]:
        """The kept lines, oldest first."""
        return list(self._lines)


class _ThreadFilter(logging.Filter):
    def __init__(self, belongs: Callable[[str], bool], *, keep: bool) -> None:
        super().__init__()
        self._belongs = belongs
        self._keep = keep

    def filter(self, record: logging.LogRecord) -> bool:
        return self._belongs(record.threadName or "") == self._keep


@contextlib.contextmanager
def quiet(buffer: LogBuffer) -> Iterator[None]:
    """Route what this thread and its helpers log into `buffer`, and nothing of it elsewhere.

    Other threads keep their loggers and warnings as they were. Progress bars of the
    libraries are off meanwhile: they have no thread of their own.
    """
    name = threading.current_thread().name

    def belongs(thread: str) -> bool:
        return thread == name or thread.startswith(f"{name}-")

    mine = _ThreadFilter(belongs, keep=True)
    others = _ThreadFilter(belongs, keep=False)
    buffer.addFilter(mine)
    loggers = [logging.getLogger(), *(logging.getLogger(library) for library in _LIBRARIES)]
    printers = [(h, others) for logger in loggers for h in logger.handlers if h is not buffer]
    for handler, other in printers:
        handler.addFilter(other)
    # A record that propagates is seen at the root; one handler a path keeps it single.
    listening = [logger for logger in loggers if logger.parent is None or not logger.propagate]
    for logger in listening:
        logger.addHandler(buffer)
    show = warnings.showwarning

    def show_warning(message: Any, category: Any, *where: Any, **more: Any) -> None:
        if belongs(threading.current_thread().name):
            buffer.add(f"warning {category.__name__}: {message}")
        else:
            show(message, category, *where, **more)

    warnings.showwarning = show_warning
    restore_bars = _bars_off()
    try:
        yield
    finally:
        restore_bars()
        if warnings.showwarning is show_warning:
            warnings.showwarning = show
        for logger in listening:
            logger.removeHandler(buffer)
        for handler, other in printers:
            handler.removeFilter(other)
        buffer.removeFilter(mine)


def _bars_off() -> Callable[[], None]:
    from datasets.utils import are_progress_bars_disabled as datasets_bars_off  # noqa: PLC0415
    from datasets.utils import disable_progress_bars as datasets_disable  # noqa: PLC0415
    from datasets.utils import enable_progress_bars as datasets_enable  # noqa: PLC0415
    from huggingface_hub import utils as hub_bars  # noqa: PLC0415
    from transformers.utils import logging as transformers_bars  # noqa: PLC0415

    undo: list[Callable[[], None]] = []
    if not hub_bars.are_progress_bars_disabled():  # type: ignore[attr-defined]
        hub_bars.disable_progress_bars()  # type: ignore[attr-defined]
        undo.append(hub_bars.enable_progress_bars)  # type: ignore[attr-defined]
    if not datasets_bars_off():
        datasets_disable()
        undo.append(datasets_enable)
    if transformers_bars.is_progress_bar_enabled():
        transformers_bars.disable_progress_bar()  # type: ignore[no-untyped-call]
        undo.append(transformers_bars.enable_progress_bar)

    def restore() -> None:
        for enable in undo:
            enable()

    return restore
