"""Small workflows, and an ear for the events of their runs."""

import copy
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from easymodel_nb.runlog.events import Event
from easymodel_nb.store.first import first_workflow
from easymodel_nb.workflow.document import Edge, Node, Workflow

SMALL = {
    "epochs": 2,
    "batch_size": 8,
    "max_length": 64,
    "subset_size": 40,
    "eval_size": 16,
    "max_new_tokens": 4,
    "analytics_budget": 0,  # answers are judged in test_analytics.py
}
PATIENCE = 120  # seconds, on a machine that is shared
# Seconds until a stop is obeyed: two, and more where other tests have the other cores.
STOP_LIMIT = 8.0 if "PYTEST_XDIST_WORKER" in os.environ else 2.0


def small(
    source: str = "builtin:requests",
    *,
    model: str | dict[str, Any] = "builtin:tiny-gpt2",
    dataset: dict[str, Any] | None = None,
    **finetune: Any,
) -> Workflow:
    """The first project, cut down to seconds, with other sources and fields where given."""
    workflow = first_workflow()
    m1, d1, f1 = workflow.nodes
    m1.data |= {"source": model} if isinstance(model, str) else model
    d1.data |= {"source": str(source), **(dataset or {})}
    f1.data |= SMALL | finetune
    return workflow


def chained(*settings: dict[str, Any]) -> Workflow:
    """f1 -> f2 -> ..., each on the same data, each continuing the model of the one before."""
    workflow = small(**settings[0])
    for number, changes in enumerate(settings[1:], 2):
        node = copy.deepcopy(workflow.nodes[2])
        node.id, node.data = f"f{number}", node.data | changes
        workflow.nodes.append(node)
        workflow.edges += [
            Edge(
                id=f"m{number}",
                source=f"f{number - 1}",
                sourceHandle="model",
                target=node.id,
                targetHandle="model",
            ),
            Edge(
                id=f"d{number}",
                source="d1",
                sourceHandle="dataset",
                target=node.id,
                targetHandle="dataset",
            ),
        ]
    return workflow


def several(count: int, **finetune: Any) -> Workflow:
    """As many finetune nodes beside each other, on the same model and data."""
    workflow = small(**finetune)
    for number in range(2, count + 1):
        workflow.nodes.append(Node(**(workflow.nodes[2].model_dump() | {"id": f"f{number}"})))
        workflow.edges += [
            edge.model_copy(update={"id": f"{edge.id}-{number}", "target": f"f{number}"})
            for edge in workflow.edges[:2]
        ]
    return workflow


class Ear:
    """Hears events, from whatever thread, and lets a test wait for one."""

    def __init__(self) -> None:
        self.heard: list[Event] = []
        self._changed = threading.Condition()
        self._reactions: list[tuple[Callable[[Event], bool], Callable[[], None]]] = []

    def __call__(self, event: Event) -> None:
        """Hear one event."""
        with self._changed:
            self.heard.append(event)
            due = [r for r in self._reactions if r[0](event)]
            self._reactions = [r for r in self._reactions if r not in due]
            self._changed.notify_all()
        for _, react in due:
            react()

    def when(self, matches: Callable[[Event], bool], react: Callable[[], None]) -> None:
        """React once, from the thread that tells, at the first event that matches."""
        self._reactions.append((matches, react))

    def wait(self, matches: Callable[[Event], bool]) -> Event:
        """The first event that matches, heard already or to come."""
        found: list[Event] = []

        def ready() -> bool:
            found[:] = [event for event in self.heard if matches(event)][:1]
            return bool(found)

        with self._changed:
            assert self._changed.wait_for(ready, PATIENCE), [e.type for e in self.heard]
        return found[0]

    def of(self, kind: str) -> list[Any]:
        """Every event of a type."""
        return [event for event in self.heard if event.type == kind]


def stage(name: str) -> Callable[[Event], bool]:
    """Matches the first event of a stage."""
    return lambda event: event.type == "stage" and event.stage == name


def ended(event: Event) -> bool:
    """Matches the last event of a run."""
    return event.type in {"run_finished", "run_stopped", "run_failed"}


def until(condition: Callable[[], Any]) -> Any:
    """Wait for a condition that nobody tells about."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        if found := condition():
            return found
        threading.Event().wait(0.02)
    raise AssertionError("it did not come true in time")


def rows_of(inputs: dict[str, Any]) -> int:
    """Rows of a batch, also where they lie end to end in one."""
    if "documents" in inputs:
        return len(inputs["documents"].lengths)
    return len(inputs["input_ids"])
