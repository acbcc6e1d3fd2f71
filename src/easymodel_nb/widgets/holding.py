"""The open project is this studio's to edit, or another process has it and here it is read.

A thread looks once a second, so that a project taken over elsewhere is read-only here within
two, one that was let go of is taken, and what its holder saves is seen.
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from easymodel_nb.environment import hostname
from easymodel_nb.errors import StudioError
from easymodel_nb.store.leases import Lease, Leases, Owner, this_process
from easymodel_nb.store.projects import ProjectStore
from easymodel_nb.widgets.rpc import RpcError
from easymodel_nb.widgets.state import Held

LOOK_SECONDS = 1.0
BEAT_SECONDS = 10.0
PROGRAM, NOTEBOOK = "another program", "another notebook"


class Holding:
    """Takes the lease of the project that is open; every method may be called from any thread.

    `news` is asked at each look whether anything else has changed that others change.
    """

    def __init__(
        self,
        store: ProjectStore,
        tell: Callable[[], None],
        owner: Owner | None = None,
        *,
        news: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store, self._tell, self._news = store, tell, news
        self._leases = Leases(store.home, store.lock, owner or this_process(notebook()))
        self._lock = threading.RLock()
        self._project = ""
        self._holder: Lease | None = None
        self._beat_at = 0.0
        self._stamp: object = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="easymodel-lease", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Let go of the project."""
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=2)
        with self._lock:
            self._let_go()
            self._project = ""

    # ------------------------------------------------------------ the open project

    def look(self, project_id: str) -> Held | None:
        """Who else has the project that is open; nobody: then it is taken here."""
        with self._lock:
            if self._stop.is_set():
                return None
            fresh = project_id != self._project
            if fresh:
                self._let_go()
                self._project = project_id
            try:
                self._holder = self._leases.other(project_id)
                if self._holder is None and (fresh or not self._leases.is_taken(project_id)):
                    self._holder = self._leases.take(project_id)
            except (OSError, StudioError):  # no lease can be had here: the revisions still guard
                self._holder = None
            return _told(self._holder)

    def take_over(self, project_id: str) -> None:
        """Take the project from whoever has it."""
        with self._lock:
            self._leases.take(project_id, over=True)
            self.look(project_id)

    def refuse(self, project_id: str) -> None:
        """Refuse to change a project that another process has open.

        Raises
        ------
        RpcError
            `held`, with who has it and since when.

        """
        held = _told(self._leases.other(project_id))
        if held is not None:
            raise RpcError(
                "held",
                f"This project is open in {held.by}; take over to edit it here.",
                held.model_dump(),
            )

    # ------------------------------------------------------------ inside

    def _let_go(self) -> None:
        if self._project:
            with contextlib.suppress(OSError, StudioError):  # it ends with this process anyway
                self._leases.release(self._project)

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            if self._news():
                self._tell()
            with self._lock:
                project, before = self._project, _told(self._holder)
                if not project:
                    continue
                held = self.look(project)
            if held is None:
                self._beat(project)
            stamp = self._store.stamp(project) if held else None
            if held != before or stamp != self._stamp:
                self._stamp = stamp
                self._tell()

    def _beat(self, project: str) -> None:
        if time.monotonic() - self._beat_at >= BEAT_SECONDS:
            self._beat_at = time.monotonic()
            with contextlib.suppress(OSError, StudioError):
                self._leases.beat(project)


def _told(lease: Lease | None) -> Held | None:
    if lease is None:
        return None
    here = lease.host == hostname()
    where = "on this machine" if here else f"on {lease.host}"
    if lease.title in {"", PROGRAM}:  # its number is all there is to find it by
        by = f"{PROGRAM} {where} (process {lease.pid})"
    elif here and lease.title == notebook() != NOTEBOOK:
        by = f"another kernel of {lease.title} {where}"
    else:
        by = f"{lease.title} {where}"
    return Held(by=by, since=lease.since)


def notebook() -> str:
    """What a user knows this process by: its notebook's file, where the notebook says so."""
    name = os.environ.get("JPY_SESSION_NAME", "")
    if not name:
        try:
            from IPython.core.getipython import get_ipython  # noqa: PLC0415
        except ImportError:
            return PROGRAM
        shell = get_ipython()
        if shell is None:
            return PROGRAM
        name = str(getattr(shell, "user_ns", {}).get("__vsc_ipynb_file__", ""))
    file = Path(name).name
    return file if file.endswith(".ipynb") else NOTEBOOK
