"""chrF, BLEU and ROUGE-L equal what their libraries and definitions say, for any language."""

import math
import random
import string

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from easymodel_nb.metrics.overlap import overlap, segmentation

TEXTS = [
    "The cat sat on the mat.",
    "Play some music by Don Ho.",
    "It is a pub near the river, and it is cheap.",
    "",
]
REFERENCES = [
    "The cat is sitting on the mat.",
    "Play music by Don Ho.",
    "There is a cheap pub near the river.",
    "Nothing was written here.",
]
# What google-research/rouge_score 0.1.2 gives for these pairs (rougeL, F-measure).
ROUGE_L = [0.7692307692307692, 0.9090909090909091, 0.631578947368421, 0.0]


def test_corpus_scores_are_sacrebleu_s_own():
    found = overlap(TEXTS, REFERENCES)
    assert found.chrf.value == pytest.approx(sacrebleu.corpus_chrf(TEXTS, [REFERENCES]).score)
    assert found.bleu.value == pytest.approx(sacrebleu.corpus_bleu(TEXTS, [REFERENCES]).score)
    assert found.bleu.judge is not None
    assert found.bleu.judge.startswith("BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")
    assert found.chrf.judge is not None
    assert found.chrf.judge.startswith("chrF2|nrefs:1|")


def test_rouge_l_is_the_mean_that_rouge_score_gives():
    assert overlap(TEXTS, REFERENCES).rouge_l.value == pytest.approx(100 * np.mean(ROUGE_L))


def longest(a: list[str], b: list[str]) -> int:
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            table[i + 1][j + 1] = (
                table[i][j] + 1 if x == y else max(table[i][j + 1], table[i + 1][j])
            )
    return table[-1][-1]


WORDS = st.lists(st.sampled_from(["a", "b", "c", "dd"]), max_size=12)


@settings(max_examples=60, deadline=None)
@given(WORDS, WORDS)
def test_rouge_l_by_its_definition(text: list[str], reference: list[str]):
    (found,) = [overlap([" ".join(text)], [" ".join(reference)]).rouge_l.value]
    common = longest(text, reference)
    if not common:
        assert found == 0
        return
    precision, recall = common / len(text), common / len(reference)
    assert found == pytest.approx(100 * 2 * precision * recall / (precision + recall))


def test_several_references_count_each_in_its_way():
    texts = ["a red fox", "the end"]
    several = [["a blue fox", "one red fox ran"], "the very end"]
    found = overlap(texts, several)
    streams = [["a blue fox", "the very end"], ["one red fox ran", None]]
    assert found.bleu.value == pytest.approx(sacrebleu.BLEU().corpus_score(texts, streams).score)
    assert found.chrf.value == pytest.approx(sacrebleu.CHRF().corpus_score(texts, streams).score)
    best = [overlap(texts[:1], [one]).rouge_l.value or 0 for one in several[0]]
    end = overlap(texts[1:], several[1:]).rouge_l.value or 0
    assert found.rouge_l.value == pytest.approx((max(best) + end) / 2)
    assert "nrefs:var" in (found.bleu.judge or "")


def test_the_same_text_is_all_there_is_and_another_nothing():
    same = overlap(REFERENCES, REFERENCES)
    for measured in same.dump().values():
        assert measured.value == pytest.approx(100)
        assert measured.low == measured.high == pytest.approx(100)
        assert measured.n == 4
        assert measured.unit == "of 100"
    for measured in overlap(["xxxx yyyy", "zzzz"], ["one two", "three"]).dump().values():
        assert measured.value == pytest.approx(0, abs=1e-6)


def test_an_interval_holds_its_value_and_is_narrower_with_more_texts():
    few = overlap(TEXTS[:3], REFERENCES[:3], seed=1)
    many = overlap(TEXTS[:3] * 20, REFERENCES[:3] * 20, seed=1)
    for small, large in zip(few.dump().values(), many.dump().values(), strict=True):
        assert small.low is not None
        assert small.high is not None
        assert large.low is not None
        assert large.high is not None
        assert small.low <= (small.value or 0) <= small.high
        assert large.high - large.low < (small.high - small.low) / 2
    assert overlap(TEXTS, REFERENCES, seed=3) == overlap(TEXTS, REFERENCES, seed=3)


def test_one_text_has_no_interval_and_none_has_a_reason():
    one = overlap(["a"], ["a b"]).rouge_l
    assert (one.low, one.high, one.n) == (None, None, 1)
    for measured in overlap([], []).dump().values():
        assert measured.value is None
        assert measured.reason == "No text was written."
    with pytest.raises(ValueError, match="2 references for 1 texts"):
        overlap(["a"], ["a", "b"])
    with pytest.raises(ValueError, match="without a reference"):
        overlap(["a"], [[]])


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Guten Tag, schöne Welt", "13a"),
        ("안녕하세요 여러분", "13a"),
        ("नमस्ते दुनिया", "13a"),
        ("مرحبا بالعالم", "13a"),
        ("今天天气很好", "zh"),
        ("これは日本語の文です", "char"),
        ("สวัสดีชาวโลก", "char"),
        ("123 456", "13a"),
        ("", "13a"),
    ],
)
def test_words_are_found_where_a_language_has_no_spaces(text: str, tokens: str):
    assert segmentation([text]) == tokens
    found = overlap([text], [text])
    assert f"|tok:{tokens}|" in (found.bleu.judge or "")
    if text:
        assert found.rouge_l.value == 100


def test_a_thai_text_is_not_one_word():
    found = overlap(["ฉันชอบกินข้าว"], ["ฉันชอบกินปลา"])
    assert 30 < (found.rouge_l.value or 0) < 100
    assert (found.bleu.value or 0) > 30


def test_letters_beyond_ascii_count():
    assert overlap(["für über"], ["für über"]).rouge_l.value == 100
    assert overlap(["für"], ["fur"]).rouge_l.value == 0
    assert overlap(["GRÖSSE"], ["größe"]).rouge_l.value == 0
    assert overlap(["Ähre"], ["ähre"]).rouge_l.value == 100


def test_the_environment_does_not_decide(monkeypatch: pytest.MonkeyPatch):
    before = overlap(TEXTS, REFERENCES)
    monkeypatch.setenv("SACREBLEU_SEED", "7")
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    state = np.random.get_state()[1].tolist()  # noqa: NPY002
    assert overlap(TEXTS, REFERENCES) == before
    assert np.random.get_state()[1].tolist() == state  # noqa: NPY002


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=40), st.text(max_size=40)), min_size=1, max_size=4))
def test_any_text_gives_a_number_between_0_and_100(pairs: list[tuple[str, str]]):
    texts, references = zip(*pairs, strict=True)
    for measured in overlap(texts, references).dump().values():
        assert measured.value is not None
        assert math.isfinite(measured.value)
        assert -1e-9 <= measured.value <= 100 + 1e-6


def test_shuffled_words_keep_less_of_their_order():
    generator = random.Random(0)
    words = list(string.ascii_lowercase)
    reference = " ".join(words)
    shuffled = " ".join(generator.sample(words, len(words)))
    assert (overlap([shuffled], [reference]).rouge_l.value or 0) < 50
