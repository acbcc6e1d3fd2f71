"""What a failed run tells its user: one sentence, and one click where there is one."""

from collections.abc import Callable
from pathlib import Path

from easymodel_nb.errors import FieldChange, Fix, Problem, StudioError
from easymodel_nb.runlog.log import RunReader


def problem_of(error: BaseException, folder: Path, redact: Callable[[str], str]) -> Problem:
    """The problem behind an error, redacted and on its node."""
    request = RunReader(folder).view().request
    node = request.get("node", {}).get("id")
    if isinstance(error, StudioError):
        first = error.at(node).problems[0]
        return first.model_copy(update={"message": redact(first.message)})
    text = str(error)
    if isinstance(error, MemoryError) or "out of memory" in text.lower():
        batch = int(request.get("node", {}).get("data", {}).get("batch_size", 8))
        smaller = max(1, batch // 2)
        return Problem(
            code="memory.out",
            message=f"Out of memory. A batch of {batch} rows does not fit on this device; use a "
            "smaller batch size or a shorter max length.",
            node=node,
            field="batch_size",
            fix=Fix(
                label=f"Set batch size to {smaller}",
                set=[FieldChange(node=node or "", field="batch_size", value=smaller)],
            ),
        )
    return Problem(
        code="run.error",
        message=redact(
            f"Training stopped with an error inside {type(error).__name__}: "
            f"{text.splitlines()[0] if text else 'no message'}. Details has the traceback."
        ),
        node=node,
    )
