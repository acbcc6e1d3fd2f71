"""Nats per token and bits per byte: the perplexity in other units, with intervals."""

import math

import pytest

from easymodel_nb.metrics.bits import bits_per_byte, loss
from easymodel_nb.metrics.perplexity import Perplexity, summary

TOKENS = [3, 10, 4, 8, 20, 6]
BYTES = [12, 38, 20, 30, 90, 25]
BASE = [9.0, 50.0, 15.0, 32.0, 70.0, 25.0]


def scored(nll: list[float], tokens: list[int] = TOKENS) -> Perplexity:
    return summary(nll, tokens, BYTES, len(nll), 0)


def test_the_same_number_in_three_units():
    found = scored(BASE)
    assert loss(found).value == pytest.approx(math.log(float(found.value or 0)))
    bits = bits_per_byte(found)
    assert bits.value == pytest.approx(sum(BASE) / math.log(2) / sum(BYTES))
    assert bits.low < bits.value < bits.high  # type: ignore[operator]
    assert loss(found).low < loss(found).value < loss(found).high  # type: ignore[operator]
    assert (bits.unit, bits.n) == ("bits per byte", 6)


def test_what_was_not_scored_is_said():
    none = Perplexity(reason="No text had a token to score.", n=0)
    for found in (loss(none), bits_per_byte(none)):
        assert found.reason == "No text had a token to score."
