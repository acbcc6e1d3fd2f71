"""How a raw number becomes a score from 0 to 1: by where the human references lie.

NaN stays NaN: what was not measured has no score.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST = 8  # references with a number, of which a scale can be made
_ABOVE = 1.5  # widths above the median that cost nothing (below it: 1)
_LEAST_WIDTH = 0.1  # nats, and cosines: so that equal references do not condemn every other text


def sigmoid(z: Floats) -> Floats:
    """1 / (1 + exp(-z)), without overflow."""
    found: Floats = 0.5 * (1 + np.tanh(np.asarray(z, dtype=np.float64) / 2))
    return found


def finite(values: Floats) -> Floats:
    """Those that are numbers."""
    kept: Floats = np.asarray(values, dtype=np.float64)
    return kept[np.isfinite(kept)]


@dataclass(frozen=True)
class Linear:
    """0 up to `low`, 1 from `high`, straight between."""

    low: float
    high: float

    def __call__(self, values: Floats) -> Floats:
        """Scores of raw numbers."""
        return np.clip((np.asarray(values) - self.low) / (self.high - self.low), 0.0, 1.0)


@dataclass(frozen=True)
class Spread:
    """Median and half the distance from the 16th to the 84th percentile: a robust z-score."""

    middle: float
    half: float

    @classmethod
    def of(cls, values: Floats, least: float = _LEAST_WIDTH) -> Self | None:
        """The spread of the references' numbers; None where there are too few."""
        known = finite(values)
        if len(known) < LEAST:
            return None
        low, middle, high = np.percentile(known, [16, 50, 84])
        return cls(float(middle), max(float(high - low) / 2, least))

    def z(self, values: Floats) -> Floats:
        """Distances from the median, in half widths."""
        scaled: Floats = (np.asarray(values, dtype=np.float64) - self.middle) / self.half
        return scaled

    def band(self, values: Floats) -> Floats:
        """1 where references lie, less on both sides: text can also be too probable.

        exp(-d^2 / 2) with d the distance, in half widths, below -1 or above 1.5: people find
        text that is somewhat more probable than theirs no worse (METRICS 4.5).
        """
        z = self.z(values)
        outside = np.where(z < 0, np.maximum(0.0, -z - 1), np.maximum(0.0, z - _ABOVE))
        found: Floats = np.where(np.isnan(z), np.nan, np.exp(-(outside**2) / 2))
        return found


def percentile(values: Floats, q: float) -> float | None:
    """A percentile of the references' numbers; None where there is none."""
    known = finite(values)
    return float(np.percentile(known, q)) if len(known) else None
