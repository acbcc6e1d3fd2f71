"""The properties of the quality score (METRICS 5.7), with the real judges on built-in texts."""

import json
import random
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import wilcoxon

from easymodel_nb import builtin
from easymodel_nb.metrics import judges as all_judges
from easymodel_nb.metrics import quality
from easymodel_nb.metrics.coherence import order_gain
from easymodel_nb.metrics.quality import AXES, Calibration, Quality, calibrate
from easymodel_nb.metrics.text import sentences

if TYPE_CHECKING:
    from collections.abc import Callable

N = 64


def requests(split: str) -> list[dict[str, str]]:
    lines = (builtin.path("requests") / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def speeches(split: str) -> list[str]:
    text = (builtin.path("shakespeare") / f"{split}.txt").read_text(encoding="utf-8")
    return [" ".join(part.split("\n")[1:]) for part in text.split("\n\n")]


@pytest.fixture(scope="module", autouse=True)
def _real_judges() -> None:
    found = all_judges.local()
    if found.encoder is None or found.grammar is None:
        pytest.fail(f"the real judges are needed here: {found.reasons}")


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    return requests("validation")[:N]


@pytest.fixture(scope="module")
def targets(rows: list[dict[str, str]]) -> list[str]:
    return [row["target"] for row in rows]


@pytest.fixture(scope="module")
def requested(rows: list[dict[str, str]], targets: list[str]) -> Calibration:
    """One sentence an answer, and a prompt that says what is in it."""
    return calibrate(
        prompts=[row["prompt"] for row in rows],
        references=targets,
        fit_texts=[row["target"] for row in requests("train")],
    )


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return [text for text in speeches("validation") if len(text.split(". ")) > 3][:N]


@pytest.fixture(scope="module")
def played(lines: list[str]) -> Calibration:
    """Several sentences an answer, without prompts."""
    return calibrate(prompts=None, references=lines, fit_texts=speeches("train")[:3000])


def column(found: Quality, axis: str) -> np.ndarray:
    return found.rows[axis].to_numpy()


def corrupted(text: str, seed: int) -> str:
    """Two words exchanged, one lost, one doubled."""
    draw, parts = random.Random(seed), text.split()
    i, j = draw.sample(range(len(parts)), 2)
    parts[i], parts[j] = parts[j], parts[i]
    del parts[draw.randrange(len(parts))]
    k = draw.randrange(len(parts))
    return " ".join([*parts[: k + 1], *parts[k:]])


def test_corrupting_lowers_grammar_in_four_of_five_pairs(
    requested: Calibration, targets: list[str]
):
    damaged = [corrupted(text, seed) for seed, text in enumerate(targets)]
    before, after = (column(requested.score(t), "grammar") for t in (targets, damaged))
    assert np.mean(after < before) >= 0.8


def test_damage_is_seen_beyond_the_references_too(requested: Calibration):
    scale = requested._setting.scales.grammar
    assert scale.scale is not None
    high, low = scale.scale.high, scale.scale.low
    assert high < 1
    above, top = scale(np.array([high, (1 + high) / 2]))
    assert above < top <= 1
    assert 0 <= scale(np.array([0.0]))[0] < scale(np.array([max(low, 0.01)]))[0]


def test_repeating_lowers_fluency_and_coherence(played: Calibration, lines: list[str]):
    once, thrice = played.score(lines), played.score([" ".join([text] * 3) for text in lines])
    for axis in ("fluency", "coherence"):
        assert (column(thrice, axis) < column(once, axis)).all()
        assert column(thrice, axis).mean() < 0.1


@pytest.mark.parametrize("text", ["the " * 30, "I do not know. " * 8, "! " * 20])
def test_degenerate_text_is_not_fluent(requested: Calibration, text: str):
    assert (column(requested.score([text] * N), "fluency") < 0.1).all()


def test_exchanged_references_lower_relevance(
    rows: list[dict[str, str]], targets: list[str], requested: Calibration
):
    other = [*targets[1:], targets[0]]
    swapped = calibrate(prompts=[row["prompt"] for row in rows], references=other)
    true, false = (column(c.score(targets), "relevance") for c in (requested, swapped))
    assert wilcoxon(true, false, alternative="greater").pvalue < 0.01


def test_answers_to_other_prompts_are_not_relevant(requested: Calibration, targets: list[str]):
    other = requested.score([*targets[1:], targets[0]])
    assert (
        column(other, "relevance").mean()
        < 0.5 * column(requested.score(targets), "relevance").mean()
    )


def test_copying_the_prompt_is_not_relevant(requested: Calibration, rows: list[dict[str, str]]):
    copied = requested.score([row["prompt"] for row in rows])
    assert (column(copied, "relevance") < 0.35).all()
    assert copied.relevance.value < requested.references.relevance.value


def test_scrambling_the_order_of_sentences_does_not_raise_coherence(
    played: Calibration, lines: list[str]
):
    def shuffled(text: str, seed: int) -> str:
        parts = [part.strip(".") + "." for part in text.split(". ")]
        random.Random(seed).shuffle(parts)
        return " ".join(parts)

    mixed = played.score([shuffled(text, seed) for seed, text in enumerate(lines)])
    assert mixed.coherence.value <= played.score(lines).coherence.value


def test_the_order_of_sentences_is_told_from_chance():
    lines = (builtin.path("general") / "passages.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [sentences(json.loads(line)["text"]) for line in lines]
    encoder = all_judges.local().encoder
    assert encoder is not None
    lower = []
    for seed, parts in enumerate(text for text in texts if 6 <= len(text) <= 12):
        vectors, draw = encoder.sentences(parts), np.random.default_rng(seed)
        own = order_gain(vectors)
        lower += [order_gain(vectors[draw.permutation(len(parts))]) < own for _ in range(5)]
    assert len(lower) > 100
    assert np.mean(lower) >= 0.65


def test_references_score_highest(requested: Calibration, targets: list[str]):
    own = requested.score(targets)
    damaged: list[Callable[[str, int], str]] = [
        corrupted,
        lambda text, _: text[: len(text) // 3],
        lambda text, _: " ".join([text] * 3),
        lambda text, _: text + " " + targets[0],
    ]
    for damage in damaged:
        worse = requested.score([damage(text, seed) for seed, text in enumerate(targets)])
        assert worse.overall.value < own.overall.value


def test_every_number_has_its_size_its_interval_and_its_judge(
    requested: Calibration, targets: list[str]
):
    found = requested.score(targets)
    assert found.coherence.value is None
    for name in ("overall", "fluency", "grammar", "relevance"):
        value = getattr(found, name)
        assert value.n == N
        assert value.low <= value.value <= value.high
        assert "@" in value.judge
    assert found.overall.unit == "of 100"
    assert found.judges["relevance"] == str(all_judges.local().encoder.identity)
    assert found.judges["grammar"].startswith("well-formed")
    assert list(found.point()) == ["overall", *AXES]


def test_the_references_own_score_is_high_and_read_against_the_others(
    requested: Calibration, targets: list[str]
):
    own = requested.references
    assert own.overall.n == N
    assert 0.9 < own.fluency.value <= 1
    assert 60 < own.overall.value < requested.score(targets).overall.value + 5


def test_the_same_answers_have_the_same_scores_in_any_company(
    requested: Calibration, rows: list[dict[str, str]], targets: list[str]
):
    first = requested.score(targets)
    assert requested.score(targets).rows.equals(first.rows)
    half = [
        text if i % 2 else "Something else, of another length altogether."
        for i, text in enumerate(targets)
    ]
    kept = requested.score(half).rows.iloc[1::2]
    assert kept.equals(first.rows.iloc[1::2])
    order = np.random.default_rng(5).permutation(N)
    mixed = calibrate(
        prompts=[rows[i]["prompt"] for i in order],
        references=[targets[i] for i in order],
        fit_texts=[row["target"] for row in requests("train")],
    ).score([targets[i] for i in order])
    assert mixed.rows.to_numpy() == pytest.approx(
        first.rows.iloc[order].to_numpy(), nan_ok=True, abs=1e-4
    )
    assert mixed.overall.value == pytest.approx(first.overall.value, abs=1e-4)


def test_a_scorer_decides_by_what_it_tells_apart(rows: list[dict[str, str]], targets: list[str]):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = builtin.path("tiny-gpt2")
    scorer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    found = quality(
        targets[:24],
        prompts=[row["prompt"] for row in rows[:24]],
        references=targets[:24],
        fit_texts=[row["target"] for row in requests("train")[:200]],
        scorer=scorer,
    )
    assert "AUC" in found.notes["relevance"]
    assert ("tiny-gpt2" in found.judges["relevance"]) == (
        "by the scorer's gain;" in found.notes["relevance"]
    )
    assert found.judges["fluency"].startswith("tiny-gpt2@")
    assert found.fluency.value > 0.8


def test_without_an_encoder_words_are_compared(rows: list[dict[str, str]], targets: list[str]):
    none = all_judges.Judges(reasons={"encoder": "Get it.", "grammar": "Get that."})
    found = quality(
        targets, prompts=[row["prompt"] for row in rows], references=targets, judge=none
    )
    assert found.coherence.reason == "Get it."
    assert found.grammar.reason == "Get that."
    assert found.judges["relevance"] == "words"
    swapped = quality(
        [*targets[1:], targets[0]],
        prompts=[row["prompt"] for row in rows],
        references=targets,
        judge=none,
    )
    assert swapped.relevance.value < 0.5 * found.relevance.value


def test_a_source_supports_what_is_taken_from_it():
    parts = [text.split(". ") for text in speeches("train")]
    sources = [". ".join(part) for part in parts if 7 <= len(part) <= 9][:16]
    good = [". ".join(source.split(". ")[1:6:2]) + "." for source in sources]
    turned = [". ".join(source.split(". ")[5:0:-2]) + "." for source in sources]
    setting = calibrate(prompts=sources, references=good, sources=sources, summaries=True)
    straight, back, foreign = (
        setting.score(texts).coherence.value for texts in (good, turned, [*good[1:], good[0]])
    )
    assert straight > back > foreign


def test_no_text_breaks_the_real_judges(requested: Calibration):
    odd = ["\ud800", "\x00\x01\x02", "\u202e\u200d\U0001f468", "\u0e2a" * 600, "a" * 5000, "? ! ."]
    odd += ["\u0915\u094d" * 40, "-" * 300, "{}" * 50, "1 2 3", "\r\n\r\n.", "\ufffd"]
    found = requested.score([odd[i % len(odd)] for i in range(N)])
    assert found.counts["bad"] == 0
    assert found.rows["overall"].between(2, 100).all()
    known = found.rows[list(AXES)].to_numpy()
    assert ((known >= 0) & (known <= 1) | np.isnan(known)).all()
