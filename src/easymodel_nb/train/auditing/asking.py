"""What a run, an audit or a fit check is asked: a finetune node with its model and its data."""

import json
import math
from collections.abc import Iterable
from typing import Any

from easymodel_nb.errors import Problem
from easymodel_nb.workflow import sweeps
from easymodel_nb.workflow.document import FinetuneData, Node, Workflow
from easymodel_nb.workflow.sweeps import Variant

_MOST = 8  # audits of one sweep
_METHODS = {"full": 2, "lora": 1, "qlora": 0}
# What these hold changes neither rows nor tokens nor memory.
_SAME_FIGURES = frozenset(
    {
        *("learning_rate", "scheduler", "warmup_ratio", "weight_decay", "seed", "lora_alpha"),
        *("lora_dropout", "early_stopping", "time_budget_minutes", "analytics_budget"),
    }
)


def source_of(workflow: Workflow, name: str, handle: str) -> Node:
    """The node that feeds an input; `check` has seen that there is one."""
    node = workflow.node(workflow.into(name, handle)[0].source)
    assert node is not None  # noqa: S101  check() has seen both ends of every edge
    return node


def root_model(workflow: Workflow, name: str) -> Node:
    """The model node at the root of a chain of finetune nodes.

    What needs no weights takes its config and tokenizer from there: a run changes neither.
    """
    node = source_of(workflow, name, "model")
    return node if node.type != "finetune" else root_model(workflow, node.id)


def audit_requests(workflow: Workflow, name: str) -> list[tuple[str, dict[str, Any]]]:
    """What is audited of a finetune node that `check` finds no error in, from its root model.

    One request, named ""; of a sweep those of its runs whose figures may differ, by name, the one
    that takes the most memory first. Of very many these are the first and the last of that order.
    """
    node = workflow.node(name)
    assert node is not None  # noqa: S101  check() has seen it
    runs = _weighed(sweeps.variants(node))
    if len(runs) > _MOST:
        runs = [*runs[: _MOST // 2], *runs[-_MOST // 2 :]]
    shared = {
        "name": workflow.name,
        "model": root_model(workflow, name).model_dump(mode="json"),
        "dataset": source_of(workflow, name, "dataset").model_dump(mode="json"),
    }
    names = [run.name if len(runs) > 1 else "" for run in runs]
    return [
        (named, {**shared, "node": run.node.model_dump(mode="json")})
        for named, run in zip(names, runs, strict=True)
    ]


def audit_request(workflow: Workflow, name: str) -> dict[str, Any]:
    """The first of them: of a sweep the run that takes the most memory."""
    return audit_requests(workflow, name)[0][1]


def _weighed(runs: list[Variant]) -> list[Variant]:
    """One run for each set of values that changes a figure of the audit, the heaviest first."""
    distinct: dict[str, Variant] = {}
    for run in sorted(runs, key=lambda run: _load(run.node.data), reverse=True):
        told = {field: value for field, value in run.values.items() if field not in _SAME_FIGURES}
        distinct.setdefault(json.dumps(told, sort_keys=True, default=str), run)
    return list(distinct.values())


def _load(drawn: dict[str, Any]) -> tuple[float, ...]:
    data = FinetuneData.model_validate(drawn)
    return (
        _METHODS[data.method],
        data.batch_size * data.max_length,
        data.max_length,
        data.gradient_checkpointing is not True,
        data.lora_rank,
        math.inf if data.subset_size is None else data.subset_size,
        data.epochs,
    )


def for_variant(problem: Problem, name: str, swept: Iterable[str]) -> Problem:
    """A problem of one run of a sweep: named, and without a fix of what the sweep decides."""
    changed = {change.field for change in problem.fix.set or []} if problem.fix else set()
    fix = None if changed & set(swept) else problem.fix
    return problem.model_copy(update={"message": f"With {name}: {problem.message}", "fix": fix})
