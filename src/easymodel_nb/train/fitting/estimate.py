"""How long a run takes, from what was measured: steps by their tokens, and measuring."""

import math
from dataclasses import dataclass

from easymodel_nb.train import planning
from easymodel_nb.train.analytics.allowance import FLOOR_SECONDS
from easymodel_nb.train.batches import orders
from easymodel_nb.train.batches.layout import batches
from easymodel_nb.train.batches.orders import Sizes, Sizing
from easymodel_nb.train.fitting.measurement import Measurement
from easymodel_nb.train.plan import BatchPlan
from easymodel_nb.train.preparation import Preparation

_SAME = 1.1  # batches whose sizes differ by less say nothing of how time grows with size
_ANSWERS = 16  # written at a time


@dataclass(frozen=True)
class Estimate:
    """Seconds of the parts of a run."""

    epoch: float  # one epoch of steps
    step: float  # the mean step
    point: float  # measuring once, answers apart
    answers: float  # writing the answers of a whole epoch
    samples: float  # answering the prompts that are kept in any case once
    save: float  # writing the model
    checkpoint: float
    prompts: float = 0.0  # answering every prompt once, beside what is written in any case
    share: float = 0.0  # of the run that analytics may take


def analytics(parts: Estimate, epochs: int, seconds: float, *, limit: float | None = None) -> float:
    """Of a run's seconds, those of its analytics: base, every epoch, and the noise floor at most.

    `limit`: seconds of a time budget, which the allowance is a share of.
    """
    if parts.share == 0:
        return 0.0
    allowed = max(parts.share * seconds, FLOOR_SECONDS)
    if limit is not None:
        allowed = min(allowed, parts.share * limit)
    return min(allowed, (epochs + 2) * parts.prompts)


def batch_seconds(found: Measurement, tokens: float) -> float:
    """Of a batch of so many padded tokens.

    A line through the two batches that were measured; where it would cut the axis below zero,
    or the two are alike, seconds are taken to grow in proportion to tokens.
    """
    per_token = found.batch_seconds / max(1, found.batch_tokens)
    if found.batch_tokens > _SAME * found.typical_tokens:
        slope = (found.batch_seconds - found.typical_seconds) / (
            found.batch_tokens - found.typical_tokens
        )
        start = found.batch_seconds - slope * found.batch_tokens
        if slope > 0 and start > 0:
            return start + slope * tokens
    return per_token * tokens


def computed_tokens(plan: BatchPlan, sizes: Sizes, batch_size: int, seed: int) -> list[int]:
    """Tokens of each batch of the first epoch, with its padding, in its real order."""
    drawn = list(batches(plan, sizes, Sizing.of(batch_size, 1), seed))
    if plan.layout == "flat":
        return [int(sizes[rows].sum()) for rows in drawn]
    return orders.padded_tokens(sizes, drawn)


def estimate(found: Measurement, ready: Preparation) -> Estimate:
    """The parts of the run that was prepared, with the setting that was measured."""
    data, prepared = ready.chooser.data, ready.prepared
    size, accumulation = found.setting.batch_size, found.setting.gradient_accumulation
    sizes = ready.task.sizes(prepared.train)
    tokens = computed_tokens(found.batches, sizes, size, data.seed)
    steps = math.ceil(len(tokens) / accumulation)
    epoch = sum(batch_seconds(found, t) for t in tokens) + steps * found.optimizer_seconds
    a_token = (found.token_seconds or 0.0) * (prepared.max_new_tokens or 0)
    return Estimate(
        epoch=epoch,
        step=epoch / max(1, steps),
        point=prepared.texts * found.forward_seconds / max(1, found.typical_rows),
        answers=math.ceil(prepared.written / _ANSWERS) * a_token,
        samples=min(1, prepared.prompts) * a_token,
        save=found.load_seconds,  # as many bytes go the other way
        checkpoint=3 * found.load_seconds,  # the optimizer keeps two numbers a weight
        prompts=0.0 if prepared.written else math.ceil(prepared.prompts / _ANSWERS) * a_token,
        share=data.analytics_budget if ready.task.writes else 0.0,
    )


def whole_run(parts: Estimate, epochs: int, steps_per_epoch: int) -> float:
    """Seconds of all epochs with their measuring points, both ends and the saved model."""
    points = 1 + len(planning.measured_steps(epochs, steps_per_epoch))
    without = (
        epochs * (parts.epoch + parts.answers + parts.checkpoint)
        + points * parts.point
        + parts.answers
        + 2 * parts.samples
        + parts.save
    )
    return without + analytics(parts, epochs, without)
