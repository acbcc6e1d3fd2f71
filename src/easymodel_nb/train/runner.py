"""Two ways to run a folder: a thread of this process, or a process of its own."""

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

from easymodel_nb.redaction import held
from easymodel_nb.runlog.events import Event, StopReason
from easymodel_nb.runlog.log import RunLog, RunReader, write_live
from easymodel_nb.runlog.view import StageView
from easymodel_nb.secrets import without_tokens
from easymodel_nb.train.addresses import VARIABLE
from easymodel_nb.train.control import Control, ask_to_stop
from easymodel_nb.train.failure import death_of
from easymodel_nb.train.quiet import LogBuffer

_FOLLOW_SECONDS = 0.1
Token = Callable[[], str | None]


class Runner(Protocol):
    """Runs one folder whose line 0 says what."""

    def start(self, folder: Path) -> None:
        """Begin; returns at once."""

    def stop(self, reason: StopReason = "user") -> None:
        """Ask the run to end; returns at once."""

    def alive(self) -> bool:
        """Whether it still runs."""

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended."""

    def log_lines(self) -> list[str]:
        """The last lines that were logged, redacted."""


class ThreadRunner:
    """In a thread of this process: it shares the kernel's imports and memory."""

    def __init__(
        self,
        *,
        token: Token = lambda: None,
        redact: Callable[[str], str] = lambda text: text,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        self._token = token
        self._redact = redact
        self._on_event = on_event
        self._buffer = LogBuffer(redact)
        self._thread: threading.Thread | None = None
        self._control: Control | None = None

    def start(self, folder: Path) -> None:
        """Begin; returns at once."""
        control = Control(folder)
        self._control = control

        def work() -> None:
            from easymodel_nb.train.engine import execute  # noqa: PLC0415  not while the caller waits

            execute(
                folder,
                control,
                token=self._token,
                redact=self._redact,
                on_event=self._on_event,
                buffer=self._buffer,
            )

        # Threads that work for this one start with its name: the log filter goes by it.
        name = f"easymodel-run-{folder.name}"
        self._thread = threading.Thread(target=work, name=name, daemon=True)
        self._thread.start()

    def stop(self, reason: StopReason = "user") -> None:
        """Ask the run to end; returns at once."""
        if self._control is not None:
            self._control.stop(reason)

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._thread is not None and self._thread.is_alive()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended."""
        if self._thread is not None:
            self._thread.join(timeout)

    def log_lines(self) -> list[str]:
        """The last lines that were logged, redacted."""
        return self._buffer.lines()


class ProcessRunner:
    """In a process of its own: it can really be killed and gives its memory back."""

    command: tuple[str, ...] = (sys.executable, "-m", "easymodel_nb.train.worker")

    def __init__(
        self,
        *,
        token: Token = lambda: None,
        redact: Callable[[str], str] = lambda text: text,  # noqa: ARG002  the child redacts
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        self._token = token
        self._on_event = on_event
        self._follower: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._killed = False

    def start(self, folder: Path) -> None:
        """Begin; returns at once. The token goes by standard input, never by an argument."""
        self._folder = folder
        reader = RunReader(folder)
        request = reader.view().request  # these events were told by who queued the run
        source = str(request.get("dataset", {}).get("data", {}).get("source", ""))
        if source.strip().startswith(VARIABLE):
            # Only this process has the variable, and writing it down may take a while.
            live = StageView(stage="loading", message="Writing the variable into the run's folder")
            write_live(folder, stage=live)
            work = partial(self._freeze_and_follow, folder, source, reader)
        else:
            work = partial(self._follow, self._launched(folder), reader)
        self._follower = threading.Thread(target=work, name="easymodel-follow", daemon=True)
        self._follower.start()

    def _freeze_and_follow(self, folder: Path, source: str, reader: RunReader) -> None:
        from easymodel_nb.train.data import variables  # noqa: PLC0415  not while the caller waits

        variables.freeze(source, folder)
        if not self._killed:
            self._follow(self._launched(folder), reader)

    def _launched(self, folder: Path) -> subprocess.Popen[bytes]:
        environment = {**without_tokens(), "PYTHONUNBUFFERED": "1"}
        with (folder / "output.txt").open("wb") as output:
            process = subprocess.Popen(  # noqa: S603  our own module and a path
                [*self.command, str(folder)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,  # an interrupt of the kernel is not meant for the run
            )
        self._process = process
        if process.stdin is not None:
            process.stdin.write(f"{self._token() or ''}\n{json.dumps(held())}\n".encode())
            process.stdin.close()
        # Its own word comes only when it has imported what it needs.
        stage = StageView(stage="loading", message="Starting a process for the run")
        write_live(folder, pid=process.pid, stage=stage)
        return process

    def _follow(self, process: subprocess.Popen[bytes], reader: RunReader) -> None:
        """Tell the events of the process as they come into its log."""
        ended = False
        while not ended:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_FOLLOW_SECONDS)
            ended = process.returncode is not None  # looked at before the last reading
            for event in reader.new_events():
                if self._on_event is not None:
                    self._on_event(event)
        if not self._killed and not reader.view().ended:
            self._say_death(process, reader)

    def _say_death(self, process: subprocess.Popen[bytes], reader: RunReader) -> None:
        """A process that could not say itself why it ended: nobody writes its log now."""
        view = reader.view()
        problem = death_of(process.returncode, view.node_id or None)
        if problem is None:
            return
        with contextlib.suppress(OSError):
            event = RunLog(reader.folder).append("warning", problem=problem)
            if self._on_event is not None:
                self._on_event(event)

    def stop(self, reason: StopReason = "user") -> None:
        """Ask the run to end; returns at once."""
        if self._folder is not None:
            ask_to_stop(self._folder, reason)

    def kill(self) -> None:
        """End the process at once; its run is then interrupted."""
        self._killed = True
        if self._process is not None:
            self._process.kill()

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._follower is not None and self._follower.is_alive()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended and every event of it was told."""
        if self._follower is not None:
            self._follower.join(timeout)

    def log_lines(self) -> list[str]:
        """The last lines that were logged, redacted."""
        return read_log(self._folder) if self._folder is not None else []


def read_log(folder: Path) -> list[str]:
    """The log lines a run that has ended left behind."""
    try:
        return (folder / "log.txt").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
