"""What a failed run tells: a sentence with a remedy for what users really meet."""

import errno
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest

from easymodel_nb.errors import Problem, problem_error
from easymodel_nb.runlog.log import RunLog, new_run
from easymodel_nb.train.failure import death_of, problem_of

REQUEST = {
    "node": {"id": "f1", "data": {"task": "classification", "batch_size": 8}},
    "model": {"id": "m1", "data": {"source": "builtin:tiny-gpt2"}},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = new_run(tmp_path)
    RunLog(made).append("run_created", node_id="f1", request=REQUEST)
    return made


def told(error: BaseException, folder: Path) -> Problem:
    problem = problem_of(error, folder, lambda text: text)
    assert problem.message.endswith(".")
    assert problem.severity == "error"
    assert "Traceback" not in problem.message
    return problem


def wrapped(error: BaseException) -> BaseException:
    """As libraries raise it: with an error of their own around it."""
    try:
        try:
            raise error
        except type(error) as inner:
            raise RuntimeError("could not go on") from inner
    except RuntimeError as outer:
        return outer


class ConnectError(Exception):
    """As httpx names it."""


NO_SPACE = "Error while serializing: I/O error: No space left on device (os error 28)"
KNOWN: list[tuple[BaseException, str, str | None, str]] = [
    (MemoryError(), "memory.out", "batch_size", "smaller batch"),
    (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "memory.out", "batch_size", ""),
    (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED"), "memory.out", "batch_size", ""),
    (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory.out", "batch_size", ""),
    (
        RuntimeError("CUDA error: device-side assert triggered\nCUDA kernel errors might be"),
        "gpu.assert",
        "label_field",
        "Restart the kernel",
    ),
    (RuntimeError("CUDA error: an illegal memory access"), "gpu.error", None, "illegal memory"),
    (
        RuntimeError("CUDA error: no kernel image is available for execution on the device"),
        "gpu.unsupported",
        None,
        "not built for this GPU",
    ),
    (OSError(errno.ENOSPC, "No space left on device"), "disk.full", None, "MB are free"),
    (OSError(errno.EDQUOT, "Disk quota exceeded"), "disk.full", None, "Free some space"),
    (Exception(NO_SPACE), "disk.full", None, "then train again"),  # as safetensors raises it
    (OSError(errno.EIO, "Input/output error", "/data/x"), "disk.error", None, "/data/x"),
    (PermissionError(errno.EACCES, "Permission denied", "/data"), "disk.denied", None, "/data"),
    (
        RuntimeError("DataLoader worker (pid 12) is killed by signal: Killed."),
        "worker.killed",
        None,
        "memory",
    ),
    (BrokenProcessPool("A child process terminated abruptly"), "worker.killed", None, "memory"),
    (ConnectionResetError(errno.ECONNRESET, "reset by peer"), "network.lost", None, "connection"),
    (ConnectError("[Errno -2] Name or service not known"), "network.lost", None, "connection"),
    (
        ImportError("T5Tokenizer requires the SentencePiece library. pip install sentencepiece"),
        "package.missing",
        None,
        "pip install sentencepiece",
    ),
    (ModuleNotFoundError("No module named 'tiktoken'", name="tiktoken"), "package.missing", None,
     "pip install tiktoken"),
    (ValueError("no idea\nsecond line"), "run.error", None, "ValueError: no idea"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "code", "field", "says"), KNOWN, ids=lambda v: str(v)[:30])
def test_what_users_meet(
    folder: Path, error: BaseException, code: str, field: str | None, says: str
):
    problem = told(error, folder)
    assert (problem.code, problem.node, problem.field) == (code, "f1", field)
    assert says in problem.message
    if code not in {"run.error", "package.missing"}:  # these are told as they come
        again = told(wrapped(error), folder)  # how much is free may differ by then
        assert (again.code, again.node, again.field) == (problem.code, "f1", field)
        assert says in again.message


def test_a_package_that_was_only_tried_is_not_missing(folder: Path):
    error = wrapped(ModuleNotFoundError("No module named 'flash_attn'", name="flash_attn"))
    assert told(error, folder).code == "run.error"


def test_a_checkpoint_is_where_it_goes_on(folder: Path):
    RunLog(folder).append("checkpoint", step=1200, path="checkpoints/checkpoint-1200", bytes=9)
    problem = told(OSError(errno.ENOSPC, "No space left on device"), folder)
    assert "then resume: the run goes on from step 1,200." in problem.message


def test_weights_that_do_not_fit_are_no_matter_of_the_batch(folder: Path):
    RunLog(folder).append("stage", stage="loading", message="Loading")
    problem = told(MemoryError(), folder)
    assert (problem.code, problem.node, problem.field) == ("memory.out", "m1", "source")
    assert problem.fix is None


@pytest.mark.parametrize(("batch", "fixed"), [(8, 4), (1, None)])
def test_a_smaller_batch_is_one_click_away(tmp_path: Path, batch: int, fixed: int | None):
    made = new_run(tmp_path)
    request: dict[str, Any] = {"node": {"id": "f1", "data": {"batch_size": batch}}}
    RunLog(made).append("run_created", node_id="f1", request=request)
    fix = told(MemoryError(), made).fix
    assert [(c.node, c.value) for c in (fix.set or [])] == [("f1", fixed)] if fix else not fixed


def test_a_problem_stays_what_it_is_and_secrets_go(folder: Path):
    error = problem_error("hub.gated", "No entry with hf_secret.", field="source", node="m1")
    problem = problem_of(error, folder, lambda text: text.replace("hf_secret", "[redacted]"))
    assert (problem.code, problem.node) == ("hub.gated", "m1")
    assert problem.message == "No entry with [redacted]."
    hidden = problem_of(
        ValueError("no hf_secret"), folder, lambda text: text.replace("hf_secret", "x")
    )
    assert "hf_secret" not in hidden.message


@pytest.mark.parametrize(
    ("code", "says"), [(-9, "SIGKILL). This is what the system does"), (-11, "SIGSEGV). A library")]
)
def test_a_process_that_was_ended(code: int, says: str):
    problem = death_of(code, "f1")
    assert problem is not None
    assert (problem.code, problem.severity, problem.node) == ("worker.killed", "note", "f1")
    assert says in problem.message
    assert death_of(1, "f1") is None
