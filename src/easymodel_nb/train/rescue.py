"""Out of memory in a run: what to try next, and what to say when nothing is left to try.

Each step learns the same rows as before, in smaller parts, so that learning rate, schedule and
number of steps stay what they were. Only then are activations computed twice to save memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from easymodel_nb.errors import FieldChange, Fix, Problem, StudioError
from easymodel_nb.train.plan import Choice, RunPlan

TOGETHER = "memory.together"  # a problem: it ran out in a step that several processes take
_SHORTEST = 64  # tokens; a shorter max length than this is no advice


@dataclass(frozen=True)
class Smaller:
    """A plan that needs less memory, and what to say of it."""

    plan: RunPlan
    problem: Problem


def smaller(plan: RunPlan, step: int, *, resumed: bool = False) -> Smaller:
    """The next smaller plan after memory ran out at `step`; a batch keeps a row for each process.

    `resumed`: the run ends here, and goes on by it when it is resumed.

    Raises
    ------
    StudioError
        When there is none: what would fit, with a fix.

    """
    data = plan.finetune
    how = "Resume the run: it goes on" if resumed else "The run goes on"
    # Half the batch; for odd numbers the nearest below that divides the rows of a step.
    rows = data.batch_size * data.gradient_accumulation
    fewer = range(data.batch_size // 2, plan.processes - 1, -1)
    batch = next((count for count in fewer if rows % count == 0), None)
    if batch is not None:
        return _halved(plan, step, batch, how)
    if not data.gradient_checkpointing:
        return _recomputing(plan, step, how)
    raise StudioError(nothing_fits(plan, f"with {_least(plan)} and gradient checkpointing"))


def _least(plan: RunPlan) -> str:
    batch = plan.finetune.batch_size
    return "one row at a time" if batch == 1 else f"batches of {batch}"


def _halved(plan: RunPlan, step: int, batch: int, how: str) -> Smaller:
    data = plan.finetune
    rows = data.batch_size * data.gradient_accumulation
    accumulation = rows // batch
    why = f"a batch of {data.batch_size} did not fit into memory"
    said = (
        f"Out of memory at step {step + 1:,} with batches of {data.batch_size}. {how} "
        f"with batches of {batch} and {accumulation} of them a step: {rows} rows a step as before."
    )
    return _changed(
        plan, {"batch_size": batch, "gradient_accumulation": accumulation}, why, said, "batch_size"
    )


def _recomputing(plan: RunPlan, step: int, how: str) -> Smaller:
    why = f"{_least(plan)} did not fit into memory without it"
    said = (
        f"Out of memory at step {step + 1:,} with {_least(plan)}. {how} with gradient "
        "checkpointing, which needs less memory and about a third more time."
    )
    changes = {"gradient_checkpointing": True}
    return _changed(plan, changes, why, said, "gradient_checkpointing")


def _changed(
    plan: RunPlan, changes: Mapping[str, int | bool], why: str, said: str, field: str
) -> Smaller:
    chosen = [Choice(field=name, value=value, reason=why) for name, value in changes.items()]
    made = plan.model_copy(
        update={
            "finetune": plan.finetune.model_copy(update=changes),
            "choices": [*(c for c in plan.choices if c.field not in changes), *chosen],
            "drawn_together": plan.drawn_together or plan.finetune.batch_size,
        }
    )
    problem = Problem(
        code="memory.smaller", severity="note", message=said, node=plan.node_id, field=field
    )
    return Smaller(made, problem)


def nothing_fits(plan: RunPlan, tried: str, *, trained: bool = True) -> Problem:
    """What would fit where the least that can be tried does not; `trained`: it was a step."""
    shorter = plan.finetune.max_length // 2
    ways: list[str] = []
    fixes: list[tuple[str, str, str | int]] = []
    if trained and plan.method == "full":
        ways.append("train with LoRA, which needs about a quarter of the memory for the weights")
        fixes.append(("Train with LoRA", "method", "lora"))
    if shorter >= _SHORTEST:
        ways.append(f"set max length to {shorter}")
        fixes.append((f"Set max length to {shorter}", "max_length", shorter))
    ways += ["choose a smaller model", "use a device with more memory"]
    fix = None
    if fixes:
        label, field, value = fixes[0]
        change = FieldChange(node=plan.node_id, field=field, value=value)
        fix = Fix(label=label, set=[change])
    return Problem(
        code="memory.out",
        message=f"Out of memory, even {tried}. What would fit: {', or '.join(ways)}.",
        node=plan.node_id,
        field=fixes[0][1] if fixes else "batch_size",
        fix=fix,
    )
