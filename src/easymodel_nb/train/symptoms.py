"""What numbers of a run say that it goes wrong: judged from readings, without a model.

Nothing can come of a run whose loss is no number or exactly 0 from the start: that is `fatal`.
All else is told once, and the run goes on: gradients are clipped, and a loss may come back.
"""

import math
import statistics
from collections import deque
from dataclasses import dataclass
from typing import Any

from easymodel_nb.errors import FieldChange, Fix, Problem, Severity
from easymodel_nb.train.plan import RunPlan

CLIP = 1.0  # the norm that gradients are clipped to
_READINGS = 3  # of different steps, before a loss is believed
_NORMS, _LEAST_NORMS, _FAR = 50, 10, 100.0
_LINES, _WORSE, _WORSE_BY = 5, 2.0, 2.0
_FLAT_SHARE, _FLAT_LINES, _FLAT_GAIN = 0.5, 12, 0.005


@dataclass(frozen=True)
class Symptom:
    """A sign that something goes wrong; a fatal one ends the run."""

    problem: Problem
    fatal: bool = False


class Symptoms:
    """Judges the readings of one run; each method returns what is new, or None."""

    def __init__(self, plan: RunPlan) -> None:
        self._plan = plan
        self._told: set[str] = set()
        self._odd: dict[str, set[int]] = {"nan": set(), "zero": set(), "masked": set()}
        self._learned = False  # whether there was ever a loss that one can learn from
        self._norms: deque[float] = deque(maxlen=_NORMS)
        self._losses: list[float] = []
        self._before: float | None = None  # the measured loss at the first point
        self._worse = 0

    # ------------------------------------------------------------ the loss

    def loss(self, step: int, mean: float | None, targets: int) -> Symptom | None:
        """The mean loss of the last steps; `targets` is what it is the mean of."""
        kind = self._kind(mean, targets)
        if kind is None:
            self._learned = True
            for steps in self._odd.values():
                steps.clear()
            return None
        seen = self._odd[kind]
        seen.add(step)
        sure = len(seen) >= _READINGS or step >= self._plan.max_steps
        if kind == "nan":
            return self.not_a_number(step) if sure else None
        if not sure:
            return None
        return self._nothing_to_learn(kind, step)

    @staticmethod
    def _kind(mean: float | None, targets: int) -> str | None:
        if not targets or mean is None:
            return "masked"
        if not math.isfinite(mean):
            return "nan"
        return "zero" if mean == 0 else None

    def not_a_number(self, step: int, weight: str | None = None) -> Symptom:
        """The loss, or a weight, is NaN or infinite."""
        what = "The loss" if weight is None else "The weights of the model"
        rate = self._rate
        return Symptom(
            self._problem(
                "nan",
                f"{what} became NaN or infinite at step {step:,} of {self._plan.max_steps:,}: "
                "nothing can come of it, so training was stopped. The usual cause is a learning "
                f"rate that is too high; it was {rate:g}.",
                severity="error",
                rate=rate / 10,
            ),
            fatal=True,
        )

    def unmeasured(self, step: int, why: str) -> Symptom:
        """The trained model gives no numbers on the held-out rows."""
        rate = self._rate
        return Symptom(
            self._problem(
                "nan",
                f"After the last step, {step:,}, the model could not be measured, so it is not "
                f"called finished. {why.rstrip('.')}. A learning rate below {rate:g} may help.",
                severity="error",
                rate=rate / 10,
            ),
            fatal=True,
        )

    def _nothing_to_learn(self, kind: str, step: int) -> Symptom | None:
        field = {"generation": "target_field", "seq2seq": "target_field"}.get(
            self._plan.task, "label_field"
        )
        if self._learned and kind == "masked":
            return self._once(
                "masked",
                f"The steps before step {step:,} had nothing to learn: every label of theirs is "
                "masked. Look at the rendered examples of the check.",
                field=field,
            )
        if self._learned:
            return self._once(
                "zero",
                f"The loss is exactly 0 at step {step:,}: nothing more is learned. The model "
                "may know these rows by heart; more rows or fewer epochs would help.",
                field="epochs",
            )
        if kind == "zero":
            text = (
                f"The loss was exactly 0 in every step up to {step:,}, so nothing is learned and "
                "training was stopped. Look whether all answers in the data are the same, and at "
                "the rendered examples of the check."
            )
        else:
            text = (
                f"No step up to {step:,} had anything to learn: every label is masked, so "
                "training was stopped. Choose the column with the answers, or a larger max length "
                "if the answers were cut off."
            )
        return Symptom(self._problem(kind, text, severity="error", field=field), fatal=True)

    # ------------------------------------------------------------ gradients and the course

    def gradient(self, step: int, norm: float | None) -> Symptom | None:
        """The norm before clipping, at a progress line."""
        if norm is None:
            return None
        if not math.isfinite(norm):
            if self._plan.finetune.precision == "fp16":
                return None  # the loss scaler skips such a step and tries a smaller scale
            return self._exploding(step, "is no finite number")
        usual = statistics.median(self._norms) if len(self._norms) >= _LEAST_NORMS else None
        self._norms.append(norm)
        if usual is not None and norm > max(_FAR * usual, 10 * CLIP):
            return self._exploding(step, f"was {norm:,.3g}, usually {usual:,.2g},")
        return None

    def _exploding(self, step: int, how: str) -> Symptom | None:
        return self._once(
            "gradients",
            f"The gradients exploded: their norm {how} at step {step:,}. They are clipped to "
            f"{CLIP:g}, but if the loss does not come back, a lower learning rate helps.",
            rate=self._rate / 3,
        )

    def line(self, step: int, mean: float | None) -> Symptom | None:
        """The mean loss of a progress line."""
        if mean is None or not math.isfinite(mean):
            return None
        self._losses.append(mean)
        start = self._losses[0]
        self._worse = self._worse + 1 if mean > max(_WORSE * start, start + _WORSE_BY) else 0
        if self._worse < _LINES:
            return None
        return self._once(
            "diverged",
            f"The loss is {mean:,.3g} at step {step:,}; it began at {start:,.3g}. The model gets "
            f"worse: a learning rate of {self._rate:g} is too high here.",
            rate=self._rate / 10,
        )

    def point(self, step: int, measured: float | None) -> Symptom | None:
        """The loss on the held-out rows at a measured point."""
        if measured is None or not math.isfinite(measured):
            return None
        if self._before is None:
            self._before = measured
            return None
        late = step >= _FLAT_SHARE * self._plan.max_steps
        better = measured < self._before * (1 - _FLAT_GAIN)
        if not late or better or "diverged" in self._told or not self._level():
            return None
        too = "high" if measured > self._before * (1 + _FLAT_GAIN) else "low"
        return self._once(
            "flat",
            f"Nothing has improved after {step:,} of {self._plan.max_steps:,} steps: the loss on "
            f"the held-out rows is {measured:.3g}, at the start it was {self._before:.3g}. "
            f"The learning rate {self._rate:g} may be too {too} for these rows.",
            rate=self._rate / 3 if too == "high" else self._rate * 10,
        )

    def _level(self) -> bool:
        """Whether the training loss fell by no more than its noise: second half against first."""
        if len(self._losses) < _FLAT_LINES:
            return False
        half = len(self._losses) // 2
        early, late = self._losses[:half], self._losses[half:]
        noise = math.sqrt(
            statistics.variance(early) / len(early) + statistics.variance(late) / len(late)
        )
        return statistics.fmean(early) - statistics.fmean(late) <= noise

    # ------------------------------------------------------------ how it is told

    @property
    def _rate(self) -> float:
        return self._plan.finetune.learning_rate or 0.0

    def _once(self, code: str, message: str, **details: Any) -> Symptom | None:
        if code in self._told:
            return None
        self._told.add(code)
        return Symptom(self._problem(code, message, severity="ask", **details))

    def _problem(
        self,
        code: str,
        message: str,
        *,
        severity: Severity,
        field: str = "learning_rate",
        rate: float | None = None,
    ) -> Problem:
        node, fix = self._plan.node_id, None
        if rate:
            value = float(f"{rate:.2g}")
            change = FieldChange(node=node, field="learning_rate", value=value)
            fix = Fix(label=f"Set learning rate to {value:g}", set=[change])
        return Problem(
            code=f"sentinel.{code}",
            severity=severity,
            message=message,
            node=node,
            field=field,
            fix=fix,
        )
