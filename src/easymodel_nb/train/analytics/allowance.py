"""How much of a run its analytics may take: how many prompts, and after which epochs.

The decision is made once, before the first step, from what the base model's own measuring cost; it
stands in epoch 0's `details.budget`, and a run that is resumed reads it there.
"""

import math
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

LEAST = 16  # prompts, below which quality is not told (METRICS 5.0)
SIZES = (64, 48, 32)
NOISE_PROMPTS = 32
FLOOR_SECONDS = 30.0  # short runs are measured too
TRAINING = 3.0  # a step takes about three times its forward pass
_NAMED = 6  # epochs; more are counted
_SHORT = f" However short a run is, it may take {FLOOR_SECONDS:.0f} s for this."
RUNAWAY = 2.0  # times the allowance, from which on the rest is skipped


class Costs(BaseModel):
    """Seconds, as they were measured on the base model."""

    model_config = ConfigDict(frozen=True)

    forward: float  # reading one token
    answer: float  # writing the answer to one prompt; 0 where it is written in any case
    judging: float  # scoring one answer
    once: float = 0.0  # what is done once a run, such as scoring the references
    point: float = 0.0  # what each fully measured point takes beside its answers


class Allowance(BaseModel):
    """What is measured; `reason` is set where no answers are scored at all."""

    model_config = ConfigDict(frozen=True)

    prompts: int = 0
    epochs: list[float] = []
    noise_prompts: int = 0
    share: float
    seconds_run: float = 0.0
    seconds_allowed: float = 0.0
    seconds_expected: float = 0.0
    sentence: str = ""
    reason: str | None = None

    def due(self, epoch: float) -> bool:
        """Whether the point of that epoch is fully measured."""
        return self.reason is None and epoch in self.epochs

    def details(self) -> dict[str, Any]:
        """As the log holds it."""
        return self.model_dump(mode="json")


def run_seconds(costs: Costs, *, train_tokens: float, measured_tokens: float, points: int) -> float:
    """The run without its analytics: steps, and the points where loss and perplexity are taken."""
    return costs.forward * (TRAINING * train_tokens + points * measured_tokens)


def decide(
    costs: Costs,
    *,
    share: float,
    seconds: float,
    available: int,
    epochs: Sequence[float],
    limit: float | None = None,
) -> Allowance:
    """The most prompts that base and last epoch allow, then the noise floor, then more epochs.

    `seconds`: the run without analytics; `available`: distinct prompts there are; `epochs`: those
    that can be measured, the last one last; `limit`: seconds of the user's time budget, within
    which there is no floor.
    """
    if share == 0:
        why = "The analytics budget is 0: only perplexity or the task's own metrics are measured."
        return Allowance(share=0.0, reason=why, sentence=why)
    if available == 0:
        why = "The validation rows give no prompt to answer."
        return Allowance(share=share, reason=why, sentence=why)
    allowed = max(share * seconds, FLOOR_SECONDS)
    if limit is not None:
        allowed = min(allowed, share * limit)
    base = Allowance(share=share, seconds_run=round(seconds, 1), seconds_allowed=round(allowed, 1))
    room = allowed - costs.once
    each = costs.answer + costs.judging
    sizes = sorted({min(size, available) for size in (*SIZES, LEAST)}, reverse=True)
    prompts = next((size for size in sizes if 2 * (size * each + costs.point) <= room), 0)
    if not prompts:
        why = _too_little(sizes[-1], costs.once + 2 * (sizes[-1] * each + costs.point), share)
        return base.model_copy(update={"reason": why, "sentence": why})
    noise = min(NOISE_PROMPTS, prompts)
    once = costs.once + 2 * noise * each
    full = prompts * each + costs.point
    if 2 * full + 2 * noise * each > room:
        noise, once = 0, costs.once
    more = len(epochs) if full <= 0 else math.floor((allowed - once) / full) - 1
    chosen = spread(epochs, max(1, min(len(epochs), more)))
    expected = once + (1 + len(chosen)) * full
    return base.model_copy(
        update={
            "prompts": prompts,
            "epochs": chosen,
            "noise_prompts": noise,
            "seconds_expected": round(expected, 1),
            "sentence": _sentence(prompts, chosen, epochs, expected, seconds)
            + (_SHORT if expected > share * seconds else ""),
        }
    )


def spread(epochs: Sequence[float], count: int) -> list[float]:
    """That many of the epochs, evenly, the last one among them."""
    total = len(epochs)
    return [epochs[math.ceil(n * total / count) - 1] for n in range(1, count + 1)]


def _sentence(
    prompts: int,
    chosen: Sequence[float],
    epochs: Sequence[float],
    expected: float,
    seconds: float,
) -> str:
    if len(chosen) == len(epochs) > 2:  # noqa: PLR2004  two are named
        where = "base and after every epoch"
    elif len(chosen) > _NAMED:
        where = f"base and after {len(chosen):,} of {len(epochs):,} epochs"
    else:
        *first, last = ["base", *(f"epoch {epoch:g}" for epoch in chosen)]
        where = f"{', '.join(first)} and {last}"
    share = expected / seconds if seconds > 0 else math.inf
    cost = f"{share:.0%} of the run" if share < 1 else duration(expected)
    return f"{prompts} {_prompts(prompts)} at {where}: about {cost.replace('%', ' %')}."


def _too_little(prompts: int, needed: float, share: float) -> str:
    return (
        f"{prompts} {_prompts(prompts)} would take {duration(needed)}, more than "
        f"{f'{share:.0%}'.replace('%', ' %')} of this run: raise the analytics budget."
    )


def _prompts(count: int) -> str:
    return "prompt" if count == 1 else "prompts"


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 60:  # noqa: PLR2004  a minute
        return f"{max(1, round(seconds))} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"  # noqa: PLR2004
