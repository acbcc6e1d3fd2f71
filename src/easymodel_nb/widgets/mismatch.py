"""Tasks that a model cannot be trained for, told as soon as its config was looked at."""

from collections.abc import Iterator, Mapping

from easymodel_nb.errors import FieldChange, Fix, Problem
from easymodel_nb.widgets.state import SourceFacts
from easymodel_nb.workflow.check import AVAILABLE_TASKS
from easymodel_nb.workflow.document import Node, Workflow
from easymodel_nb.workflow.labels import TASK_TITLES

_NAMES = {name: title.lower() for name, title in TASK_TITLES.items()}


def unfit_tasks(workflow: Workflow, facts: Mapping[str, SourceFacts]) -> Iterator[Problem]:
    """One problem a finetune node whose model cannot do its task, with the task that it can."""
    for node in workflow.of_type("finetune"):
        model = _root_model(workflow, node)
        known = facts.get(model.id) if model else None
        task = node.data.get("task", "generation")
        if model is None or known is None or not known.tasks or task not in _NAMES:
            continue
        if task in known.tasks:
            continue
        can = " or ".join(_NAMES.get(name, name) for name in known.tasks)
        fitting = next((name for name in known.tasks if name in AVAILABLE_TASKS), None)
        yield Problem(
            code="model.task",
            message=f"{_short(known.source)} can be trained for {can}, not for {_NAMES[task]}. "
            "Change the task, or choose another model.",
            node=node.id,
            field="task",
            fix=fitting
            and Fix(
                label=f"Set task to {_NAMES.get(fitting, fitting)}",
                set=[FieldChange(node=node.id, field="task", value=fitting)],
            ),
        )


def _root_model(workflow: Workflow, node: Node) -> Node | None:
    """The model node at the start of a chain of trainings."""
    seen: set[str] = set()
    current: Node | None = node
    while current is not None and current.type == "finetune" and current.id not in seen:
        seen.add(current.id)
        edges = workflow.into(current.id, "model")
        current = workflow.node(edges[0].source) if edges else None
    return current if current is not None and current.type == "model" else None


def _short(source: str) -> str:
    return source.strip().rstrip("/").removeprefix("builtin:").rsplit("/", 1)[-1]
