"""Background threads for what takes longer than a handler may: imports, files, probes."""

import logging
import queue
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Worker:
    """Does jobs one after the other; the thread starts with `start` and dies with the process.

    With several `threads`, a job that waits for the network does not hold up the next one.
    """

    def __init__(self, name: str, threads: int = 1) -> None:
        self._name, self._count = name, threads
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, job: Callable[[], None]) -> None:
        """Do `job` when its turn comes."""
        self._jobs.put(job)

    def start(self) -> None:
        """Begin; jobs submitted before waited."""
        for number in range(len(self._threads), self._count):
            name = self._name if self._count == 1 else f"{self._name}-{number}"
            thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """End after the job in progress; the others are dropped."""
        while True:
            try:
                self._jobs.get_nowait()
            except queue.Empty:
                break
        for _ in range(self._count):
            self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception:  # noqa: BLE001  the next job may do better
                _log.exception("background job failed")
