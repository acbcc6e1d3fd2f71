"""Projects that train as they are, two a task: on what comes with the package, and from the Hub."""

from easymodel_nb import builtin
from easymodel_nb.store.templates import HUB_TEMPLATES, TEMPLATES
from easymodel_nb.widgets.state import TemplateOption
from easymodel_nb.workflow.check import AVAILABLE_TASKS
from easymodel_nb.workflow.document import Workflow
from easymodel_nb.workflow.labels import TASK_TITLES

_BUILTIN = "builtin:"
_HUB = "hub-"


def workflow_of(name: str) -> Workflow | None:
    """The workflow of a template; "first" is the first project, which is one of them."""
    makers, task = (
        (HUB_TEMPLATES, name.removeprefix(_HUB)) if _from_hub(name) else (TEMPLATES, name)
    )
    maker = makers.get("generation" if task == "first" else task)
    return maker() if maker else None


def title_of(name: str) -> str:
    """What a project made from it is called."""
    if name == "first":
        return "First model"
    task = name.removeprefix(_HUB)
    return f"{TASK_TITLES.get(task, task)} {'from the Hub' if _from_hub(name) else 'example'}"


def options() -> list[TemplateOption]:
    """The templates that this version can train, generation first; those of the Hub last."""
    known = {m.name for m in builtin.models()} | {d.name for d in builtin.datasets()}
    offline = [
        TemplateOption(name=task, title=title, detail=_detail(workflow) + ", offline")
        for task, title in TASK_TITLES.items()
        if task in AVAILABLE_TASKS
        and (workflow := workflow_of(task)) is not None
        and _is_here(workflow, known)
    ]
    hub = [
        TemplateOption(name=_HUB + task, title=title, detail=_detail(workflow), hub=True)
        for task, title in TASK_TITLES.items()
        if task in AVAILABLE_TASKS and (workflow := workflow_of(_HUB + task)) is not None
    ]
    return [*offline, *hub]


def _from_hub(name: str) -> bool:
    return name.startswith(_HUB)


def _sources(workflow: Workflow) -> list[str]:
    found = (*workflow.of_type("model"), *workflow.of_type("dataset"))
    return [str(node.data.get("source", "")) for node in found]


def _is_here(workflow: Workflow, known: set[str]) -> bool:
    names = (s.removeprefix(_BUILTIN) for s in _sources(workflow) if s.startswith(_BUILTIN))
    return all(name in known for name in names)


def _detail(workflow: Workflow) -> str:
    return " on ".join(s.removeprefix(_BUILTIN).split("/")[-1] for s in _sources(workflow)[:2])
