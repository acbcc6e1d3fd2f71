"""Kernels that train in a thread of theirs, as a notebook's does, and are killed with SIGKILL.

Starting one takes longer than a small run: PyTorch is imported once, by a process that does
nothing else, and each kernel is a fork of it.
"""

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

HERE = Path(__file__).parent
Death = dict[str, Any]
"""When to die: `{"seconds": s}` from outside; `{"call": n}` before the n-th time that something
is done to a file of the home; `{"before": [kind, end]}` before the first one of a kind ("open",
"os.rename", ...) to a path that ends so. Empty: never."""


class Life(NamedTuple):
    """How a kernel ended."""

    killed: bool
    calls: int  # what it did to files of the home
    seconds: float


class Kernels:
    """One kernel after the other."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, HERE / "mortal_kernel.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(60)

    def live(
        self,
        home: Path,
        *,
        workflows: list[dict[str, Any]] | None = None,
        resume: list[str] | None = None,
        death: Death | None = None,
    ) -> Life:
        """A kernel that queues these workflows, or resumes these runs, until its death or theirs.

        Its runs belong to the project "p".
        """
        order = {
            "home": str(home),
            "workflows": workflows or [],
            "resume": resume or [],
            "death": death or {},
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(order), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        assert answer, "the process that makes kernels is gone"
        return Life(**json.loads(answer))
