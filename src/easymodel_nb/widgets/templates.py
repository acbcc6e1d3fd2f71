"""Projects that train as they are, one a task, on what comes with the package."""

from easymodel_nb import builtin
from easymodel_nb.store.templates import TEMPLATES
from easymodel_nb.widgets.state import TemplateOption
from easymodel_nb.workflow.check import AVAILABLE_TASKS
from easymodel_nb.workflow.document import Workflow
from easymodel_nb.workflow.labels import TASK_TITLES

_BUILTIN = "builtin:"


def workflow_of(name: str) -> Workflow | None:
    """The workflow of a template; "first" is the first project, which is one of them."""
    maker = TEMPLATES.get("generation" if name == "first" else name)
    return maker() if maker else None


def title_of(name: str) -> str:
    """What a project made from it is called."""
    return "First model" if name == "first" else f"{TASK_TITLES.get(name, name)} example"


def options() -> list[TemplateOption]:
    """The templates that this version can train with what is installed, generation first."""
    return [
        TemplateOption(name=name, title=title, detail=_detail(workflow))
        for name, title in TASK_TITLES.items()
        if name in AVAILABLE_TASKS
        and (workflow := workflow_of(name)) is not None
        and _is_here(workflow)
    ]


def _sources(workflow: Workflow) -> list[str]:
    found = (*workflow.of_type("model"), *workflow.of_type("dataset"))
    return [str(node.data.get("source", "")) for node in found]


def _is_here(workflow: Workflow) -> bool:
    known = {m.name for m in builtin.models()} | {d.name for d in builtin.datasets()}
    names = (s.removeprefix(_BUILTIN) for s in _sources(workflow) if s.startswith(_BUILTIN))
    return all(name in known for name in names)


def _detail(workflow: Workflow) -> str:
    return " on ".join(s.removeprefix(_BUILTIN) for s in _sources(workflow)[:2]) + ", offline"
