"""Every structural problem in a workflow, without reading data or model."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from easymodel_nb import environment
from easymodel_nb.errors import FieldChange, Fix, Problem, StudioError
from easymodel_nb.redaction import HELD, MASK, whole
from easymodel_nb.workflow import check_sweep, ports
from easymodel_nb.workflow.check_methods import method_problems
from easymodel_nb.workflow.check_roles import roles
from easymodel_nb.workflow.check_training import training
from easymodel_nb.workflow.document import DATA_MODELS, FinetuneData, Node, Task, Workflow
from easymodel_nb.workflow.labels import label_of, label_within
from easymodel_nb.workflow.placeholders import to_choose

__all__ = [
    "AVAILABLE_METHODS",
    "AVAILABLE_TASKS",
    "ancestors",
    "check",
    "label_of",
    "stopped",
    "training_order",
]

# Widened as the trainer learns more; what is refused here is refused before any run exists.
AVAILABLE_TASKS: tuple[str, ...] = (
    "generation",
    "classification",
    "seq2seq",
    "token_classification",
)
AVAILABLE_METHODS: tuple[str, ...] = ("full", "lora", "qlora")


def check(workflow: Workflow, node: str | None = None) -> list[Problem]:
    """Name every structural problem; for one finetune node, only those that stop it."""
    found = list(_whole(workflow))
    if node is None:
        return found
    named = workflow.node(node)
    if named is None:
        return [
            *found,
            Problem(code="node.missing", message=f"There is no node {node!r} in this workflow."),
        ]
    if named.type != "finetune":
        return [
            *found,
            Problem(
                code="node.kind",
                message=f"The node {node!r} ({named.title}) cannot be trained: name a Finetuning "
                "node.",
                node=node,
            ),
        ]
    concerned = ancestors(workflow, node) | {node}
    return [p for p in found if p.node is None or p.node in concerned]


def stopped(workflow: Workflow) -> set[str]:
    """The finetune nodes that an error keeps from training: what `check` says of each, at once."""
    errors = [p.node for p in _whole(workflow) if p.severity == "error"]
    into = _sources(workflow)
    nodes = [node.id for node in workflow.of_type("finetune")]
    return {n for n in nodes if None in errors or not (_before(into, n) | {n}).isdisjoint(errors)}


def _whole(workflow: Workflow) -> Iterator[Problem]:
    yield from _ids(workflow)
    if not workflow.of_type("finetune"):
        yield Problem(
            code="workflow.no_finetune",
            message="Nothing to train yet: add a Finetuning node and connect a model and a "
            "dataset to it.",
        )
    for node in workflow.nodes:
        yield from _data(workflow, node)
    yield from _edges(workflow)
    yield from _inputs(workflow)
    yield from _cycles(workflow)


def _ids(workflow: Workflow) -> Iterator[Problem]:
    for kind, ids in (
        ("node", [node.id for node in workflow.nodes]),
        ("edge", [edge.id for edge in workflow.edges]),
    ):
        for name, count in Counter(ids).items():
            if count > 1:
                yield Problem(
                    code=f"{kind}.duplicate",
                    message=f"{count} {kind}s share the id {name!r}; each needs its own.",
                    node=name if kind == "node" else None,
                )


def _secret(node: Node, source: str) -> Problem:
    without = source.replace(f"{MASK}@", "")
    taken = FieldChange(node=node.id, field="source", value=without)
    if HELD in source:
        return Problem(
            code="source.secret",
            message=f"What signs in at the address of {node.title} is kept in the memory of one "
            "kernel alone, and this one has not got it. Paste the whole address again.",
            node=node.id,
            field="source",
        )
    return Problem(
        code="source.secret",
        message=f"The source of {node.title} held a token or a password, which is not kept in a "
        "project. Take it out; where a Hub token is needed, give it on the token line of "
        "Finetuning.",
        node=node.id,
        field="source",
        fix=None if MASK in without else Fix(label="Take it out", set=[taken]),
    )


def _data(workflow: Workflow, node: Node) -> Iterator[Problem]:
    model = DATA_MODELS.get(node.type)
    if model is None:
        return
    try:
        data = model.model_validate(node.data)
    except ValidationError as error:
        seen: set[str] = set()
        for detail in error.errors():
            field = str(detail["loc"][0])
            if field == "format" and len(detail["loc"]) > 1:
                field = ".".join(map(str, detail["loc"]))
            if field not in seen:
                seen.add(field)
                yield _invalid(node, model, field, detail)
        return
    if node.type in {"model", "dataset"} and not str(getattr(data, "source", "")).strip():
        yield Problem(
            code="source.empty",
            message=f"{node.title} has no source yet: choose one, or type a Hub id or a path.",
            node=node.id,
            field="source",
        )
    source = str(getattr(data, "source", ""))
    if MASK in source or HELD in whole(source):
        yield _secret(node, source)
    name = to_choose(source)
    if node.type in {"model", "dataset"} and name is not None:
        yield Problem(
            code="source.choose",
            message=f"{node.title} was {name} on the machine this project comes from: choose it "
            "again here.",
            node=node.id,
            field="source",
        )
    if isinstance(data, FinetuneData):
        yield from check_sweep.continued(workflow, node)
        yield from _finetune(workflow, node, data)


def _finetune(workflow: Workflow, node: Node, data: FinetuneData) -> Iterator[Problem]:
    def settings(of: Node, values: FinetuneData) -> Iterator[Problem]:
        yield from _available(of, values)
        if values.method != "full":
            lacking = method_problems(values, environment.device())
            yield from StudioError(lacking).at(of.id).problems
        yield from roles(of, values)
        yield from training(workflow, of, values)

    if not data.sweep:
        yield from settings(node, data)
    elif wrong := check_sweep.sweep(node, data):
        yield from wrong
    else:
        yield from check_sweep.of_variants(node, settings)


def _available(node: Node, data: FinetuneData) -> Iterator[Problem]:
    for field, value, available in (
        ("task", data.task, AVAILABLE_TASKS),
        ("method", data.method, AVAILABLE_METHODS),
    ):
        if value not in available:
            yield Problem(
                code=f"{field}.unavailable",
                message=f"This version cannot train with {field} {value!r} yet; "
                f"choose {' or '.join(available)}.",
                node=node.id,
                field=field,
                fix=_set(node, field, available[0]),
            )


def _set(node: Node, field: str, value: Any) -> Fix:
    return Fix(
        label=f"Set {label_within(field)} to {value}",
        set=[FieldChange(node=node.id, field=field, value=value)],
    )


def _invalid(node: Node, model: type[BaseModel], field: str, detail: Any) -> Problem:
    name, value, context = label_of(field), detail["input"], detail.get("ctx", {})
    kind: str = detail["type"]
    if field == "task":
        names = ", ".join(get_args(Task))
        code, message = "task.unknown", f"There is no task {value!r}; the tasks are {names}."
    elif kind == "literal_error":
        code, message = "field.choice", f"{name} cannot be {value!r}; use {context['expected']}."
    elif isinstance(value, float) and math.isnan(value):
        code, message = "field.range", f"{name} must be a number, not {value!r}."
    elif kind in {"greater_than_equal", "greater_than", "less_than_equal", "less_than"}:
        bound = next(context[key] for key in ("ge", "gt", "le", "lt") if key in context)
        words = {
            "greater_than_equal": "at least",
            "greater_than": "more than",
            "less_than_equal": "at most",
            "less_than": "less than",
        }[kind]
        limit = f"{bound:,}" if isinstance(bound, int) else f"{bound:g}"
        code, message = "field.range", f"{name} must be {words} {limit}, not {value!r}."
    elif kind.startswith(("int", "float")):
        whole = "a whole number" if kind.startswith("int") else "a number"
        code, message = "field.type", f"{name} must be {whole}, not {value!r}."
    else:
        code, message = "field.type", f"{name} cannot be {value!r}: {detail['msg']}."
    if model is FinetuneData and kind.startswith(("int", "float")):
        meant = check_sweep.meant(node, field, value)
        if meant is not None:
            return Problem(code=code, message=message, node=node.id, field=field, fix=meant)
    info = model.model_fields.get(field)
    default = info.default if info is not None and not info.is_required() else None
    simple = isinstance(default, (int, float, str)) and not isinstance(default, bool)
    fix = _set(node, field, default) if simple and default != "" else None
    return Problem(code=code, message=message, node=node.id, field=field, fix=fix)


def _edges(workflow: Workflow) -> Iterator[Problem]:
    nodes = {node.id: node for node in reversed(workflow.nodes)}  # the first of an id
    for edge in workflow.edges:
        source, target = nodes.get(edge.source), nodes.get(edge.target)
        if source is None or target is None:
            lost = edge.source if source is None else edge.target
            yield Problem(
                code="edge.dangling",
                message=f"A connection leads to the node {lost!r}, which is not there. Remove it.",
                node=(target or source or Node(id="", type="")).id or None,
            )
            continue
        known = source.type in ports.kinds() and target.type in ports.kinds()
        if known and not ports.fits(
            source.type, edge.sourceHandle or "", target.type, edge.targetHandle or ""
        ):
            yield Problem(
                code="edge.type",
                message=f"{source.title} ({edge.sourceHandle}) cannot feed {target.title} "
                f"({edge.targetHandle}). Remove this connection.",
                node=target.id,
                field=edge.targetHandle,
            )


def _inputs(workflow: Workflow) -> Iterator[Problem]:
    counts = Counter((edge.target, edge.targetHandle) for edge in workflow.edges)
    for node in workflow.nodes:
        kind = ports.kinds().get(node.type)
        if kind is None:
            continue
        for handle, port in kind.inputs.items():
            count = counts[node.id, handle]
            if port.required and count == 0:
                yield Problem(
                    code="input.missing",
                    message=f"{node.title} has no {handle}: connect a {handle.capitalize()} node "
                    "to it.",
                    node=node.id,
                    field=handle,
                )
            if port.max is not None and count > port.max:
                yield Problem(
                    code="input.many",
                    message=f"{node.title} has {count} {handle} connections and can use one. "
                    "Remove the others.",
                    node=node.id,
                    field=handle,
                )


def ancestors(workflow: Workflow, node_id: str) -> set[str]:
    """Every node from which this one can be reached."""
    return _before(_sources(workflow), node_id)


def _sources(workflow: Workflow) -> dict[str, list[str]]:
    """What leads into each node: made once where it is asked of many nodes."""
    into: dict[str, list[str]] = defaultdict(list)
    for edge in workflow.edges:
        into[edge.target].append(edge.source)
    return into


def _before(into: dict[str, list[str]], node_id: str) -> set[str]:
    found: set[str] = set()
    frontier = [node_id]
    while frontier:
        new = set(into.get(frontier.pop(), ())) - found
        found |= new
        frontier += new
    return found


def _cycles(workflow: Workflow) -> Iterator[Problem]:
    into = _sources(workflow)
    for node in workflow.of_type("finetune"):
        if node.id in _before(into, node.id):
            yield Problem(
                code="workflow.cycle",
                message=f"{node.title} would train on its own result. Remove one connection of "
                "the circle.",
                node=node.id,
                field="model",
            )


def training_order(workflow: Workflow) -> list[str]:
    """The finetune nodes so that each comes after those whose result it starts from."""
    order: list[str] = []
    waiting = [node.id for node in workflow.of_type("finetune")]
    while waiting:
        ready = [n for n in waiting if not (ancestors(workflow, n) & set(waiting) - {n})]
        if not ready:  # a circle, which check() names
            return order + waiting
        order += ready
        waiting = [n for n in waiting if n not in ready]
    return order
