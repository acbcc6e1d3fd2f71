"""Settings of one finetune node that cannot go together, told from the document alone."""

import math
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from easymodel_nb import environment
from easymodel_nb.errors import FieldChange, Fix, Problem, Severity
from easymodel_nb.workflow.document import DatasetData, FinetuneData, Node, Workflow
from easymodel_nb.workflow.labels import label_of

_LORA = ("lora_rank", "lora_alpha", "lora_dropout", "target_modules")
# Rates at which a transformer of any size is known to learn, with a wide margin: the largest
# usual rate is 1e-2 (adapters on small models), the smallest 1e-6.
_RATES = {"full": (1e-8, 0.1), "lora": (1e-7, 1.0), "qlora": (1e-7, 1.0)}
_LONG_WARMUP = 0.5
NOT_HERE = "processes.machine"  # what the machine lacks may be somewhere else


def training(workflow: Workflow, node: Node, data: FinetuneData) -> Iterator[Problem]:
    """Every combination of one finetune node that cannot be trained, or not as it was meant."""
    yield from _early_stopping(workflow, node, data)
    yield from _accumulation(node, data)
    yield from _rate(node, data)
    yield from _warmup(node, data)
    yield from _budget(node, data)
    yield from _processes(node, data)
    yield from _unused(node, data)


def _problem(  # noqa: PLR0913  the parts of a problem
    node: Node,
    code: str,
    severity: Severity,
    message: str,
    field: str,
    value: Any = None,
    *,
    label: str = "",
    on: Node | None = None,
    changed: str = "",
) -> Problem:
    """A problem; where there is a value for the field (or for `changed`), one click sets it."""
    fix = None
    if label:
        change = FieldChange(node=(on or node).id, field=changed or field, value=value)
        fix = Fix(label=label, set=[change])
    return Problem(
        code=code, severity=severity, message=message, node=node.id, field=field, fix=fix
    )


def _early_stopping(workflow: Workflow, node: Node, data: FinetuneData) -> Iterator[Problem]:
    if data.early_stopping is None:
        return
    for edge in workflow.into(node.id, "dataset"):
        dataset = workflow.node(edge.source)
        if dataset is not None and _without_validation(dataset):
            yield _problem(
                node,
                "early_stopping.validation",
                "error",
                "Early stopping needs validation rows: without them nothing says which epoch is "
                "the best. Hold out a part of the rows, or clear early stopping.",
                "early_stopping",
                0.1,
                label="Hold out 10 % of the rows",
                on=dataset,
                changed="eval_fraction",
            )
    if data.early_stopping >= data.epochs:
        yield _problem(
            node,
            "early_stopping.never",
            "note",
            f"With {_times(data.epochs, 'epoch')} a patience of {data.early_stopping} never ends "
            "the run early; the best epoch is kept all the same.",
            "early_stopping",
        )


def _without_validation(dataset: Node) -> bool:
    """Whether the document rules out every held-out row."""
    if dataset.data.get("eval_split") not in {None, ""}:
        return False
    try:
        DatasetData.model_validate(dataset.data)
    except ValidationError:
        fraction = dataset.data.get("eval_fraction", 0.1)
        return isinstance(fraction, int | float) and not fraction > 0
    return False


def _accumulation(node: Node, data: FinetuneData) -> Iterator[Problem]:
    rows, steps = data.subset_size, data.gradient_accumulation
    if rows is None or steps <= rows:
        return
    batches = max(1, math.ceil(rows / data.batch_size))
    yield _problem(
        node,
        "accumulation.rows",
        "error",
        f"Gradients of {steps:,} batches cannot be added up: there are only {rows:,} rows, which "
        f"are {_times(batches, 'batch', 'batches')} of {data.batch_size}.",
        "gradient_accumulation",
        batches,
        label=f"Set gradient accumulation to {batches}",
    )


def _rate(node: Node, data: FinetuneData) -> Iterator[Problem]:
    rate = data.learning_rate
    low, high = _RATES[data.method]
    if rate is None or low <= rate <= high:
        return
    how = "far higher" if rate > high else "far lower"
    then = "the model usually falls apart" if rate > high else "next to nothing is learned"
    yield _problem(
        node,
        "learning_rate.unusual",
        "ask",
        f"A learning rate of {rate:g} is {how} than what models are trained with; at such a rate "
        f"{then}. Leave the field empty to have a usual one chosen.",
        "learning_rate",
        None,
        label="Choose a usual one",
    )


def _warmup(node: Node, data: FinetuneData) -> Iterator[Problem]:
    default: float = FinetuneData.model_fields["warmup_ratio"].default
    if data.scheduler == "constant":
        if data.warmup_ratio not in {default, 0.0}:
            yield _problem(
                node,
                "warmup.unused",
                "note",
                "Warmup ratio has no effect: the scheduler 'constant' has no warm-up.",
                "warmup_ratio",
                "constant_with_warmup",
                label="Use constant with warm-up",
                changed="scheduler",
            )
        return
    if data.warmup_ratio > _LONG_WARMUP:
        share = f"{data.warmup_ratio:.0%}".replace("%", " %")
        yield _problem(
            node,
            "warmup.long",
            "ask",
            f"The warm-up takes {share} of the run: the learning rate is reached late or never. "
            f"Usual are {100 * default:.0f} to 10 %.",
            "warmup_ratio",
            default,
            label=f"Set warmup ratio to {default:g}",
        )


def _budget(node: Node, data: FinetuneData) -> Iterator[Problem]:
    if data.time_budget_minutes is not None and not math.isfinite(data.time_budget_minutes):
        yield _problem(
            node,
            "field.range",
            "error",
            "Time budget minutes must be a number of minutes. Clear the field for no limit.",
            "time_budget_minutes",
            None,
            label="Clear the time budget",
        )


def _processes(node: Node, data: FinetuneData) -> Iterator[Problem]:
    if data.processes > (here := environment.gpus()):
        has = f"{here} GPUs" if here > 1 else "no second GPU"
        yield _problem(
            node,
            NOT_HERE,
            "error",
            f"The run is to train on {data.processes:,} GPUs, and this machine has {has}. "
            "Fewer give the same result and take longer.",
            "processes",
            here,
            label=f"Use {here}",
        )
    elif data.processes > data.batch_size:
        yield _problem(
            node,
            "processes.rows",
            "error",
            f"The rows of a batch are split over the GPUs: with {_times(data.batch_size, 'row')} "
            f"some of {data.processes:,} would have none. Take larger batches or fewer GPUs.",
            "processes",
            data.batch_size,
            label=f"Use {data.batch_size}",
        )


def _unused(node: Node, data: FinetuneData) -> Iterator[Problem]:
    if data.method != "full":
        return
    for field in _LORA:
        if getattr(data, field) != FinetuneData.model_fields[field].default:
            yield _problem(
                node,
                "method.unused",
                "note",
                f"{label_of(field)} has no effect: all weights are trained. Choose the method "
                "LoRA to train adapters.",
                field,
                "lora",
                label="Use LoRA",
                changed="method",
            )


def _times(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
