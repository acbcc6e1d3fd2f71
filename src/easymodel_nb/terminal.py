"""What the command line shows of a run: JSON lines, a live display, or plain sentences."""

import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self, TextIO

from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.runlog.headline import Metric, measured_at, task_numbers
from easymodel_nb.runlog.log import RunReader, runs_folder
from easymodel_nb.runlog.view import RunView


class Display(Protocol):
    """Is told every event, from whatever thread, after it is in the log."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...
    def event(self, raw: dict[str, Any]) -> None:
        """Show one event."""


class JsonLines:
    """Every event as one line on stdout, and nothing else there.

    Whatever a library prints meanwhile, also below Python, goes to stderr.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: TextIO | None = None
        self._stdout = -1

    def __enter__(self) -> Self:
        sys.stdout.flush()
        self._stdout = os.dup(1)
        self._lines = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        return self

    def __exit__(self, *error: object) -> None:
        sys.stdout.flush()
        os.dup2(self._stdout, 1)
        os.close(self._stdout)
        if self._lines is not None:
            with contextlib.suppress(BrokenPipeError):
                self._lines.close()

    def event(self, raw: dict[str, Any]) -> None:
        """Write one event and flush; a reader that went away ends the writing, not the run."""
        with self._lock:
            if self._lines is None:
                return
            try:
                self._lines.write(json.dumps(raw, ensure_ascii=False, allow_nan=False) + "\n")
                self._lines.flush()
            except BrokenPipeError:
                self._lines = None


class Turns:
    """Tells which of several runs speaks now: by its node, and by the values of a sweep."""

    def __init__(self) -> None:
        self._titles: dict[str, str] = {}
        self._speaking = ""

    def heading(self, raw: dict[str, Any]) -> str | None:
        """The name of the run, at the first of its events after those of another."""
        run = raw["run_id"]
        if raw["type"] == "run_created":
            label = (raw["request"].get("node") or {}).get("label")
            self._titles[run] = label or f"Node {raw['node_id']}"
        queued = raw["type"] == "run_created" or raw.get("stage") == "queued"
        if queued or run == self._speaking or len(self._titles) < 2:  # noqa: PLR2004  no other
            return None
        self._speaking = run
        return self._titles.get(run)


class Sentences:
    """A line for each stage and each epoch, for a log file or a pipe."""

    def __init__(self) -> None:
        self._turns = Turns()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def event(self, raw: dict[str, Any]) -> None:
        """Print the events that are news to a reader of a log."""
        if title := self._turns.heading(raw):
            print(f"--- {title}", flush=True)  # noqa: T201
        if text := sentence(raw):
            print(text, flush=True)  # noqa: T201


class LiveDisplay:
    """One moving line a run: its stage as a sentence, step, loss, and time left.

    It reads the run's own files four times a second, so it also moves where there
    are no events: while downloading, tokenising, measuring.
    """

    def __init__(self, home: Path) -> None:
        from rich.console import Console  # noqa: PLC0415
        from rich.live import Live  # noqa: PLC0415

        self._console = Console()
        self._runs = runs_folder(home)
        self._reader: RunReader | None = None
        self._turns = Turns()
        self._live = Live(
            console=self._console, get_renderable=self._render, refresh_per_second=4, transient=True
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def event(self, raw: dict[str, Any]) -> None:
        """Follow the run that speaks; what is final is printed above the moving line."""
        if title := self._turns.heading(raw):
            self._console.print(title, style="bold", highlight=False, markup=False)
        if self._reader is None or self._reader.folder.name != raw["run_id"]:
            self._reader = RunReader(self._runs / raw["run_id"])
        if raw["type"] != "stage" and (text := sentence(raw)):
            self._console.print(text, highlight=False, markup=False)

    def _render(self) -> Any:
        from rich.progress_bar import ProgressBar  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415

        if self._reader is None:
            return "Starting"
        view = self._reader.view()
        done, total = _fraction(view)
        bar = ProgressBar(total=total, completed=done or 0, width=24, pulse=total is None)
        line = Table.grid(padding=(0, 1))
        line.add_column()
        line.add_column(no_wrap=True, overflow="ellipsis")
        line.add_row(bar, status_line(view))
        return line


def display(home: Path) -> Display:
    """The display that suits stdout."""
    return LiveDisplay(home) if sys.stdout.isatty() else Sentences()


def _fraction(view: RunView) -> tuple[float | None, float | None]:
    if view.stage.total:
        return view.stage.done, view.stage.total
    if view.max_steps:
        return view.step, view.max_steps
    return None, None


def status_line(view: RunView) -> str:
    """What a run is doing now, in one line."""
    parts = [view.stage.message]
    if view.stage.stage == "training" and view.max_steps:
        parts.append(f"step {view.step} of {view.max_steps}")
        if view.loss is not None:
            parts.append(f"loss {view.loss:.3f}")
    left = view.stage.seconds_left if view.stage.seconds_left is not None else view.seconds_left
    if left is not None:
        parts.append(f"{duration(left)} left")
    return ", ".join(parts)


_WORDS = {"note": "Note", "ask": "Warning", "error": "Error"}


def sentence(raw: dict[str, Any]) -> str | None:  # noqa: PLR0911  one an event type
    """An event as a sentence, or None for those that only count."""
    match raw["type"]:
        case "stage":
            return str(raw["message"])
        case "epoch":
            return _epoch(raw)
        case "warning":
            word = _WORDS.get(raw["problem"].get("severity"), "Note")
            return f"{word}: {raw['problem']['message']}"
        case "run_resumed":
            return f"Goes on from step {raw['step']:,}." if raw["step"] else "Begins again."
        case "run_finished":
            kept = raw["summary"].get("kept_epoch")
            return "Finished." if kept is None else f"Finished; epoch {kept:g} is kept."
        case "run_stopped":
            return f"Stopped ({raw['reason'].replace('_', ' ')})."
    return None


def _epoch(raw: dict[str, Any]) -> str:
    """The numbers of a point: perplexity where it has a value, then those of the task."""
    analytics = Analytics.model_validate(raw["analytics"])
    when = "Before training" if raw["epoch"] == 0 else f"Epoch {raw['epoch']:g}"
    perplexity = ", ".join(
        f"{name} {measured.value:.4g}"
        for name, measured in analytics.perplexity.items()
        if measured.value is not None
    )
    others = task_numbers(analytics)
    known = [
        f"{metric.name} {measured.value:.3g}{_beside(analytics, metric)}"
        for metric, measured in others
        if measured.value is not None
    ]
    if perplexity or known:
        return f"{when}: {', '.join([f'perplexity {perplexity}'] * bool(perplexity) + known)}"
    if others:
        metric, measured = others[0]
        return f"{when}: {metric.name} not measured: {measured.reason}"
    return f"{when}: perplexity not measured"


def _beside(analytics: Analytics, metric: Metric) -> str:
    """What always answering the commonest class gets, where that is known."""
    base = measured_at(analytics, metric.baseline)
    return f" (majority class {base.value:.3g})" if base and base.value is not None else ""


def duration(seconds: float) -> str:
    """Seconds as people say them: 50 s, 1 min 23 s, 2 h 05 min."""
    whole = max(0, round(seconds))
    if whole < 60:  # noqa: PLR2004
        return f"{whole} s"
    if whole < 3600:  # noqa: PLR2004
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


@dataclass
class Signals:
    """Whether a signal came."""

    received: bool = False


@contextlib.contextmanager
def stop_on_signal() -> Iterator[Signals]:
    """Let SIGINT and SIGTERM stop the runs after their step; a second one ends at once."""
    signals, came, done = Signals(), threading.Event(), threading.Event()

    def receive(*_: object) -> None:
        if signals.received:
            raise KeyboardInterrupt
        signals.received = True
        came.set()

    # Not in the handler: it interrupts the main thread anywhere, also where a lock is held.
    def stop() -> None:
        came.wait()
        while not done.wait(0.2):
            from easymodel_nb.train.api import stop_all  # noqa: PLC0415

            stop_all(reason="signal")  # again, for a run that was only being queued

    before = {number: signal.signal(number, receive) for number in (signal.SIGINT, signal.SIGTERM)}
    threading.Thread(target=stop, name="easymodel-signals", daemon=True).start()
    try:
        yield signals
    finally:
        done.set()
        came.set()
        for number, handler in before.items():
            signal.signal(number, handler)
