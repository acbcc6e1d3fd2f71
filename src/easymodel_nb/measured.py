"""A number with its sample size and uncertainty, or the reason why there is none."""

from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

# Prompts: below it a quality score is not told, below the second it is an indication only.
FEW, INDICATIVE = 16, 32


class Measured(BaseModel):
    """A measured value.

    `value` is None exactly when `reason` says why; `low` and `high` bound the 95 %
    interval; `n` is the sample size; `judge` names the model that scored, if one did.
    """

    model_config = ConfigDict(frozen=True)

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    reason: str | None = None
    judge: str | None = None
    unit: str | None = None

    @model_validator(mode="after")
    def _value_or_reason(self) -> Self:
        if (self.value is None) == (self.reason is None):
            msg = "a Measured has either a value or the reason why it has none"
            raise ValueError(msg)
        return self

    @classmethod
    def missing(cls, reason: str, *, n: int | None = None, unit: str | None = None) -> Self:
        """No value, and why."""
        return cls(reason=reason, n=n, unit=unit)
