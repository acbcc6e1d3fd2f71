"""Code of finetune nodes, written on a thread of its own: it is tried on the data first."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.secrets import redact
from easymodel_nb.widgets.methods import ExportResult
from easymodel_nb.widgets.worker import Worker
from easymodel_nb.workflow.document import Workflow

Write = Callable[[Workflow, str, str], tuple[str, str]]


class Exports:
    """What was asked for is told once; the next question writes anew."""

    def __init__(self, write: Write | None = None, home: Path | None = None) -> None:
        self._write = write or partial(_write, home)
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str, str], ExportResult | StudioError | None] = {}
        self._worker = Worker("easymodel-exports")

    def ask(self, workflow: Workflow, node: str, to: str) -> ExportResult:
        """The node as code, or that it is being written; returns at once.

        Raises
        ------
        StudioError
            When it was tried and cannot be written.

        """
        key = (workflow.model_dump_json(), node, to)
        with self._lock:
            found = self._made.get(key)
            if found is not None:
                del self._made[key]
            elif key not in self._made:
                self._made[key] = None
                self._worker.submit(lambda: self._work(key, workflow))
                self._worker.start()
        if isinstance(found, StudioError):
            raise found
        return found or ExportResult(writing=True)

    def close(self) -> None:
        """End the thread."""
        self._worker.close()

    def _work(self, key: tuple[str, str, str], workflow: Workflow) -> None:
        made: ExportResult | StudioError
        try:
            name, text = self._write(workflow, key[1], key[2])
            made = ExportResult(name=name, text=text)
        except StudioError as error:
            made = error
        except Exception as error:  # noqa: BLE001  whoever asked must hear back
            why = redact(str(error)) or type(error).__name__
            message = f"The code could not be written: {why}"
            made = StudioError(Problem(code="export.failed", message=message, node=key[1]))
        with self._lock:
            self._made[key] = made


def _write(home: Path | None, workflow: Workflow, node: str, to: str) -> tuple[str, str]:
    from easymodel_nb.train.heavy import import_trainer  # noqa: PLC0415  takes seconds

    import_trainer()
    from easymodel_nb.train.export import export  # noqa: PLC0415  it imports PyTorch

    return export(workflow, node, "notebook" if to == "notebook" else "script", home)
