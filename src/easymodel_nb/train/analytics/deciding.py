"""What a run's analytics will cost, found out on the base model, and what they are allowed."""

import time
from collections.abc import Sequence
from typing import Any

from easymodel_nb.metrics.judges import Judges
from easymodel_nb.train.analytics import allowance
from easymodel_nb.train.analytics.allowance import LEAST, Allowance, Costs
from easymodel_nb.train.analytics.material import FIT_CHARACTERS
from easymodel_nb.train.lengths import lengths_of
from easymodel_nb.train.plan import RunPlan
from easymodel_nb.train.tasks.task import Prepared

_FITTING = 4.0  # seconds that the language model takes on the most characters it is fitted on


def whole_epochs(plan: RunPlan) -> list[float]:
    """The epochs whose end is measured; a time budget may end the last one within it."""
    found: list[float] = [float(n + 1) for n in range(plan.max_steps // plan.steps_per_epoch)]
    if plan.max_steps % plan.steps_per_epoch:
        found.append(round(plan.max_steps / plan.steps_per_epoch, 4))
    return found


def judging_seconds(judges: Judges, answers: Sequence[str], references: Sequence[str]) -> float:
    """Of one answer: each text is read whole and sentence by sentence."""
    if judges.encoder is None or not answers:
        return 0.0
    texts = [text for text in (*answers, *references) if text.strip()]
    began = time.monotonic()
    judges.encoder.sentences(texts)
    return 2 * (time.monotonic() - began) / max(1, len(texts))


def costs(
    *,
    measuring: float,
    answering: float,
    judging: float,
    loading: float,
    prepared: Prepared,
    characters: int,
    general: int,
) -> Costs:
    """Of what the base model took: seconds for measuring once, for one answer, for judging one.

    `general`: tokens of general text that each fully measured point reads.
    """
    fitting = _FITTING * min(1.0, characters / FIT_CHARACTERS)
    once = loading + fitting + judging * min(prepared.prompts, max(allowance.SIZES))
    return Costs(
        forward=measuring / max(1, prepared.scored_tokens),
        answer=answering,
        judging=judging,
        once=once if judging else 0.0,
        point=general * measuring / max(1, prepared.scored_tokens),
    )


def decide(plan: RunPlan, prepared: Prepared, found: Costs) -> Allowance:
    """The allowance of a run, by its plan."""
    data = plan.finetune
    share = plan.max_steps / plan.steps_per_epoch
    tokens = sum(lengths_of(prepared.train)) * share
    seconds = allowance.run_seconds(
        found,
        train_tokens=tokens,
        measured_tokens=prepared.scored_tokens,
        points=1 + len(plan.eval_steps),
    )
    minutes = data.time_budget_minutes
    return allowance.decide(
        found,
        share=data.analytics_budget,
        seconds=seconds,
        available=prepared.prompts,
        epochs=whole_epochs(plan),
        limit=None if minutes is None else 60 * minutes,
    )


def recalled(details: dict[str, Any], share: float) -> Allowance:
    """What an attempt before this one decided; a run of an older version decided nothing."""
    found = details.get("budget")
    if isinstance(found, dict):
        return Allowance.model_validate(found)
    return Allowance(share=share, reason="This run began with a version that measured no answers.")


def samples(allowed: Allowance, prepared: Prepared, *, written: bool) -> int:
    """How many answers are kept of a point: those that are judged; at least some for people.

    `written`: every prompt is answered in any case.
    """
    if written:
        return prepared.prompts
    return allowed.prompts or min(LEAST, prepared.prompts)
