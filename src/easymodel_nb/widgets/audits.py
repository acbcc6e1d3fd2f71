"""The gate of every finetune node, followed on a worker of its own."""

from collections.abc import Callable
from pathlib import Path

from easymodel_nb.errors import problem_error
from easymodel_nb.train.audited import Audit
from easymodel_nb.workflow.document import Workflow


class Audits:
    """Follows a workflow and calls `changed` when something new is known."""

    def __init__(self, home: Path, changed: Callable[[], None]) -> None:
        self._home, self._changed = home, changed

    def of(self, workflow: Workflow) -> dict[str, Audit]:
        """What is known now, by finetune node; what is not known yet is asked."""
        return {node.id: Audit() for node in workflow.of_type("finetune")}

    def measure(self, workflow: Workflow, node: str) -> None:
        """Measure time and memory of a node when no run is under way; returns at once."""
        raise problem_error("fit.later", "This version cannot measure this yet.", node=node)

    def close(self) -> None:
        """End the worker."""
