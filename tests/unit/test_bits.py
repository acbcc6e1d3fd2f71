"""Bits per byte and changes of perplexity: of the same texts, paired, with intervals."""

import math

import pytest

from easymodel_nb.metrics.bits import bits_per_byte, bits_per_byte_change, loss, perplexity_change
from easymodel_nb.metrics.perplexity import Perplexity, summary

TOKENS = [3, 10, 4, 8, 20, 6]
BYTES = [12, 38, 20, 30, 90, 25]
BASE = [9.0, 50.0, 15.0, 32.0, 70.0, 25.0]
TUNED = [8.0, 30.0, 13.0, 30.0, 50.0, 20.0]


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


def test_a_change_is_the_one_of_the_values_and_paired():
    after, before = scored(TUNED), scored(BASE)
    found = perplexity_change(after, before)
    assert found.value == pytest.approx(
        100 * (float(after.value or 0) / float(before.value or 1) - 1)
    )
    assert found.high < 0  # type: ignore[operator]
    bits = bits_per_byte_change(after, before)
    assert bits.value == pytest.approx(after.bits_per_byte - before.bits_per_byte)  # type: ignore[operator]
    assert bits.high < 0  # type: ignore[operator]


def test_no_change_is_exactly_nothing():
    for change in (perplexity_change, bits_per_byte_change):
        found = change(scored(BASE), scored(BASE))
        assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_across_tokenizers_only_bytes_compare():
    other = scored(TUNED, [count + 1 for count in TOKENS])
    assert "bits per byte" in str(perplexity_change(other, scored(BASE)).reason)
    assert bits_per_byte_change(other, scored(BASE)).value is not None


def test_what_was_not_scored_is_said():
    none = Perplexity(reason="No text had a token to score.", n=0)
    for found in (
        loss(none),
        bits_per_byte(none),
        perplexity_change(none, scored(BASE)),
        bits_per_byte_change(scored(BASE), none),
    ):
        assert found.reason == "No text had a token to score."
    bad = scored([math.nan, *BASE[1:]])
    assert "finite" in str(perplexity_change(bad, scored(BASE)).reason)
    with pytest.raises(ValueError, match="5 texts after and 6 before"):
        bits_per_byte_change(summary(BASE[:5], TOKENS[:5], BYTES[:5], 5, 0), scored(BASE))
