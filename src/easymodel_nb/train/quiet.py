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
_KEPT = "easymodel_kept"


class LogBuffer:
    """The last lines that were logged, redacted."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self._lines: deque[str] = deque(maxlen=MAX_LINES)
        self._format = logging.Formatter("%(levelname)s %(name)s: %(message)s").format

    def keep(self, record: logging.LogRecord) -> None:
        """Keep one record, once, whatever number of handlers it comes by."""
        if record.levelno < logging.INFO or record.__dict__.get(_KEPT):
            return
        record.__dict__[_KEPT] = True
        try:
            self.add(self._format(record))
        except Exception:  # noqa: BLE001  a broken message must not reach the one who logs
            self.add(f"{record.levelname} {record.name}: {record.msg}")

    def add(self, text: str) -> None:
        """Keep the lines of a text."""
        self._lines.extend(self._redact(text).splitlines())

    def lines(self) -> list[str]:
        """The kept lines, oldest first."""
        return list(self._lines)


class _Diversion(logging.Filter):
    """Takes the records of a run off a handler and into the buffer."""

    def __init__(self, belongs: Callable[[str], bool], buffer: LogBuffer) -> None:
        super().__init__()
        self._belongs = belongs
        self._buffer = buffer

    def filter(self, record: logging.LogRecord) -> bool:
        if not self._belongs(record.threadName or ""):
            return True
        self._buffer.keep(record)
        return False


@contextlib.contextmanager
def quiet(buffer: LogBuffer) -> Iterator[None]:
    """Route what this thread and its helpers log into `buffer`, and nothing of it elsewhere.

    Other threads keep their loggers and warnings as they were. No handler is added,
    because one at the root would keep `logging.basicConfig()` in another cell from working,
    and what nobody handles from reaching stderr. Progress bars of the libraries are off
    meanwhile: they have no thread of their own.
    """
    name = threading.current_thread().name

    def belongs(thread: str) -> bool:
        return thread == name or thread.startswith(f"{name}-")

    entry = (belongs, buffer)
    _SHARED.enter(entry)  # first: it may import a library that brings a handler
    diversion = _Diversion(belongs, buffer)
    handlers = _handlers()
    for handler in handlers:
        handler.addFilter(diversion)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(diversion)
        _SHARED.leave(entry)


class _Shared:
    """What threads that are quiet at once share: one hook for warnings, and no progress bars.

    An audit may end while a run goes on: only the last one puts back what the first one took.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[_Entry] = []
        self._show: Callable[..., None] = warnings.showwarning
        self._restore_bars: Callable[[], None] = lambda: None

    def enter(self, entry: "_Entry") -> None:
        with self._lock:
            if not self._entries:
                self._restore_bars = _bars_off()
            if warnings.showwarning != self._hook:
                self._show = warnings.showwarning
                warnings.showwarning = self._hook
            self._entries.append(entry)

    def leave(self, entry: "_Entry") -> None:
        with self._lock:
            self._entries.remove(entry)
            if self._entries:
                return
            self._restore_bars()
            if warnings.showwarning == self._hook:
                warnings.showwarning = self._show

    def _hook(self, message: Any, category: Any, *where: Any, **more: Any) -> None:
        name = threading.current_thread().name
        for belongs, buffer in list(self._entries):
            if belongs(name):
                buffer.add(f"warning {category.__name__}: {message}")
                return
        self._show(message, category, *where, **more)


_Entry = tuple[Callable[[str], bool], LogBuffer]
_SHARED = _Shared()


def _handlers() -> list[logging.Handler]:
    """Everything that could print a record now, the last resort included."""
    loggers = [logging.getLogger(), *logging.getLogger().manager.loggerDict.values()]
    found = [h for logger in loggers if isinstance(logger, logging.Logger) for h in logger.handlers]
    return found if logging.lastResort is None else [*found, logging.lastResort]


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
