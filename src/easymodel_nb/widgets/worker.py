"""One background thread for what takes longer than a handler may: imports, files, probes."""

import logging
import queue
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Worker:
    """Does jobs one after the other; the thread starts with `start` and dies with the process."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(self, job: Callable[[], None]) -> None:
        """Do `job` when its turn comes."""
        self._jobs.put(job)

    def start(self) -> None:
        """Begin; jobs submitted before waited."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End after the job in progress; the others are dropped."""
        while True:
            try:
                self._jobs.get_nowait()
            except queue.Empty:
                break
        self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception:  # noqa: BLE001  the next job may do better
                _log.exception("background job failed")
