"""Token efficiency: nothing changed is exactly 1, and brevity below the reference earns nothing."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from easymodel_nb import metrics
from easymodel_nb.metrics import judges, lengths
from easymodel_nb.metrics.efficiency import Efficiency

few = settings(max_examples=25, deadline=None)


class Spaces:
    """A tokenizer: tokens are what stands between white space."""

    def __call__(self, texts: list[str], **options: Any) -> dict[str, list[list[int]]]:
        assert options["add_special_tokens"] is False
        return {"input_ids": [[7] * len(text.split()) for text in texts]}


def words(n: int) -> str:
    return " ".join(["ab"] * n)


REFERENCES = [words(n) for n in (2, 4, 4, 8, 10, 12, 16, 20, 20, 25, 30, 40, 50, 60, 80, 100)]
SAME = [0.4, 0.6] * 8


def measured(texts: list[str], base: list[str], **options: Any) -> Efficiency:
    given_ = {
        "references": REFERENCES,
        "relevance": SAME,
        "base_relevance": SAME,
        "tokenizer": Spaces(),
    }
    return metrics.efficiency(texts, base_texts=base, **(given_ | options))


def test_the_same_answers_are_as_efficient():
    found = measured(REFERENCES, REFERENCES)
    te = found.token_efficiency
    assert (te.value, te.low, te.high) == (1.0, 1.0, 1.0)
    assert te.n == 16
    assert (found.length_ratio.value, found.length_ratio.high) == (1.0, 1.0)
    assert found.fit.slope.value == pytest.approx(1)
    assert found.fit.r.value == pytest.approx(1)
    assert found.fit.near.value == 1.0
    for group in found.groups:
        assert group.ratio.value == 1.0
        assert group.base == group.tuned


def test_twice_as_long_for_the_same_relevance_is_half_as_efficient():
    double = [f"{text} {text}" for text in REFERENCES]
    found = measured(double, REFERENCES)
    assert found.token_efficiency.value == pytest.approx(0.5)
    assert found.length_ratio.value == pytest.approx(2)
    assert found.fit.slope.value == pytest.approx(1)
    assert found.fit.near.value == 0.0
    assert measured(REFERENCES, double).token_efficiency.value == pytest.approx(2)


def test_brevity_below_the_reference_earns_nothing():
    short = ["ab"] * 16
    found = measured(short, REFERENCES)
    assert found.token_efficiency.value == 1.0
    assert found.length_ratio.value == pytest.approx(
        math.exp(np.mean([math.log(1 / len(one.split())) for one in REFERENCES]))
    )
    assert "one length" in str(found.fit.r.reason)
    assert found.fit.slope.value == pytest.approx(0, abs=1e-9)


def test_the_interval_is_paired():
    twice = [min(1.0, 1.5 * value) for value in SAME]
    found = measured(REFERENCES, REFERENCES, relevance=twice)
    assert found.token_efficiency.low == pytest.approx(1.5)  # whichever texts are drawn
    assert found.token_efficiency.high == pytest.approx(1.5)


def test_what_is_missing_is_said():
    found = measured(REFERENCES, REFERENCES, references=None)
    assert "no references" in str(found.token_efficiency.reason)
    assert "no references" in str(found.length_ratio.reason)
    assert "no sources" in str(found.compression.reason)
    assert "limit" in str(found.limit.reason)
    assert found.points == []
    assert found.bytes_per_token.value is not None
    assert found.groups == []
    found = measured(REFERENCES, REFERENCES, relevance=None)
    assert "prompts" in str(found.token_efficiency.reason)
    assert found.length_ratio.value == 1.0
    assert all("prompts" in str(group.ratio.reason) for group in found.groups)


def test_a_base_model_that_says_nothing_relevant_is_no_measure():
    found = measured(REFERENCES, REFERENCES, base_relevance=[0.04] * 16)
    assert "hardly relevant" in str(found.token_efficiency.reason)
    assert found.groups[0].tuned.value is not None


def test_shared_words_are_no_judge_of_tokens():
    reason = "The text encoder is not on this machine."
    nobody = judges.Judges(encoder=None, grammar=None, reasons={"encoder": reason})
    level = [0.5] * len(REFERENCES)
    for told in (
        {"prompts": REFERENCES, "relevance": None, "base_relevance": None},
        {"relevance": level, "base_relevance": level, "relevance_judge": "words"},
    ):
        found = measured(REFERENCES, REFERENCES, judge=nobody, **told)
        assert found.token_efficiency.reason == reason
        assert {group.tuned.reason for group in found.groups} == {reason}
        assert found.length_ratio.value == 1


def test_empty_answers():
    some = ["", *REFERENCES[1:]]
    found = measured(some, REFERENCES, relevance=[0.0, *SAME[1:]])
    assert found.empty.value == pytest.approx(1 / 16)
    assert found.token_efficiency.value is not None
    assert found.points[0] == (2, 0)
    assert found.length_ratio.n == 16
    none = measured([""] * 16, REFERENCES, relevance=[0.0] * 16)
    assert "wrote nothing" in str(none.token_efficiency.reason)
    assert none.bytes_per_token.reason == "Every answer is empty."
    assert none.fit.near.value == 0.0
    assert none.fit.slope.value is None


def test_compression_bytes_and_limit():
    sources = [words(10 * len(one.split())) for one in REFERENCES]
    found = measured(REFERENCES, REFERENCES, sources=sources, max_new_tokens=80)
    assert found.compression.value == pytest.approx(10)
    assert found.bytes_per_token.value == pytest.approx(
        sum(len(one) for one in REFERENCES) / sum(len(one.split()) for one in REFERENCES)
    )
    assert found.limit.value == 2 / 16
    told = measured(REFERENCES, REFERENCES, ended=[True] * 12 + [False] * 4)
    assert told.limit.value == 4 / 16
    assert measured(["naïve 東京"] * 16, REFERENCES).rows["bytes"][0] == 13


def test_groups_of_the_user_are_his_own():
    names = ["short"] * 6 + ["long"] * 9 + [None]
    better = [0.4] * 6 + [0.8] * 10
    found = measured(
        REFERENCES, REFERENCES, groups=names, relevance=better, base_relevance=[0.4] * 16
    )
    assert [(group.name, group.n) for group in found.groups] == [("long", 9), ("short", 6)]
    assert found.groups[0].ratio.value == pytest.approx(2)
    assert found.groups[1].ratio.value == 1.0
    assert found.groups[1].base.value == pytest.approx(100 * 100 * 0.4 / (40 / 6))
    assert found.groups[1].base.unit == "points per 100 tokens"
    assert found.grouped_by == "group"


def test_groups_of_lengths_are_in_order_and_hold_every_text():
    found = measured(REFERENCES, REFERENCES)
    assert [group.n for group in found.groups] == [4, 5, 3, 4]
    assert found.groups[0].name == "2 to 8 tokens"
    assert found.groups[-1].name == "50 to 100 tokens"
    assert found.grouped_by == "length quartile"
    assert list(found.rows["group"]) == lengths.quartiles(np.array(found.rows["reference_tokens"]))


def test_many_groups_are_put_together():
    found = lengths.named([str(i) for i in range(30)] + ["0", "1", float("nan"), None])
    assert len({name for name in found if name}) == lengths.MOST_GROUPS
    assert found[-2:] == [None, None]
    assert found[0] == "0"
    assert "19 others" in found


def test_a_point_can_be_written_down():
    point = measured(REFERENCES, REFERENCES).point()
    assert {"token_efficiency", "length_ratio", "bytes_per_token", "compression"} <= set(point)
    assert point["points"][1] == (4, 4)
    assert point["groups"][0].keys() == {"name", "n", "base", "tuned", "ratio"}


def test_order_does_not_matter():
    found = measured([f"{text} cd" for text in REFERENCES], REFERENCES)
    turned = measured(
        [f"{text} cd" for text in REFERENCES[::-1]],
        REFERENCES[::-1],
        references=REFERENCES[::-1],
        relevance=SAME[::-1],
        base_relevance=SAME[::-1],
    )
    assert found.token_efficiency.value == pytest.approx(turned.token_efficiency.value)
    assert found.fit.slope.value == pytest.approx(turned.fit.slope.value)


def test_a_tokenizer_that_fails_costs_its_numbers():
    def broken(*_: Any, **__: Any) -> None:
        message = "no vocabulary"
        raise RuntimeError(message)

    found = measured(REFERENCES, REFERENCES, tokenizer=broken)
    for one in (found.token_efficiency, found.length_ratio, found.bytes_per_token):
        assert one.value is None
        assert "no vocabulary" in str(one.reason)
    assert found.empty.value == 0.0
    assert len(found.rows) == 16


def test_the_line_through_lengths_is_the_one_of_least_squares():
    generator = np.random.default_rng(0)
    x = np.exp(generator.normal(3, 1, size=60)).round() + 1
    y = np.maximum(1, (x**0.7 * np.exp(generator.normal(0, 0.2, size=60))).round())
    found = lengths.fit(x, y)
    assert found.slope.value == pytest.approx(np.polyfit(np.log(x), np.log(y), 1)[0])
    assert found.r.value == pytest.approx(np.corrcoef(np.log(x), np.log(y))[0, 1])
    assert found.slope.low < 0.7 < found.slope.high  # type: ignore[operator]
    assert found.slope.high < 1  # type: ignore[operator]  # lengths are followed, but not wholly
    assert lengths.fit(np.geomspace(1, 1000, 20), np.geomspace(1, 1000, 20)).wide
    assert not lengths.fit(np.arange(5.0) + 5, np.arange(5.0) + 5).wide
    assert "three answers" in str(lengths.fit(x[:2], y[:2]).slope.reason)
    assert "same length" in str(lengths.fit(np.full(4, 3.0), y[:4]).slope.reason)


@given(st.lists(st.text(max_size=30), min_size=0, max_size=5), st.integers(0, 4))
@few
def test_any_text_has_numbers_or_reasons(texts: list[str], kept: int):
    n = len(texts)
    found = metrics.efficiency(
        texts,
        base_texts=texts[::-1],
        references=[text if i < kept else None for i, text in enumerate(texts)],
        tokenizer=Spaces(),
        sources=texts,
        relevance=[0.5] * n,
        base_relevance=[None if i % 2 else 0.5 for i in range(n)],
        max_new_tokens=3,
    )
    for one in (found.token_efficiency, found.length_ratio, found.compression, found.limit):
        assert one.reason or math.isfinite(float(one.value or 0))
    assert len(found.rows) == n


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="15 references for 16 texts"):
        measured(REFERENCES, REFERENCES, references=REFERENCES[1:])
    with pytest.raises(ValueError, match="1 groups for 16 texts"):
        measured(REFERENCES, REFERENCES, groups=["a"])


@pytest.mark.skipif(judges.local().encoder is None, reason="the extra `offline` is not installed")
def test_relevance_is_judged_from_prompts():
    prompts = [
        f"Book a table for {n} people in {city}." for n in (2, 3) for city in ("Rome", "Oslo")
    ]
    good = [prompt.replace("Book", "Reserve") for prompt in prompts]
    vague = ["I really do not know at all what this is, sorry."] * 4
    options: dict[str, Any] = {"references": prompts, "prompts": prompts, "tokenizer": Spaces()}
    found = metrics.efficiency(good, base_texts=vague, **options)
    assert found.rows["relevance"].mean() > found.rows["base_relevance"].mean()
    same = metrics.efficiency(good, base_texts=good, **options)
    assert same.token_efficiency.value == 1.0
    assert "MiniLM" in str(same.token_efficiency.judge)
