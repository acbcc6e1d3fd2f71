"""A recorded run played again: its lines are written into a fresh folder, quicker than they were.

Whatever follows a log follows this one: cards, charts, samples, reports. Nothing is trained, and
neither torch nor transformers is needed.
"""

import json
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from easymodel_nb.errors import Problem, StudioError, problem_error
from easymodel_nb.runlog.log import RunReader, runs_folder, write_live
from easymodel_nb.runlog.run import Run
from easymodel_nb.runlog.view import RunView
from easymodel_nb.store.projects import ProjectStore
from easymodel_nb.train.auditing.audited import Audit
from easymodel_nb.widgets.recording import LOG, SAMPLES, SCORES, Recording
from easymodel_nb.workflow.document import Workflow

SECONDS = 20.0  # a longer run is played in that time
_LOOK = 0.25
LIVE = "live.json"
WHY_NOT = (
    "This is a recorded run: nothing is trained here. easymodel.studio() without replay= opens "
    "your own projects."
)
_TOLD = {"stage", "run_started", "epoch", "samples", "run_finished", "run_stopped", "run_failed"}


def refusal() -> StudioError:
    """Why a recorded run takes no command that would train."""
    return problem_error("replay.recorded", WHY_NOT)


class Player:
    """The queue of a home in which one recorded run is played; `widgets.session.Manager`."""

    def __init__(self, played: Recording, *, seconds: float = SECONDS) -> None:
        self._place = tempfile.TemporaryDirectory(prefix="easymodel-replay-")
        self.home = Path(self._place.name)
        self.recording = played
        store = ProjectStore(self.home)
        self._project = store.create(played.workflow.name, played.workflow).id
        store.settings.remember(active=self._project)
        self._folder = runs_folder(self.home) / Path(played.run_id).name
        self._folder.mkdir(parents=True)
        self._reader = RunReader(self._folder)
        self._listeners: list[Callable[[], None]] = []
        self._hurry, self._ended = threading.Event(), threading.Event()
        self._times = _times(played, seconds)
        self._write(0)
        self._thread = threading.Thread(target=self._play, name="easymodel-replay", daemon=True)

    def start(self) -> None:
        """Begin to play."""
        self._thread.start()

    # ------------------------------------------------------------ what a studio asks

    def submit(self, *_: Any, **__: Any) -> list[Run]:
        """Nothing is trained here; raises StudioError."""
        raise refusal()

    def resume(self, *_: Any, **__: Any) -> Run:
        """Nothing is trained here; raises StudioError."""
        raise refusal()

    def move(self, *_: Any, **__: Any) -> None:
        """Refused: nothing waits."""
        raise refusal()

    def stop(self, run_id: str | None = None) -> None:
        """Play the rest at once."""
        del run_id
        self._hurry.set()

    def views(self) -> list[RunView]:
        """The one run."""
        return [self._reader.view()]

    def view(self, run_id: str) -> RunView:
        """The run as it is now."""
        return self.run(run_id).view

    def run(self, run_id: str) -> Run:
        """The run for Python code."""
        if run_id != self._folder.name:
            raise problem_error("run.unknown", f"There is no run {run_id!r} in this record.")
        return Run(self._folder)

    def queue(self) -> list[str]:
        """Nothing waits."""
        return []

    def wait(self, run_id: str | None = None, timeout: float | None = None) -> Run:
        """Wait until it is played; raises TimeoutError after `timeout` seconds."""
        run = self.run(run_id or self._folder.name)
        if not self._ended.wait(timeout):
            msg = f"Run {run.id} was not played after {timeout:g} seconds."
            raise TimeoutError(msg)
        return run

    def log_lines(self, run_id: str) -> list[str]:
        """What its libraries logged is not recorded."""
        del run_id
        return []

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Be told as it is played."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback) if callback in self._listeners else None

    def follow(self, _stepped: Callable[[], None]) -> Callable[[], None]:
        """Nothing: what is played is looked at as it goes."""
        return lambda: None

    # ------------------------------------------------------------ playing

    def _play(self) -> None:
        began, beat = time.monotonic(), 0.0
        for index in range(1, len(self.recording.events)):
            while not self._hurry.is_set():
                now = time.monotonic()
                if now - beat > _LOOK:
                    beat = now
                    self._live()
                left = began + self._times[index] - now
                if left <= 0 or self._hurry.wait(min(left, _LOOK)):
                    break
            if self._write(index) in _TOLD:
                self._live()
                self._tell()
        if self._reader.folded().active:  # it was cut off, and looks so again
            (self._folder / LIVE).unlink(missing_ok=True)
        self._ended.set()
        self._tell()

    def _write(self, index: int) -> str:
        """Write one line, and before it what had been written beside the log by then."""
        event = dict(self.recording.events[index])
        kind = str(event.get("type"))
        if kind == "run_created":
            event["project_id"] = self._project
            event["request"] = {**event.get("request", {}), "recorded": True}
        if kind in {"run_finished", "run_stopped"}:
            event["model_path"] = "" if kind == "run_finished" else None
        if kind in {"samples", "epoch"}:
            self._beside(SAMPLES, self.recording.samples, event)
            self._beside(SCORES, self.recording.scores, event)
        self._append(LOG, [event])
        return kind

    def _beside(self, name: str, rows: list[dict[str, Any]], event: dict[str, Any]) -> None:
        path = self._folder / name
        written = path.read_bytes().count(b"\n") if path.exists() else 0
        due = [row for row in rows[written:] if row.get("step", 0) <= event.get("step", 0)]
        self._append(name, due)

    def _append(self, name: str, rows: list[dict[str, Any]]) -> None:
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        with (self._folder / name).open("a", encoding="utf-8") as file:
            file.write(lines)

    def _live(self) -> None:
        """Say that it goes on: a run without a living owner is an interrupted one."""
        folded = self._reader.folded()
        write_live(self._folder, attempt=folded.attempt, stage=folded.stage)

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()


def _times(played: Recording, seconds: float) -> list[float]:
    """When each line is due, in seconds from the first: as recorded, or quicker."""
    moments = [datetime.fromisoformat(str(event["time"])) for event in played.events]
    after = [max(0.0, (moment - moments[0]).total_seconds()) for moment in moments]
    ends = [t for t, e in zip(after, played.events, strict=True) if e.get("type") != "measured"]
    pace = max(1.0, max(ends) / seconds)
    # What was measured long after the end follows at once.
    return [min(t, max(ends)) / pace for t in after]


@dataclass(frozen=True)
class Recorded:
    """What the plan said of a source."""

    lines: list[str]
    columns: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    total_rows: int | None = None
    roles: dict[str, str] = field(default_factory=dict)


def described(played: Recording) -> Callable[..., Recorded]:
    """What is known of the sources: what the run recorded, never a look at them."""
    model, data = played.plan.get("model") or {}, played.plan.get("dataset") or {}

    def describe(source: object, _finetune: object = None) -> Recorded:
        lines = []
        if type(source).__name__ == "ModelData":
            if weights := model.get("parameters"):
                lines.append(f"{model.get('name')}, {weights / 1e6:.1f} M parameters")
        elif rows := data.get("train_rows"):
            lines.append(f"{rows:,} rows, {data.get('eval_rows') or 0:,} held out")
        return Recorded([*lines, "as recorded"])

    return describe


class Gate:
    """The gate of a recorded run: closed, and it says why; in place of `widgets.audits.Audits`."""

    def of(self, workflow: Workflow) -> dict[str, Audit]:
        """Red, for every finetune node."""
        problem = Problem(code="replay.recorded", message=WHY_NOT)
        red = Audit(state="done", verdict="red", problems=[problem])
        return {node.id: red for node in workflow.of_type("finetune")}

    def blocking(self, workflow: Workflow, node: str | None) -> list[Problem]:
        """Why nothing is trained."""
        del workflow, node
        return [Problem(code="replay.recorded", message=WHY_NOT)]

    def refresh(self) -> None:
        """Nothing changes."""

    def measure(self, workflow: Workflow, node: str) -> None:
        """Nothing is measured; raises StudioError."""
        del workflow, node
        raise refusal()

    def start(self) -> None:
        """Nothing to begin."""

    def close(self) -> None:
        """Nothing to end."""
