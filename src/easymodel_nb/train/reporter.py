"""What a run says: durable events into its log, the latest state into live.json."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from easymodel_nb.errors import Problem
from easymodel_nb.runlog.events import Event, StageName, Unit
from easymodel_nb.runlog.log import RunLog, read_view, write_live
from easymodel_nb.runlog.view import StageView

_LIVE_SECONDS = 0.25


class Reporter:
    """Writes one run's log and live state; calls `on_event` after each event is on disk."""

    def __init__(
        self,
        folder: Path,
        *,
        attempt: int = 1,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        self.folder = folder
        self.attempt = attempt
        self.log = RunLog(folder)
        self._on_event = on_event
        self._live: dict[str, Any] = {}
        self._stage = StageView()
        self._stage_began = time.monotonic()
        self._written = 0.0
        self.step: int | None = None  # whole steps that are done; None before the training
        self._warned = list(read_view(folder).warnings) if attempt > 1 else []

    @property
    def home(self) -> Path:
        """The home around the run."""
        return self.folder.parent.parent

    def event(self, type: str, **fields: Any) -> None:  # noqa: A002  the name in the file
        """Write one event, then tell; nobody is warned of the same twice."""
        if type == "warning":
            if fields["problem"] in self._warned:
                return
            self._warned.append(fields["problem"])
        event = self.log.append(type, **fields)
        if self._on_event is not None:
            self._on_event(event)

    def warn(self, code: str, message: str, **details: Any) -> None:
        """Write a warning."""
        details.setdefault("severity", "note")
        self.event("warning", problem=Problem(code=code, message=message, **details))

    def stage(
        self,
        stage: StageName,
        message: str,
        *,
        total: float | None = None,
        unit: Unit | None = None,
    ) -> None:
        """Enter a stage, or a new step of one."""
        done = 0.0 if total is not None else None
        self._stage = StageView(stage=stage, message=message, done=done, total=total, unit=unit)
        self._stage_began = time.monotonic()
        self.live(at_once=True)
        self.event("stage", stage=stage, message=message, done=done, total=total, unit=unit)

    def sentence(self, message: str) -> None:
        """Change the sentence of the stage in live.json alone."""
        if message != self._stage.message:
            self._stage = self._stage.model_copy(update={"message": message})
            self.live()

    @contextmanager
    def saying(self, message: str) -> Iterator[None]:
        """Another sentence of the same stage meanwhile, in live.json alone."""
        before = self._stage.message
        self.sentence(message)
        try:
            yield
        finally:
            self.sentence(before)

    def advance(self, done: float, *, total: float | None = None) -> None:
        """How far the stage is; the time left is extrapolated from the time it took so far."""
        total = total if total is not None else self._stage.total
        spent = time.monotonic() - self._stage_began
        left = spent * (total - done) / done if total and done > 0 and spent > 1 else None
        self._stage = self._stage.model_copy(
            update={"done": done, "total": total, "seconds_left": left}
        )
        self.live()

    def live(self, *, at_once: bool = False, **fields: Any) -> None:
        """Update live.json, at most 4 times a second unless `at_once`."""
        self._live.update(fields)
        now = time.monotonic()
        if at_once or now - self._written >= _LIVE_SECONDS:
            self._written = now
            write_live(self.folder, attempt=self.attempt, stage=self._stage, **self._live)

    def heartbeat(self) -> None:
        """Say that the run lives, also when nothing moves."""
        self.live()


class Unlogged(Reporter):
    """For work outside a run, such as the audit: nothing is written, warnings are kept.

    `on_stage` hears each new sentence. `folder` is where what must be downloaded may lie.
    """

    def __init__(
        self, home: Path, folder: Path, *, on_stage: Callable[[str], None] = lambda _: None
    ) -> None:
        self.folder = folder
        self.attempt = 1
        self.warnings: list[Problem] = []
        self._home = home
        self._on_stage = on_stage
        self._stage = StageView()
        self._stage_began = time.monotonic()

    @property
    def home(self) -> Path:
        """The home whose cache is used."""
        return self._home

    def event(self, type: str, **fields: Any) -> None:  # noqa: A002
        """Keep a warning, or tell a new sentence."""
        if type == "warning":
            self.warnings.append(fields["problem"])
        if type == "stage":
            self._on_stage(fields["message"])

    def sentence(self, message: str) -> None:
        """Tell a new sentence of the same stage."""
        self._on_stage(message)

    def live(self, *, at_once: bool = False, **fields: Any) -> None:
        """Nothing: nobody reads the live state of what is no run."""
