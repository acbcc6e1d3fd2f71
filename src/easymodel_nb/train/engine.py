"""One run from its request to its end: a plain function over a folder.

It knows no widget, no kernel and no queue. Whatever happens, the log ends with
`run_finished`, `run_stopped` or `run_failed`.
"""

import random
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from easymodel_nb.runlog.events import Event
from easymodel_nb.runlog.log import read_view
from easymodel_nb.train.contacts import recorded
from easymodel_nb.train.control import Control, Stopped
from easymodel_nb.train.distributed.world import lost_process
from easymodel_nb.train.failure import problem_of
from easymodel_nb.train.heavy import PARTS, import_trainer, parts_done
from easymodel_nb.train.quiet import LogBuffer, quiet
from easymodel_nb.train.reporter import Reporter

LOG_FILE = "log.txt"
FIRST_SENTENCE = "Starting PyTorch and Transformers"  # of each attempt


def execute(
    folder: Path,
    control: Control,
    *,
    token: Callable[[], str | None] = lambda: None,
    redact: Callable[[str], str] = lambda text: text,
    on_event: Callable[[Event], None] | None = None,
    buffer: LogBuffer | None = None,
) -> None:
    """Run what line 0 of the folder's log asks for, to its end.

    Never raises: every failure is the log's last line, its traceback redacted.
    """
    reporter = Reporter(folder, attempt=read_view(folder).attempt, on_event=on_event)
    buffer = buffer or LogBuffer(redact)
    try:
        reporter.stage("loading", FIRST_SENTENCE)
        control.interruptible(import_trainer, tick=lambda: _say_imports(reporter))
        with recorded(folder, "training"), quiet(buffer), settings_restored():
            from easymodel_nb.train.attempt import Attempt  # noqa: PLC0415  it imports PyTorch

            Attempt(folder, control, reporter, token).run()
    except Stopped as stop:
        lost = lost_process() if stop.reason == "signal" else None
        if lost is not None:  # torchrun ends all processes where one has gone
            reporter.event("run_failed", problem=lost, detail="")
        else:
            reporter.event("run_stopped", reason=stop.reason, summary={}, model_path=None)
    except BaseException as error:  # noqa: BLE001  the log must end, whatever happened
        detail = redact(traceback.format_exc())
        reporter.event("run_failed", problem=problem_of(error, folder, redact), detail=detail)
    finally:
        _keep_log(folder / LOG_FILE, buffer, again=reporter.attempt > 1)


def _say_imports(reporter: Reporter) -> None:
    reporter.sentence(f"{FIRST_SENTENCE}: {parts_done()} of {PARTS} parts")
    reporter.heartbeat()


def _keep_log(path: Path, buffer: LogBuffer, *, again: bool) -> None:
    """Write down what was logged, after what earlier attempts logged; a full disk costs only it."""
    with suppress(OSError), path.open("a" if again else "w", encoding="utf-8") as file:
        file.write("\n".join(buffer.lines()) + "\n")


@contextmanager
def settings_restored() -> Iterator[None]:
    """Give the process its threads and random states back after the run."""
    import numpy as np  # noqa: PLC0415
    import torch  # noqa: PLC0415

    threads = torch.get_num_threads()
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else None
    deterministic = torch.are_deterministic_algorithms_enabled()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic)
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        torch.set_rng_state(states[2])
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)
