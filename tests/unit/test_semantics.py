"""Consistency, drift and MMD: nothing moved is exactly 0, and what cannot be told has a reason."""

import json
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from easymodel_nb import metrics
from easymodel_nb.measured import Measured
from easymodel_nb.metrics import judges
from easymodel_nb.metrics.drift import bandwidth, discrepancy, towards
from easymodel_nb.metrics.segments import segments
from easymodel_nb.metrics.semantics import Embedded, Semantics, measured, noise
from easymodel_nb.metrics.vectors import Vectors, halves

few = settings(max_examples=15, deadline=None)
TEXTS = [
    "The cat sat on the mat and looked at the rain.",
    "Book a table for two at an Italian restaurant tonight.",
    "What will the weather be in Kuwait tomorrow?",
    "She opened the letter and read it twice.",
    "The price of bread rose because the harvest failed.",
    "Play some jazz in the kitchen.",
]
OTHERS = [
    "Rain fell while a cat watched it from the mat.",
    "Please reserve a restaurant table for two people.",
    "Tell me tomorrow's forecast for Kuwait.",
    "Twice she read the letter.",
    "Bread became dearer after a bad harvest.",
    "Put on jazz music.",
]
AWAY = [
    "xylophone xylophone 7 7 7",
    "the the the the",
    "=== ---",
    "qwerty uiop",
    "no",
    "zzz zzz zzz",
]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Letters:
    """An encoder that counts letters: quick, and it tells what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += texts
        return np.array([[1 + text.count(chr(97 + i)) for i in range(26)] for text in texts])


def numbers(found: Semantics) -> list[Measured]:
    single = [found.consistency, found.drift, found.step, found.mmd, found.arrow]
    return single + found.segments + found.base_segments


def moved(texts: list[str], base: list[str], **options: object) -> Semantics:
    given_ = {"references": TEXTS, "embedder": Letters(), **options}
    return metrics.semantics(texts, base_texts=base, **given_)  # type: ignore[arg-type]


# ---------------------------------------------------------------- with MiniLM

needs_encoder = pytest.mark.skipif(
    judges.local().encoder is None, reason="the extra `offline` is not installed"
)


@needs_encoder
def test_the_same_answers_have_not_moved():
    found = metrics.semantics(OTHERS, base_texts=OTHERS, references=TEXTS)
    assert (found.drift.value, found.drift.low, found.drift.high) == (0.0, 0.0, 0.0)
    assert found.mmd.value == 0.0
    assert found.p_value == 1.0
    assert (found.arrow.value, found.arrow.low, found.arrow.high) == (0.0, 0.0, 0.0)
    assert found.drift.n == len(OTHERS)
    assert str(found.drift.judge).startswith("all-MiniLM-L6-v2@")


@needs_encoder
def test_answers_that_say_the_same_are_nearer_than_nonsense():
    near = metrics.semantics(OTHERS, base_texts=AWAY, references=TEXTS)
    far = metrics.semantics(AWAY, base_texts=OTHERS, references=TEXTS)
    assert near.consistency.value > far.consistency.value + 0.3  # type: ignore[operator]
    assert near.arrow.low > 0  # type: ignore[operator]
    assert far.arrow.high < 0  # type: ignore[operator]
    assert near.drift.value == pytest.approx(far.drift.value)  # in either direction
    assert near.p_value < 0.1  # type: ignore[operator]  # six prompts can hardly tell more


@needs_encoder
def test_a_long_text_is_read_to_its_end():
    start = "The committee met again to talk about the new bridge over the river. " * 40
    encoder = judges.local().encoder
    assert encoder is not None
    vectors = Vectors(encoder)
    about_cake, about_bridge = vectors(
        [start + "A recipe for chocolate cake with cream. " * 60, start * 2]
    )
    assert float(about_cake @ about_bridge) < 0.9  # cut at 256 wordpieces they are the same
    for pieces in vectors._pieces([start, "word " * 700, "a-" * 900, "東京" * 300]):
        assert len(pieces) > 1
        assert all(len(tokens) < 254 for tokens in encoder.tokens(pieces))


@needs_encoder
@given(st.lists(st.text(max_size=40), min_size=1, max_size=4))
@few
def test_any_text_has_numbers_or_reasons(texts: list[str]):
    found = metrics.semantics(texts, base_texts=texts[::-1], references=texts)
    for one in numbers(found):
        assert one.reason or np.isfinite(float(one.value or 0))
    assert len(found.rows) == len(texts)
    json.dumps({name: str(value) for name, value in found.point().items()}, allow_nan=False)


@needs_encoder
def test_other_languages_are_flagged():
    texts = ["Привет, как дела сегодня?", "Good morning, how are you?"]
    found = metrics.semantics(texts, base_texts=texts, references=None)
    assert found.counts["not_english"] == 1
    assert found.note == "English encoder: 1 of 2 texts are in another language."


# ---------------------------------------------------------------- with letters


def test_references_and_base_are_embedded_once():
    encoder = Letters()
    fixed = Embedded(TEXTS, OTHERS, embedder=encoder)
    first = measured(fixed, AWAY)
    again = measured(fixed, AWAY, before=TEXTS)
    assert sorted(encoder.asked) == sorted({*TEXTS, *OTHERS, *AWAY})
    assert again.drift == first.drift
    assert first.step.value is None
    assert again.step == again.drift  # the point before was the base model


def test_order_does_not_matter():
    straight = moved(AWAY, OTHERS)
    turned = moved(AWAY[::-1], OTHERS[::-1], references=TEXTS[::-1])
    for name in ("consistency", "drift", "mmd"):
        assert getattr(straight, name).value == pytest.approx(getattr(turned, name).value)


def test_four_segments_of_long_answers():
    text = " ".join(f"word{i}" for i in range(43))
    parts = segments(text)
    assert [len(part.split()) for part in parts] == [10, 11, 11, 11]
    assert "".join(parts) == text
    assert segments(" ".join(["a"] * 39)) == []
    assert len(segments("東京" * 20)) == 4
    found = moved([text, "short"], [text, "short"], references=["word1", "short"])
    assert [one.n for one in found.segments] == [1] * 4
    assert [one.value for one in found.base_segments] == [1.0] * 4
    assert list(found.rows["segment_1"].isna()) == [False, True]
    short = moved(TEXTS, TEXTS)
    assert "40 words" in str(short.segments[0].reason)
    assert short.segments[0].value is None


def test_an_empty_answer_is_near_to_nothing_and_counted():
    found = moved(["", " \n", TEXTS[2]], [TEXTS[0], "", TEXTS[2]], references=TEXTS[:3])
    assert list(found.rows["consistency"]) == [0.0, 0.0, 1.0]
    assert list(found.rows["drift"]) == [1.0, 0.0, 0.0]
    assert found.counts == {"empty": 2, "not_english": 0, "bad": 0}
    alone = moved(["", ""], ["", ""], references=["", ""])
    assert alone.drift.value == 0.0
    assert alone.consistency.value is None


def test_without_references_only_what_needs_them_is_missing():
    for references in (None, [None, "", " "] * 2):
        found = moved(AWAY, OTHERS, references=references)
        assert found.drift.value is not None
        assert found.mmd.value is not None
        assert found.consistency.reason == "There are no references to compare the answers with."
        assert found.arrow.reason == found.consistency.reason


def test_what_is_no_number_is_counted_and_too_much_of_it_hides_the_rest():
    def encoder(texts: Sequence[str]) -> np.ndarray:
        rows = Letters()(texts).astype(float)
        rows[[text.startswith("bad") for text in texts]] = np.nan
        return rows

    texts = [f"{'bad' if i == 3 else 'good'} text {chr(97 + i % 26)}" for i in range(30)]
    found = moved(texts, OTHERS * 5, references=TEXTS * 5, embedder=encoder)
    assert found.counts["bad"] == 1
    assert found.drift.n == 29
    assert found.mmd.n == 29
    most = moved(texts[:6], OTHERS, embedder=encoder)
    assert most.drift.value is None
    assert "1 of 6 texts" in str(most.drift.reason)
    assert most.mmd.value is None


def test_an_encoder_that_is_missing_or_fails_costs_its_numbers(monkeypatch: pytest.MonkeyPatch):
    def broken(_: Sequence[str]) -> np.ndarray:
        message = "no memory left"
        raise RuntimeError(message)

    found = moved(TEXTS, OTHERS, embedder=broken)
    assert {one.value for one in numbers(found)} == {None}
    assert "no memory left" in str(found.drift.reason)
    assert len(found.rows) == len(TEXTS)
    monkeypatch.setenv(judges.OFF, "1")
    found = metrics.semantics(TEXTS, base_texts=OTHERS, references=TEXTS)
    assert {one.value for one in numbers(found)} == {None}
    assert "switched off" in str(found.drift.reason)
    fixed = Embedded(TEXTS, None)
    assert noise(fixed, TEXTS, OTHERS).mmd.value is None


def test_nothing_and_one_text():
    assert moved([], [], references=[]).drift.reason == "There was no text to measure with."
    one = moved(["a b"], ["c d"], references=["e"])
    assert one.drift.value is not None
    assert one.drift.low is None
    assert "at least two" in str(one.mmd.reason)


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="5 texts for 6 answers"):
        moved(TEXTS[:5], OTHERS)
    with pytest.raises(ValueError, match="2 references for 6 answers"):
        moved(TEXTS, OTHERS, references=["a", "b"])


def test_noise_is_what_two_runs_of_one_model_differ_by():
    fixed = Embedded(TEXTS, TEXTS, embedder=Letters())
    same = noise(fixed, OTHERS, OTHERS)
    assert (same.drift.value, same.consistency.value, same.mmd.value) == (0.0, 0.0, 0.0)
    found = noise(fixed, OTHERS, AWAY)
    assert found.drift.value > 0  # type: ignore[operator]
    assert found.consistency.value > 0  # type: ignore[operator]
    assert set(found.dump()) == {"drift", "consistency", "mmd"}


def test_the_first_prompts_are_measured_by_the_same_kernel():
    fixed = Embedded(TEXTS, OTHERS, embedder=Letters(), clusters=["a", "a", *"bcde"])
    part = fixed.first(3)
    assert part.sigma == fixed.sigma
    found = measured(part, AWAY[:3])
    assert list(found.rows["drift"]) == list(measured(fixed, AWAY).rows["drift"][:3])
    assert found.drift.n == 3
    assert measured(fixed.first(2), AWAY[:2]).drift.low is None  # both answer one prompt


def test_what_was_embedded_long_ago_is_forgotten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("easymodel_nb.metrics.vectors._REMEMBERED", 8)
    encoder = Letters()
    vectors = Vectors(encoder)
    first = vectors(TEXTS)
    vectors(OTHERS)
    vectors(AWAY)
    assert sorted(vectors._known) == sorted(AWAY)
    assert (vectors(["", *TEXTS])[1:] == first).all()
    assert encoder.asked.count(TEXTS[0]) == 2


# ---------------------------------------------------------------- MMD itself


def cloud(seed: int, shift: float = 0.0, n: int = 40) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1, size=(n, 8))


def test_mmd_is_what_the_paper_says():
    x, y = cloud(1, n=5), cloud(2, n=5)
    sigma, n = 2.0, 5

    def k(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.exp(-((a - b) ** 2).sum() / (2 * sigma**2)))

    slow = sum(
        k(x[i], x[j]) + k(y[i], y[j]) - k(x[i], y[j]) - k(x[j], y[i])
        for i in range(n)
        for j in range(n)
        if i != j
    ) / (n * (n - 1))
    assert discrepancy(x, y, sigma=sigma).value.value == pytest.approx(slow)
    assert discrepancy(y, x, sigma=sigma).value.value == pytest.approx(slow)


def test_mmd_is_unbiased_and_its_test_keeps_its_level():
    sigma = 4.0
    found = [discrepancy(cloud(2 * s), cloud(2 * s + 1), sigma=sigma) for s in range(60)]
    values = np.array([one.value.value for one in found])
    assert abs(values.mean()) < 3 * values.std() / np.sqrt(60)
    assert np.mean([float(one.p_value or 0) <= 0.05 for one in found]) < 0.15


def test_a_shift_is_found_and_its_direction_told():
    base, near, target = cloud(1), cloud(2, 0.8), cloud(3, 1.0)
    sigma = bandwidth(np.concatenate([base, target]))
    assert discrepancy(base, near, sigma=sigma).p_value == pytest.approx(1 / 501)
    there, back = (towards(a, b, target, sigma=sigma) for a, b in ((base, near), (near, base)))
    assert there.low > 0  # type: ignore[operator]
    assert there.value == pytest.approx(-back.value)  # type: ignore[operator]


def test_the_width_of_the_kernel():
    assert bandwidth(np.array([[0.0], [1.0], [3.0]])) == 2.0
    assert bandwidth(np.zeros((4, 2))) == 1.0
    assert bandwidth(np.zeros((0, 2))) == 1.0
    assert bandwidth(np.array([[0.0]] * 5 + [[3.0]])) == 3.0


@given(st.text(min_size=2, max_size=50))
@few
def test_halves_lose_only_white_space(text: str):
    left, right = halves(text)
    assert left
    assert right
    assert "".join((left + right).split()) == "".join(text.split())
