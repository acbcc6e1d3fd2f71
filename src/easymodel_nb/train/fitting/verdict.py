"""What a measurement means for a node: does it fit, how long does it take, what would help."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from easymodel_nb.errors import FieldChange, Fix, Problem, StudioError
from easymodel_nb.train import budget, planning
from easymodel_nb.train.auditing.audited import Fit
from easymodel_nb.train.fitting.estimate import estimate, whole_run
from easymodel_nb.train.fitting.measurement import Measurement, Setting
from easymodel_nb.train.preparation import Preparation, parse
from easymodel_nb.workflow.document import FinetuneData

_SHORTEST = 64  # tokens: shorter texts are seldom worth learning
GB = 1e9


@dataclass(frozen=True)
class Rung:
    """One thing that takes less memory: what to set, and why."""

    set: dict[str, object]
    words: str
    why: str


def ladder(data: FinetuneData, *, checkpointing: bool = True) -> Iterator[Rung]:
    """What takes less memory, the cheapest for the result first.

    `checkpointing`: whether the model can do it.
    """
    if checkpointing and not data.gradient_checkpointing:
        yield Rung(
            {"gradient_checkpointing": True},
            "gradient checkpointing",
            "the same result, a quarter to a third more time: activations are computed twice",
        )
    if data.batch_size > 1:
        size, accumulation = halved(data.batch_size, data.gradient_accumulation)
        yield Rung(
            {"batch_size": size, "gradient_accumulation": accumulation},
            f"batch size {size} with {accumulation} batches a step",
            "as many rows a step, half of them at once",
        )
    if data.method == "full":
        yield Rung(
            {"method": "lora", "learning_rate": None},
            "method LoRA",
            "gradients and the optimizer's numbers are kept for under a hundredth of the weights",
        )
    if data.max_length > _SHORTEST:
        length = max(_SHORTEST, data.max_length // 2)
        yield Rung(
            {"max_length": length}, f"max length {length}", "shorter rows, more of them are cut"
        )


def halved(batch_size: int, accumulation: int) -> tuple[int, int]:
    """Half the batch and twice the accumulation; of odd numbers, the nearest that divides.

    A step learns from as many rows as before.
    """
    rows = batch_size * accumulation
    size = next((n for n in range(batch_size // 2, 0, -1) if rows % n == 0), 1)
    return size, rows // size


def settings(data: FinetuneData, *, checkpointing: bool) -> Iterator[Setting]:
    """What to try in turn where memory runs out.

    The first is what the node asks for. Gradient checkpointing comes by itself only where the
    node leaves it open.
    """
    now = Setting(
        batch_size=data.batch_size,
        gradient_accumulation=data.gradient_accumulation,
        gradient_checkpointing=bool(data.gradient_checkpointing),
    )
    yield now
    if data.gradient_checkpointing is None and checkpointing:
        now = now.model_copy(update={"gradient_checkpointing": True})
        yield now
    while now.batch_size > 1:
        size, accumulation = halved(now.batch_size, now.gradient_accumulation)
        now = now.model_copy(update={"batch_size": size, "gradient_accumulation": accumulation})
        yield now


def in_words(tried: list[Setting]) -> str:
    """Settings as a sentence names them: batches of 64, 32 and 16, also with ..."""
    sizes = [f"{size:,}" for size in dict.fromkeys(setting.batch_size for setting in tried)]
    listed = " and ".join([", ".join(sizes[:-1]), sizes[-1]] if len(sizes) > 1 else sizes)
    several = {setting.gradient_checkpointing for setting in tried}
    how = "" if several == {False} else " with gradient checkpointing"
    also = ", also" if len(several) > 1 else ""
    return f"{'batches' if len(sizes) > 1 else 'a batch'} of {listed}{also}{how}"


def verdict(found: Measurement, ready: Preparation, *, free: int, ran: bool) -> Fit:
    """The fit of a prepared node by what was measured; `free` is what it may take in all.

    `ran`: it was measured just now, so it fits, however roughly memory can be counted.
    """
    asked = parse(FinetuneData, ready.request["node"])  # what fits may be smaller
    if ran:
        free = max(free, found.memory_bytes)
    parts = estimate(found, ready)
    fitting = ready.chooser.data.model_copy(update=found.setting.model_dump())
    per_epoch = planning.steps_per_epoch(fitting, len(ready.prepared.train))
    seconds = found.load_seconds + whole_run(parts, asked.epochs, per_epoch)
    micro = found.setting.gradient_accumulation
    problems = list(_memory_problems(found, ready, asked, free))
    why = ""
    if asked.time_budget_minutes is not None:
        seconds, why, more = _within_budget(found, ready, seconds)
        problems += more
    return Fit(
        seconds_per_step=found.batch_seconds * micro + found.optimizer_seconds,
        seconds=seconds,
        memory_bytes=found.memory_bytes,
        free_bytes=free,
        longest=found.longest,
        batch_size=found.setting.batch_size,
        device=found.device,
        measured=found.measured,
        time_why=(
            f"Two real steps on the longest batch and one on a typical batch were timed on "
            f"{found.device}; the other batches are reckoned by their tokens "
            f"({parts.step:.2g} s a step on average), measuring by one pass without gradients"
            + (", answers by a few written tokens." if found.token_seconds else ".")
            + why
        ),
        memory_why=(
            f"The peak of two real steps on {found.rows} rows of up to {found.longest} tokens, "
            f"weights included, of {gigabytes(free)} that are free."
        ),
        problems=problems,
    )


def _within_budget(
    found: Measurement, ready: Preparation, seconds: float
) -> tuple[float, str, list[Problem]]:
    """Seconds of the run with its time budget, what to say of it, what is wrong with it."""
    data = ready.chooser.data.model_copy(update=found.setting.model_dump())
    apart = replace(ready, chooser=planning.Chooser(data))  # nothing is chosen here
    try:
        plan = budget.schedule(apart, found, used=found.load_seconds)
    except StudioError as error:
        return seconds, "", error.problems
    minutes = float(data.time_budget_minutes or 0)
    steps = f" The time budget of {minutes:g} minutes holds {plan.max_steps:,} steps."
    return min(seconds, minutes * 60), steps, []


def _memory_problems(
    found: Measurement, ready: Preparation, asked: FinetuneData, free: int
) -> Iterator[Problem]:
    if asked.batch_size != found.setting.batch_size:
        changes = found.setting.model_dump()
        del changes["gradient_checkpointing"]  # as asked, or chosen by itself
        yield Problem(
            code="fit.memory",
            message=(
                f"Out of memory: {in_words(found.refused)} did not fit into "
                f"{gigabytes(free)} on {found.device}. Tried and fitting: "
                f"{in_words([found.setting])}, {found.setting.gradient_accumulation} of them a "
                "step, which learns from as many rows. " + _others(ready.chooser.data)
            ),
            node=ready.node,
            field="batch_size",
            fix=_fix(ready.node, changes, f"Set batch size to {found.setting.batch_size}"),
        )
    elif found.memory_bytes > free:
        yield no_room(ready, found.memory_bytes, free, found.device)


def nothing_fits(
    ready: Preparation, *, taken: int, free: int, device: str, tried: list[Setting], measured: str
) -> Fit:
    """The verdict where even a batch of one row ran out of memory, or the weights themselves."""
    data = ready.chooser.data
    longest = max(ready.lengths, default=0)
    how = "was taken until memory ran out" if tried else "is the least it needs, reckoned"
    return Fit(
        seconds_per_step=None,
        seconds=None,
        memory_bytes=taken,
        free_bytes=free,
        longest=longest,
        batch_size=data.batch_size,
        device=device,
        measured=measured,
        time_why="Not measured: memory ran out before a step was done.",
        memory_why=f"{gigabytes(taken)} {how}; {gigabytes(free)} are free.",
        problems=[no_room(ready, taken, free, device, tried)],
    )


def no_room(
    ready: Preparation,
    taken: int,
    free: int,
    device: str,
    tried: list[Setting] | None = None,
) -> Problem:
    """The red problem, with the ladder of what takes less; the fix is what was not tried yet."""
    data = ready.chooser.data
    # Halving to one row and checkpointing were tried already where something was tried at all.
    rungs = list(ladder(data, checkpointing=not tried))
    left = [rung for rung in rungs if not (tried and "batch_size" in rung.set)]
    said = "; ".join(f"{rung.words} ({rung.why})" for rung in left)
    need = (
        f"{in_words(tried)[0].upper()}{in_words(tried)[1:]} did not fit into {gigabytes(free)}."
        if tried
        else f"It needs {gigabytes(taken)} and {gigabytes(free)} are free."
    )
    more = f"What takes less: {said}; or a smaller model." if left else "Take a smaller model."
    fix = left[0] if left else None
    return Problem(
        code="fit.memory",
        message=f"Out of memory on {device}. {need} {more}",
        node=ready.node,
        field=next(iter(fix.set)) if fix else "batch_size",
        fix=_fix(ready.node, fix.set, f"Use {fix.words}") if fix else None,
    )


def _others(data: FinetuneData) -> str:
    words = [r.words for r in ladder(data, checkpointing=False) if "batch_size" not in r.set]
    return f"Also less: {' or '.join(words)}." if words else ""


def _fix(node: str, changes: dict[str, object], label: str) -> Fix:
    sets = [FieldChange(node=node, field=name, value=value) for name, value in changes.items()]
    return Fix(label=label, set=sets)


def gigabytes(size: int) -> str:
    """A size in words."""
    return f"{size / GB:.1f} GB" if size >= GB / 10 else f"{size / 1e6:.0f} MB"
