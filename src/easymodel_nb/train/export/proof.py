"""The proof of an export: its own code, run up to the examples, gives those of the plan.

What is handed out was run on the user's data first. So the pieces may be short, and where they
would train on other rows or other tokens, the export is refused instead.
"""

import contextlib
import io
from collections.abc import Callable, Sequence
from typing import Any

from easymodel_nb.secrets import redact
from easymodel_nb.train.data import variables
from easymodel_nb.train.export.writing import Section, imports
from easymodel_nb.train.quiet import LogBuffer, quiet

Examples = tuple[list[Any], list[Any]]  # to learn, and to measure


def differs(
    parts: Sequence[Section], wanted: Examples, got: Callable[[dict[str, Any]], Any]
) -> str | None:
    """Why the code does not give these examples; None when it does."""
    code = "\n\n".join(part.code for part in (imports(parts), *parts))
    space: dict[str, Any] = {"__name__": "export"} | dict(variables.space() or {})
    try:
        with contextlib.redirect_stdout(io.StringIO()), quiet(LogBuffer(redact)):
            exec(compile(code, "<export>", "exec"), space)  # noqa: S102  our own pieces
    except Exception as error:  # noqa: BLE001  whatever the data makes of it
        return f"{type(error).__name__}: {error}"
    for name, expected in zip(("train_examples", "eval_examples"), wanted, strict=True):
        found = [got(one) for one in space[name]]
        if len(found) != len(expected):
            return f"{name}: {len(found)} instead of {len(expected)}"
        for place, (a, b) in enumerate(zip(found, expected, strict=True)):
            if a != b:
                return f"{name}[{place}]: {a} instead of {b}"
    return None
