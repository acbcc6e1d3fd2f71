"""What is wrong with a sweep: its values one by one, then the runs that they make together."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pydantic import ValidationError

from easymodel_nb.errors import FieldChange, Fix, Problem
from easymodel_nb.workflow import sweeps
from easymodel_nb.workflow.document import FinetuneData, Node, Workflow
from easymodel_nb.workflow.labels import label_of, label_within
from easymodel_nb.workflow.sweeps import Variant

Settings = Callable[[Node, FinetuneData], Iterable[Problem]]


def sweep(node: Node, data: FinetuneData) -> list[Problem]:
    """Every value of a sweep that cannot be, each on its field; then whether there are too many."""
    found = list(_fields(node, data))
    runs = sweeps.count(data.sweep)
    if not found and runs > sweeps.MOST:
        lists = " x ".join(str(len(values)) for values in data.sweep.values())
        made = f"{lists} = {runs:,}" if len(data.sweep) > 1 else f"{runs:,}"
        found.append(
            _problem(
                node,
                "sweep.many",
                f"This sweep makes {made} runs; at most {sweeps.MOST} can be queued from one node. "
                "Leave out some values.",
                next(iter(data.sweep)),
            )
        )
    return found


def _fields(node: Node, data: FinetuneData) -> Iterator[Problem]:
    plain = {name: getattr(data, name) for name in sweeps.SWEPT}
    for field, values in data.sweep.items():
        without = {name: kept for name, kept in data.sweep.items() if name != field}
        if field not in FinetuneData.model_fields:
            yield _problem(
                node,
                "sweep.field",
                f"The sweep names {field!r}, which is no field of a Finetuning node.",
                "sweep",
                without,
                f"Leave out {field}",
            )
        elif field in sweeps.NOT_SWEPT:
            yield _problem(
                node,
                "sweep.field",
                f"{label_of(field)} cannot be swept: it is one for all runs of a node. Duplicate "
                "the node instead.",
                field,
                without,
                f"Leave out {label_within(field)}",
            )
        else:
            yield from _values(node, plain, data.sweep, field, values)


def _values(
    node: Node,
    plain: dict[str, Any],
    sweep: dict[str, list[Any]],
    field: str,
    values: list[Any],
) -> Iterator[Problem]:
    wrong = [value for value in values if not _fits(plain, field, value)]
    twice = [value for place, value in enumerate(values) if value in values[:place]]
    if wrong:
        what = f"cannot be {wrong[0]!r}"
    elif twice:
        what = f"has {twice[0]!r} twice: both runs would be the same"
    elif not values:
        what = "has no values to try"
    else:
        return
    right = [v for n, v in enumerate(values) if v not in wrong and v not in values[:n]]
    mended = {name: kept for name, kept in {**sweep, field: right}.items() if kept}
    yield _problem(
        node, "sweep.value", f"In the sweep, {label_within(field)} {what}.", field, mended,
        "Leave it out",
    )  # fmt: skip


def _fits(plain: dict[str, Any], field: str, value: Any) -> bool:
    try:
        read = FinetuneData.model_validate(plain | {field: value})
    except ValidationError:
        return False
    return isinstance(getattr(read, field), bool) or not isinstance(value, bool)


def _problem(
    node: Node, code: str, message: str, field: str, sweep: Any = None, label: str = ""
) -> Problem:
    change = FieldChange(node=node.id, field="sweep", value=sweep)
    fix = Fix(label=label, set=[change]) if label else None
    return Problem(code=code, message=message, node=node.id, field=field, fix=fix)


# ---------------------------------------------------------------- the runs it makes


def meant(node: Node, field: str, value: object) -> Fix | None:
    """Of a text with numbers between commas, such as "8,16": a run of each."""
    if not isinstance(value, str) or field not in sweeps.SWEPT:
        return None
    try:
        numbers = [json.loads(part) for part in re.split(r"\s*[,;]\s*", value.strip(" ,;"))]
    except ValueError:
        return None
    if len(numbers) < 2 or not all(type(n) in {int, float} for n in numbers):  # noqa: PLR2004
        return None
    changes = {field: FinetuneData.model_fields[field].default}
    changes["sweep"] = {**sweeps.listed(node), field: numbers}
    return Fix(
        label=f"Train {len(numbers)} runs, one with each",
        set=[FieldChange(node=node.id, field=name, value=v) for name, v in changes.items()],
    )


def of_variants(node: Node, settings: Settings) -> list[Problem]:
    """What `settings` finds in each run of a sweep, said once, with the runs it is about."""
    runs = sweeps.variants(node)
    found: dict[tuple[str, str | None], tuple[Problem, list[Variant]]] = {}
    for run in runs:
        for problem in settings(run.node, FinetuneData.model_validate(run.node.data)):
            key = problem.code, problem.field
            found.setdefault(key, (problem, []))[1].append(run)
    return [
        _said(node, problem, about, runs)
        for problem, about in found.values()
        if problem.severity != "note" or len(about) == len(runs)  # of some runs it is no news
    ]


def _said(node: Node, problem: Problem, about: list[Variant], runs: list[Variant]) -> Problem:
    message = problem.message.replace(about[0].node.title, node.title)
    if len(about) < len(runs):
        more = f" and {len(about) - 1} more" if len(about) > 1 else ""
        message = f"With {about[0].name}{more}: {message}"
    return problem.model_copy(update={"message": message, "fix": _mended(node, problem, about)})


def _mended(node: Node, problem: Problem, about: list[Variant]) -> Fix | None:
    """A fix of a swept field leaves values out, for its plain value is not what is trained."""
    sweep, field = sweeps.listed(node), problem.field or ""
    if field in sweep:
        wrong = [run.values[field] for run in about]
        right = [value for value in sweep[field] if value not in wrong]
        if right:
            change = FieldChange(node=node.id, field="sweep", value={**sweep, field: right})
            return Fix(label="Leave it out", set=[change])
    changed = {c.field for c in (problem.fix.set or [])} if problem.fix else set()
    return None if changed & sweep.keys() else problem.fix


def continued(workflow: Workflow, node: Node) -> Iterator[Problem]:
    """A node that is to go on from a sweep, which ends with more than one model."""
    for edge in workflow.into(node.id, "model"):
        source = workflow.node(edge.source)
        if source is None or source.type != "finetune":
            continue
        runs = sweeps.count(sweeps.listed(source))
        if runs > 1:
            change = FieldChange(node=source.id, field="sweep", value={})
            yield Problem(
                code="input.sweep",
                message=f"{source.title} is a sweep of {runs} runs, and only one model can be "
                "continued. Lay the sweep out as nodes and connect one of them, or clear it.",
                node=node.id,
                field="model",
                fix=Fix(label="Clear the sweep", set=[change]),
            )
