"""The thread that keeps a home and its mirror together: one a home, in one process at a time.

It looks at the folder when it begins (what others have is brought here), each quarter of an hour,
and on Save; and it saves: half a minute after a change, at once when a run wrote a checkpoint or
ended, or on Save. Nobody waits for it, whatever the synced folder does.
"""

import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.events import now
from easymodel_nb.store.mirror.arriving import Arrivals
from easymodel_nb.store.mirror.contents import MODELS, Home
from easymodel_nb.store.mirror.copying import Stopped
from easymodel_nb.store.mirror.folder import Synced, why
from easymodel_nb.store.mirror.looking import look
from easymodel_nb.store.mirror.manifest import KEPT, Manifest
from easymodel_nb.store.mirror.memory import FOLDER, keep, load
from easymodel_nb.store.mirror.old_home import take_projects, take_runs
from easymodel_nb.store.mirror.runs_back import RunArrivals, Wanted
from easymodel_nb.store.mirror.saving import Saver
from easymodel_nb.store.mirror.status import Asked, Status
from easymodel_nb.store.mirror.uploads_back import UploadArrivals
from easymodel_nb.store.mirror.watched import Watched

_log = logging.getLogger(__name__)
DEBOUNCE_SECONDS = 30.0
POLL_SECONDS = 60.0  # other processes change the home as well
OTHERS_SECONDS = 900.0  # between looks at what other machines did
_FIRST_RETRY, _LAST_RETRY = 30.0, 600.0
_SLOW_SECONDS = 20.0
_OTHER_SECONDS = 10.0  # between looks whether the process that saves has ended


class Keeper:
    """Saves and restores; every method but the thread's own returns at once."""

    def __init__(
        self,
        home: Path,
        folder: Synced,
        *,
        debounce: float = DEBOUNCE_SECONDS,
        old_home: Path | None = None,
    ) -> None:
        self.home, self._debounce, self._old_home = home, debounce, old_home
        self._folder = Watched(folder)
        self._contents = Home(home)
        self._memory = load(home)
        self._saver = Saver(home, self._contents, self._folder, self._memory)
        self._arrivals = Arrivals(self._contents, self._folder, self._memory)
        self._runs = RunArrivals(self._contents, self._folder, self._memory)
        self._uploads = UploadArrivals(home, self._folder)
        self._lock = FileLock(home / FOLDER / ".lock", timeout=0, thread_local=False)
        self._changed = threading.Condition()
        self._listeners: list[Callable[[], None]] = []
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._poked = self._save = self._closing = False
        self._looked = self._other = False  # `_other`: another process saves this home
        self._deadline: float | None = None
        self._due: float | None = None  # when the next pass is to be
        self._look_at = 0.0  # when what had not arrived is looked for again
        self._others_at = math.inf  # when what other machines did is looked for again
        self._retry = self._later = _FIRST_RETRY
        self._first: str | None = None  # the run that somebody waits for
        self._skipped: set[tuple[str, str]] = set()  # no room for these here
        self._seen: tuple[object, object] = (None, None)  # the home at the last pass
        self._busy = False
        self._note: str | None = None
        self._problem: str | None = None
        self._free: int | None = None

    # ------------------------------------------------------------ from any thread

    def start(self) -> None:
        """Start the thread."""
        with self._changed:
            if self._thread is None and not self._closing:
                self._thread = threading.Thread(
                    target=self._work, name="easymodel-mirror", daemon=True
                )
                self._thread.start()

    def ready(self, timeout: float) -> bool:
        """Wait until projects were brought here, or it turned out that they cannot be."""
        return self._ready.wait(timeout)

    def poke(self) -> None:
        """Something may have changed in the home."""
        with self._changed:
            self._poked = True
            self._changed.notify_all()

    def save_now(self) -> None:
        """Save, look whether everything that was saved is still there, and what others did."""
        with self._changed:
            self._save, self._retry = True, _FIRST_RETRY
            self._others_at = 0.0
            self._changed.notify_all()

    def consent(self, run: str, agreed: bool) -> None:  # noqa: FBT001
        """Whether the full checkpoints of a run are copied."""
        self._contents.agree(run, agreed)
        with self._changed:
            declined = self._saver.declined.pop(run, None)
            about = self._saver.asked.pop(run, declined)
            if about is not None and not agreed:
                self._saver.declined[run] = about
            self._save = self._save or agreed
            self._poked = True
            self._changed.notify_all()

    def need(self, run: str) -> list[Wanted]:
        """What of a run is on the synced folder alone; it is brought before all else."""
        missing = self._runs.missing(run)
        if missing:
            with self._changed:
                self._first = run
                self._skipped -= {(one.run, one.unit) for one in missing}
                self._changed.notify_all()
        return missing

    def status(self) -> Status:
        """How it stands at this moment."""
        problem = self._problem
        quiet = self._folder.quiet_seconds()
        if self._busy and quiet > _SLOW_SECONDS and problem is None:
            problem = (
                f"{self._folder.place} has not answered for {quiet:.0f} seconds. It is waited for; "
                "until then all work is on this machine's disk alone."
            )
        away: dict[str, int] = {}
        for one in list(self._runs.wanted.values()):
            away[one.run] = away.get(one.run, 0) + one.size
        asked, declined = (
            [Asked(run, *what) for run, what in sorted(answers.items())]
            for answers in (self._saver.asked, self._saver.declined)
        )
        return Status(
            place=self._folder.place,
            saved=self._memory.saved,
            pending=not self._other
            and (self._due is not None or self._save or self._busy or not self._looked),
            problem=problem,
            note=self._note,
            free=self._free,
            asked=asked,
            declined=declined,
            safe=dict(self._saver.safe),
            away=away,
        )

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Be told of changes of the status; answers how to end it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def close(self, seconds: float = 3.0) -> bool:
        """Save what is not saved yet, for so long at most; answers whether it is done."""
        with self._changed:
            self._closing = True
            self._deadline = time.monotonic() + seconds
            self._changed.notify_all()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(seconds + 0.5)
        return thread is None or not thread.is_alive()

    # ------------------------------------------------------------ the thread

    def _work(self) -> None:
        owned = False
        try:
            while True:
                with self._changed:
                    while not self._closing and (wait := self._seconds_to_wait(owned)) > 0:
                        self._changed.wait(wait)
                    last = self._closing
                owned = owned or self._own()
                if owned:
                    self._turn(last)
                if last:
                    return
        finally:
            self._ready.set()
            if owned:
                self._lock.release()

    def _own(self) -> bool:
        """Whether this process is the one that saves this home."""
        try:
            self._lock.acquire()
        except Timeout:
            with self._changed:
                self._save = False
                self._poked, self._other = False, True
                self._due = time.monotonic() + _OTHER_SECONDS
            self._memory.saved = load(self.home).saved  # the other one says so there
            self._ready.set()
            self._tell()
            return False
        except (OSError, NotImplementedError):  # no locks here: nobody else is kept out
            return True
        fresh = load(self.home)
        for name in type(fresh).model_fields:  # what another process did since this one read it
            setattr(self._memory, name, getattr(fresh, name))
        self._other, self._due = False, None
        return True

    def _turn(self, last: bool) -> None:  # noqa: FBT001
        """Do what is due; what goes wrong is told and tried again."""
        with self._telling():
            try:
                if not last and (not self._looked or self._others_due()):
                    self._bring()
                if last or self._is_due():
                    self._pass()
                elif self._problem is None:
                    self._fetch()
            except Stopped:
                return
            except OSError as error:
                self._failed(why(error, self._folder.place))
            except StudioError as error:  # another program holds the store
                self._failed(str(error))
            except Exception:  # noqa: BLE001  the thread outlives a bad moment
                _log.exception("mirroring failed")
                self._failed(
                    f"Saving to {self._folder.place} failed for a reason EasyModel does not know; "
                    "the kernel's log has it. It is tried again."
                )
            finally:
                self._busy, self._note = False, None
                self._ready.set()

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """Tell at the end, and when it takes long."""
        timer = threading.Timer(_SLOW_SECONDS + 1, self._tell)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self._tell()

    def _failed(self, problem: str) -> None:
        self._problem = problem
        with self._changed:
            self._save = False
            self._due = time.monotonic() + self._retry
        self._retry = min(_LAST_RETRY, 2 * self._retry)

    def _seconds_to_wait(self, owned: bool) -> float:  # noqa: FBT001
        """Seconds until there is something to do; the caller holds the condition."""
        if self._save or not (owned or self._due):
            return 0.0
        if not owned:
            return max(0.0, (self._due or 0.0) - time.monotonic())
        if self._problem is None and (
            not self._looked or self._poked or self._uploads.wanted or self._next()
        ):
            return 0.0
        times = [time.monotonic() + POLL_SECONDS]
        if self._problem is None:
            times.append(self._others_at)
        if self._due is not None:
            times.append(self._due)
        if self._late():
            times.append(self._look_at)
        return max(0.0, min(times) - time.monotonic())

    def _others_due(self) -> bool:
        return self._problem is None and time.monotonic() >= self._others_at

    def _late(self) -> bool:
        return bool(self._arrivals.late or self._runs.late or self._uploads.late)

    def _stop(self) -> bool:
        self._folder.touch()
        return self._deadline is not None and time.monotonic() > self._deadline

    def _is_due(self) -> bool:
        """Look at the home: whether it changed, and whether that is to be saved by now."""
        with self._changed:
            self._poked = False
            if self._save:
                return True
        projects, runs = self._contents.signature()
        moment = time.monotonic()
        if self._late() and moment >= self._look_at:
            self._looked = False
        if (projects, runs) == self._seen and self._problem is None:
            return False
        wait = 0.0 if runs != self._seen[1] else self._debounce
        if self._problem is None:
            self._due = min(self._due or moment + wait, moment + wait)
        return self._due is None or moment >= self._due

    def _pass(self) -> None:
        with self._changed:
            check, self._save = self._save, False
        self._busy = True
        self._tell()
        moment, seen = now(), self._contents.signature()
        whole = self._saver.save(self._stop, check=check)
        self._free = self._folder.free()
        self._memory.saved = moment
        keep(self.home, self._memory)
        self._problem, self._retry = None, _FIRST_RETRY
        self._seen = seen if whole else (None, None)
        with self._changed:
            self._due = None if whole else time.monotonic() + self._debounce

    def _bring(self) -> None:
        """What other machines have: projects at once, then runs; large folders follow."""
        self._busy, self._note = True, f"Looking what is on {self._folder.place}"
        self._tell()
        others = self._look(1)
        if self._late():  # what the newest ones name has not all arrived: what was before it has
            others = self._look(KEPT)
        mine = self._memory.machine
        theirs = [one[0] for machine, one in others.items() if machine != mine]
        self._saver.elsewhere(theirs)
        self._looked, self._others_at = True, time.monotonic() + OTHERS_SECONDS
        self._skipped.clear()
        self._look_at = time.monotonic() + self._later
        self._later = min(_LAST_RETRY, 2 * self._later)

    def _look(self, depth: int) -> dict[str, list[Manifest]]:
        others = look(self._folder, depth)
        self._arrivals.settings(others)
        self._arrivals.all(others)
        if self._old_home is not None:
            take_projects(self._old_home, self._contents)
        self._uploads.all(others)
        if not self._arrivals.late:
            self._ready.set()
            self._tell()
        if self._old_home is not None:
            take_runs(self._old_home, self._contents)
        self._runs.all(others, lambda: self._closing)
        return others

    def _next(self) -> Wanted | None:
        if self._first is not None:
            for one in self._runs.missing(self._first):
                if (one.run, one.unit) not in self._skipped:
                    return one
            self._first = None
        left = [one for key, one in list(self._runs.wanted.items()) if key not in self._skipped]
        return min(left, key=lambda one: one.order, default=None)

    def _fetch(self) -> None:
        if self._uploads.wanted and self._first is None:
            self._note = f"Bringing files from {self._folder.place}"
            self._uploads.fetch(next(iter(self._uploads.wanted)), self._interrupted())
            return
        wanted = self._next()
        if wanted is None:
            return
        if not self._runs.room_for(wanted):
            self._skipped.add((wanted.run, wanted.unit))
            return
        what = "model" if wanted.unit in MODELS else wanted.unit.rpartition("/")[2]
        self._note = (
            f"Bringing the {what.replace('-', ' of step ')} of a run from {self._folder.place} "
            f"({wanted.size / 1e6:,.1f} MB)"
        )
        self._tell()
        if not self._runs.fetch(wanted, self._interrupted()):
            self._skipped.add((wanted.run, wanted.unit))  # not whole there: after the next look
            self._runs.late += 1

    def _interrupted(self) -> Callable[[], bool]:
        first = self._first

        def stop() -> bool:
            self._folder.touch()
            return self._closing or self._save or self._first != first

        return stop

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()
