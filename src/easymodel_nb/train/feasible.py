"""Settings that do not fit this model and these rows: known once both were looked at.

What the document alone tells is in workflow/check_training.py.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from easymodel_nb.errors import FieldChange, Fix, Problem, Severity
from easymodel_nb.workflow.document import FinetuneData

if TYPE_CHECKING:
    from easymodel_nb.train.planning import Chooser

_FEW = 30  # measured rows below which one epoch beats another by chance


def problems(
    data: FinetuneData, *, positions: int | None, examples: int, eval_rows: int
) -> list[Problem]:
    """What of the node as it was drawn cannot be, or not as it was meant; on no node yet.

    `examples` are the training examples of an epoch, `positions` what the model can read.
    """
    return [
        *_length(data, positions),
        *_accumulation(data, examples),
        *_early_stopping(data, eval_rows),
    ]


def settle(chooser: "Chooser", steps: int) -> None:
    """A run so short that its warm-up would be all of it begins at the full learning rate."""
    data = chooser.data
    if data.warmup_ratio > 0 and math.ceil(data.warmup_ratio * steps) >= steps:
        chooser.set("warmup_ratio", 0.0, f"the run has only {_times(steps, 'step')}")


def _length(data: FinetuneData, positions: int | None) -> Iterator[Problem]:
    """A length that somebody asked for and the model cannot read; the default just gives way."""
    default = FinetuneData.model_fields["max_length"].default
    if positions is None or data.max_length in range(positions + 1) or data.max_length == default:
        return
    yield _problem(
        "max_length.positions",
        "ask",
        f"Max length is {data.max_length:,}, but this model reads at most {positions:,} tokens at "
        f"once. It is trained with {positions:,}; for longer texts choose a model that reads more.",
        "max_length",
        positions,
    )


def _accumulation(data: FinetuneData, examples: int) -> Iterator[Problem]:
    batches = max(1, math.ceil(examples / data.batch_size))
    adds = data.gradient_accumulation
    if adds > max(1, examples):
        yield _problem(
            "accumulation.rows",
            "error",
            f"Gradients of {adds:,} batches cannot be added up: there "
            f"{'is' if examples == 1 else 'are'} only {_times(examples, 'example')} to train on, "
            f"{_times(batches, 'batch', 'batches')} of {data.batch_size}.",
            "gradient_accumulation",
            batches,
        )
    elif adds > batches:
        yield _problem(
            "accumulation.batches",
            "ask",
            f"Gradients of {adds:,} batches are to be added up, but an epoch has only "
            f"{_times(batches, 'batch', 'batches')}: each epoch becomes a single step of "
            f"{_times(examples, 'example')}.",
            "gradient_accumulation",
            batches,
        )
    elif data.batch_size > examples:
        yield _problem(
            "batch_size.rows",
            "note",
            f"A batch of {data.batch_size:,} is more than the {_times(examples, 'example')} there "
            f"{'is' if examples == 1 else 'are'}: each epoch is a single step.",
            "batch_size",
        )


def _early_stopping(data: FinetuneData, eval_rows: int) -> Iterator[Problem]:
    if data.early_stopping is None or eval_rows >= _FEW:
        return
    if eval_rows < 1:
        yield _problem(
            "early_stopping.validation",
            "error",
            "Early stopping needs validation rows: without them nothing says which epoch is the "
            "best. Hold out a part of the rows, or clear early stopping.",
            "early_stopping",
        )
    else:
        yield _problem(
            "early_stopping.few",
            "note",
            f"Early stopping judges by {_times(eval_rows, 'row')}: one epoch beats another by "
            "chance. More validation rows would make it surer.",
            "early_stopping",
        )


def _problem(code: str, severity: Severity, message: str, field: str, value: Any = None) -> Problem:
    fix = None
    if value is not None:
        change = FieldChange(node="", field=field, value=value)
        fix = Fix(label=f"Set {value}", set=[change])
    return Problem(code=code, severity=severity, message=message, field=field, fix=fix)


def _times(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
