"""What a failed run tells its user: one sentence, and one click where there is one."""

import errno
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from easymodel_nb.errors import FieldChange, Fix, Problem, StudioError
from easymodel_nb.runlog.log import RunReader
from easymodel_nb.runlog.view import RunView

# As metrics/memory.py knows it, which needs PyTorch; here it may be what failed to load.
_NO_MEMORY = ("out of memory", "allocate memory", "status_alloc_failed", "bad_alloc")
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FULL_SAID = ("no space left on device", "disk quota exceeded", "not enough space on the disk")
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_BROKEN_DISK = frozenset({errno.EIO, errno.ESTALE, errno.ENODEV})
_GPU_GONE = (
    "cuda error",
    "cublas_status",
    "cudnn_status",
    "nccl error",
    "hip error",
    "unspecified launch failure",
    "misaligned address",
    "illegal memory access",
)
_WORKER = re.compile(r"dataloader worker .*(exited|killed)|process pool was term", re.IGNORECASE)
_NETWORK_NAMES = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "ReadTimeout",
        "ReadError",
        "RemoteProtocolError",
        "ChunkedEncodingError",
        "IncompleteRead",
        "ProtocolError",
        "gaierror",
        "ServerDisconnectedError",
    }
)
_KILL = 9  # SIGKILL, which Windows does not name
_PACKAGE = re.compile(r"pip install (?:-U )?['\"`]?([A-Za-z0-9_.\-\[\]]+)")


def problem_of(error: BaseException, folder: Path, redact: Callable[[str], str]) -> Problem:
    """The problem behind an error, redacted and on its node."""
    view = RunReader(folder).view()
    node = view.request.get("node", {}).get("id")
    if isinstance(error, StudioError):
        problem = error.problems[0]
    else:
        problem = _known(error, folder, view) or _unknown(error)
    (placed,) = StudioError(problem).at(node).problems
    return placed.model_copy(update={"message": redact(placed.message)})


def death_of(process_code: int, node: str | None) -> Problem | None:
    """Why the process of a run ended without a word; None when it ended by itself."""
    if process_code >= 0:
        return None
    number = -process_code
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = "unknown"
    why = "This is what the system does when memory runs out, for the whole machine: "
    if number != _KILL:
        why = "A library crashed it, or it was ended from outside: "
    return Problem(
        code="worker.killed",
        severity="note",
        message=f"The process of this run was ended by the signal {number} ({name}). {why}"
        "resume it, with a smaller batch size or model if it happens again.",
        node=node,
    )


def _known(error: BaseException, folder: Path, view: RunView) -> Problem | None:
    """The first cause in the chain that has a name of its own."""
    for cause in _chain(error):
        found = (
            _memory(cause, view)
            or _gpu(cause, view)
            or _disk(cause, folder, view)
            or _worker(cause, view)
            or _network(cause)
        )
        if found is not None:
            return found
    return _package(error)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__


def _field(view: RunView, name: str, default: Any) -> Any:
    planned = (view.plan or {}).get("finetune") or {}
    drawn = view.request.get("node", {}).get("data", {})
    return planned.get(name, drawn.get(name, default))


def _go_on(view: RunView) -> str:
    """What resuming would save."""
    if not view.checkpoints:
        return "then train again"
    return f"then resume: the run goes on from step {view.checkpoints[-1]['step']:,}"


def _unknown(error: BaseException) -> Problem:
    said = (str(error).splitlines() or [""])[0].strip().rstrip(".")
    return Problem(
        code="run.error",
        message=f"Unexpected error. {type(error).__name__}: {said or 'no message'}. "
        "Details shows where.",
    )


def _memory(error: BaseException, view: RunView) -> Problem | None:
    """Out of memory where no smaller batch was tried, such as while the model is loaded."""
    number = error.errno if isinstance(error, OSError) else None
    if not (
        isinstance(error, MemoryError)
        or number == errno.ENOMEM
        or any(word in str(error).lower() for word in _NO_MEMORY)
    ):
        return None
    batch = int(_field(view, "batch_size", 8))
    if view.stage.stage == "loading":
        return Problem(
            code="memory.out",
            message="Out of memory while the model was loaded: its weights alone do not fit. "
            "Choose a smaller model, close what else uses this device, or use one with more "
            "memory.",
            node=view.request.get("model", {}).get("id"),
            field="source",
        )
    smaller = max(1, batch // 2)
    fix = None
    if smaller < batch:
        change = FieldChange(node="", field="batch_size", value=smaller)
        fix = Fix(label=f"Set batch size to {smaller}", set=[change])
    return Problem(
        code="memory.out",
        message=f"Out of memory. A batch of {batch} rows does not fit on this device; use a "
        "smaller batch size or a shorter max length.",
        field="batch_size",
        fix=fix,
    )


def _gpu(error: BaseException, view: RunView) -> Problem | None:
    """Errors after which this process can no longer use its GPU."""
    said = str(error).lower()
    if "no kernel image is available" in said:
        return Problem(
            code="gpu.unsupported",
            message="This PyTorch was not built for this GPU (no kernel image is available). "
            "Install a PyTorch for it (pytorch.org names the command), or use another GPU.",
        )
    if "device-side assert" in said:
        field = "label_field" if "classification" in _field(view, "task", "") else "max_length"
        return Problem(
            code="gpu.assert",
            message="The GPU refused a value that is out of range: a label or a token that the "
            "model has no place for, or a text longer than it can read. Restart the kernel, "
            "because the GPU cannot be used by this process any more; on the CPU the same run "
            "names the value.",
            field=field,
        )
    if any(word in said for word in _GPU_GONE):
        return Problem(
            code="gpu.error",
            message=f"The GPU failed: {str(error).splitlines()[0].rstrip('.')}. Restart the "
            f"kernel, because this process cannot use the GPU any more, {_go_on(view)}.",
        )
    return None


def _disk(error: BaseException, folder: Path, view: RunView) -> Problem | None:
    said = str(error).lower()
    number = error.errno if isinstance(error, OSError) else None
    place = getattr(error, "filename", None) or folder.parent.parent
    if number in _FULL or any(word in said for word in _FULL_SAID):
        return Problem(
            code="disk.full",
            message=f"The disk is full: {_free(folder)} free at {folder.parent.parent}. Free some "
            f"space there (old runs, caches), or choose another home, {_go_on(view)}.",
        )
    if number in _BROKEN_DISK:
        return Problem(
            code="disk.error",
            message=f"{place} could not be read or written ({error.strerror}): the disk, or the "  # type: ignore[attr-defined]
            f"network drive it is on, has failed. Look whether it is still there, {_go_on(view)}.",
        )
    if number in _DENIED and isinstance(error, OSError) and error.filename is not None:
        return Problem(
            code="disk.denied",
            message=f"{place} may not be read or written by this account ({error.strerror}). "
            f"Change its permissions, or choose another place, {_go_on(view)}.",
        )
    return None


def _free(folder: Path) -> str:
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return "nothing is"
    return f"{free / 1e6:,.1f} MB are"


def _worker(error: BaseException, view: RunView) -> Problem | None:
    if type(error).__name__ != "BrokenProcessPool" and not _WORKER.search(str(error)):
        return None
    return Problem(
        code="worker.killed",
        message="A helper process of the run was killed, as the system does when memory runs "
        f"out. Close what else uses memory, {_go_on(view)}.",
    )


def _network(error: BaseException) -> Problem | None:
    names = {kind.__name__ for kind in type(error).__mro__}
    if not (isinstance(error, (ConnectionError, TimeoutError)) or names & _NETWORK_NAMES):
        return None
    return Problem(
        code="network.lost",
        message="The network was lost while something was fetched. Check the connection, then "
        "train again: what had arrived is kept. Local files and builtin: sources need no network.",
    )


def _package(error: BaseException) -> Problem | None:
    if not isinstance(error, ImportError):
        return None
    named = _PACKAGE.search(str(error))
    name = named.group(1) if named else error.name
    if not name:
        return None
    return Problem(
        code="package.missing",
        message=f"The Python package {name.split('.')[0]} is needed here and is not installed. "
        f"Install it with: pip install {name.split('.')[0]}, restart the kernel and train again.",
    )
