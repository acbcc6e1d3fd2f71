"""The quality score where texts or judges are bad: nothing made up, nothing lost (METRICS 5.6)."""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from easymodel_nb.metrics import quality
from easymodel_nb.metrics.judges import Identity, Judges
from easymodel_nb.metrics.quality import AXES, Quality, calibrate
from easymodel_nb.metrics.scales import Spread
from easymodel_nb.metrics.scoring import WEIGHTS, overall

N = 24
PLACES = ["Rome", "Paris", "Cairo", "Lima", "Oslo", "Quito", "Delhi", "Seoul"]
FOODS = ["soup", "bread", "fish"]
PROMPTS = [f"Where is {food} good in {place}?" for place in PLACES for food in FOODS]
ANSWERS = [
    f"In {place} the {food} of the market is good. You can have it at {hour} with a friend."
    for place in PLACES
    for food, hour in zip(FOODS, ("noon", "five", "night"), strict=True)
]


def vector(text: str) -> np.ndarray:
    """Sum of a fixed random vector for each word: alike where words are the same."""
    found = np.zeros(64, dtype=np.float32)
    for word in text.lower().split() or [""]:
        seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")
        found += np.random.default_rng(seed).standard_normal(64).astype(np.float32)
    return found / np.linalg.norm(found)


class Encoder:
    """Words instead of wordpieces; gives NaN for texts with the word that it is told."""

    identity = Identity(id="words", hash="0" * 12, licence="MIT")

    def __init__(self, bad: str | None = None) -> None:
        self.bad = bad
        self.asked: list[str] = []

    def _mark(self, text: str, found: np.ndarray) -> np.ndarray:
        return found * np.nan if self.bad and self.bad in text else found

    def sentences(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += texts
        found = [self._mark(text, vector(text)) for text in texts]
        return np.stack(found) if found else np.zeros((0, 64), dtype=np.float32)

    def tokens(self, texts: Sequence[str]) -> list[np.ndarray]:
        return [
            self._mark(text, np.stack([vector(word) for word in text.split() or [""]]))
            for text in texts
        ]

    def layer(self, texts: Sequence[str], layer: int = 4) -> np.ndarray:
        return np.repeat(self.sentences(texts), 12 * layer // 4, axis=1)

    def unknown_share(self, text: str) -> float:
        return float(bool(text) and not text.isascii())


class Grammar:
    """Likes sentences that begin with a capital and end with a full stop."""

    identity = Identity(id="capitals", hash="1" * 12, licence="MIT")
    label = "Well-formed"
    rescale = True

    def probabilities(self, sentences: Sequence[str]) -> np.ndarray:
        return np.array([0.2 + 0.3 * s[:1].isupper() + 0.3 * s.endswith(".") for s in sentences])


JUDGES = Judges(encoder=Encoder(), grammar=Grammar())


def scored(texts: Sequence[str], judge: Judges = JUDGES, **given: object) -> Quality:
    arguments = {"prompts": PROMPTS, "references": ANSWERS, "judge": judge, **given}
    return quality(texts, **arguments)  # type: ignore[arg-type]


def column(found: Quality, axis: str) -> np.ndarray:
    return found.rows[axis].to_numpy()


@pytest.fixture(scope="module")
def setting():
    return calibrate(prompts=PROMPTS, references=ANSWERS, judge=JUDGES)


# ---------------------------------------------------------------- ranges


@settings(max_examples=40)
@given(st.lists(st.text(max_size=80), min_size=N, max_size=N))
def test_any_unicode_has_scores_in_range_or_none(texts: list[str]):
    found = SETTING.score(texts)
    rows = found.rows
    assert len(rows) == N
    for axis in AXES:
        known = rows[axis].dropna()
        assert ((known >= 0) & (known <= 1)).all()
    assert rows["overall"].between(2, 100).all()
    for value in found.point().values():
        assert (value.value is None) != (value.reason is None)


SETTING = calibrate(prompts=PROMPTS, references=ANSWERS, judge=JUDGES)
SCORE = st.one_of(st.just(float("nan")), st.floats(0, 1))


@given(st.fixed_dictionaries(dict.fromkeys(AXES, SCORE)), st.sampled_from(AXES), st.floats(0, 1))
def test_the_whole_rises_with_each_axis(axes: dict[str, float], axis: str, more: float):
    one = {name: np.array([value]) for name, value in axes.items()}
    before = overall(one, np.array([False]))[0]
    if np.isnan(axes[axis]):
        return
    raised = {**one, axis: np.maximum(one[axis], more)}
    after = overall(raised, np.array([False]))[0]
    assert 2 <= before <= after <= 100


def test_the_whole_is_a_weighted_geometric_mean_over_what_there_is():
    axes = {"fluency": 0.9, "coherence": np.nan, "grammar": 0.5, "relevance": 0.0}
    weights = {name: WEIGHTS[name] for name in ("fluency", "grammar", "relevance")}
    logs = sum(w * np.log(max(axes[name], 0.02)) for name, w in weights.items())
    expected = 100 * np.exp(logs / sum(weights.values()))
    found = overall({k: np.array([v]) for k, v in axes.items()}, np.array([False]))
    assert found == pytest.approx([expected])
    nothing = overall({k: np.array([np.nan]) for k in axes}, np.array([False]))
    assert np.isnan(nothing).all()


def test_the_band_has_two_sides_and_forgives_more_above():
    band = Spread.of(np.linspace(-1, 1, 101))
    assert band is not None
    z = np.array([-4.0, -1.2, -1, 0, 1.5, 1.7, 4])
    found = band.band(band.middle + z * band.half)
    assert found[2:5] == pytest.approx([1, 1, 1])
    assert found[0] < found[1] < 1
    assert found[6] < found[5] < 1
    assert band.band(band.middle + np.array([2.0]) * band.half) > band.band(
        band.middle - np.array([2.0]) * band.half
    )
    assert np.isnan(band.band(np.array([np.nan]))).all()
    assert Spread.of(np.arange(7.0)) is None


# ---------------------------------------------------------------- bad texts


def test_an_empty_text_scores_two_and_is_counted():
    found = scored([*ANSWERS[:-3], "", " \n", "\u200b"])
    assert found.counts["empty"] == 3
    assert found.rows.iloc[-3:].to_numpy().tolist() == [[2, 0, 0, 0, 0]] * 3
    assert found.overall.n == found.fluency.n == N
    assert found.overall.value < scored(ANSWERS).overall.value
    nothing = scored([""] * N)
    assert nothing.overall.value == 2
    assert nothing.relevance.value == 0


def test_a_model_that_mostly_says_nothing_has_a_score_all_the_same():
    found = scored([*ANSWERS[:3], *[""] * (N - 3)])
    assert found.overall.n == found.relevance.n == N
    assert found.overall.value == pytest.approx(found.rows["overall"].mean())
    assert found.overall.value < 20


def test_nothing_said_scores_two_without_references_too():
    found = scored([""] * N, references=None)
    assert found.overall.value == 2
    assert found.overall.n == N


def test_one_word_has_no_fluency_and_one_sentence_no_coherence():
    found = scored([*ANSWERS[:-2], "Yes.", "In Rome the soup is good."])
    assert found.counts["short"] == 1
    assert found.counts["one_sentence"] == 2
    last = found.rows.iloc[-2:]
    assert last["fluency"].isna().tolist() == [True, False]
    assert last["grammar"].isna().tolist() == [True, False]
    assert last["coherence"].isna().all()
    assert last["overall"].notna().all()
    assert found.coherence.n == N - 2


def test_an_axis_that_no_text_has_is_empty_and_says_why():
    single = [answer.split(". ")[0] + "." for answer in ANSWERS]
    found = scored(single)
    assert found.coherence.value is None
    assert "one sentence" in found.coherence.reason
    assert column(found, "coherence").size == N
    assert np.isnan(column(found, "coherence")).all()
    assert found.overall.value is not None
    few = scored([*single[:-3], *ANSWERS[-3:]])
    assert "too few samples: 3" in few.coherence.reason


def test_other_languages_are_not_judged_by_an_english_probe():
    found = scored(["Вчера шёл дождь. Мы были дома."] * N)
    assert found.counts["not_english"] == N
    assert found.grammar.value is None
    assert "English" in found.grammar.reason
    german = "Der Fisch auf dem Markt in Rom schmeckt sehr gut, und man kann ihn dort am Mittag mit"
    german += " einem Freund essen. Danach geht man nach Hause und schläft."
    learnt = calibrate(
        prompts=PROMPTS, references=[f"{german} {place}" for place in PROMPTS], judge=JUDGES
    )
    assert learnt.references.grammar.value is None


def test_code_has_no_grammar_and_no_coherence_but_parses():
    code = [
        f"def f{i}(x):\n    if x[{i}] > len(x):\n        return {{'{place}': x}}\n    return [x]"
        for i, place in enumerate(PLACES * 3)
    ]
    setting = calibrate(prompts=PROMPTS, references=code, judge=JUDGES)
    found = setting.score(code)
    assert found.counts["code"] == N
    assert "code" in found.grammar.reason
    assert "code" in found.coherence.reason
    broken = setting.score([text.replace("):", ") {{", 1) for text in code])
    assert broken.fluency.value == pytest.approx(found.fluency.value / 2)


def test_fewer_than_sixteen_prompts_have_no_score():
    few = quality(ANSWERS[:15], prompts=PROMPTS[:15], references=ANSWERS[:15], judge=JUDGES)
    for value in few.point().values():
        assert value.reason == "too few samples: 15 of 16"
    assert len(few.rows) == 15
    assert few.rows["overall"].notna().all()
    some = quality(ANSWERS[:16], prompts=PROMPTS[:16], references=ANSWERS[:16], judge=JUDGES)
    assert some.overall.value is not None
    assert some.indicative
    assert some.notes["overall"].startswith("Indicative")


def test_none_at_all():
    found = quality([], prompts=[], references=[], judge=JUDGES)
    assert found.overall.reason == "too few samples: 0 of 16"
    assert found.rows.empty


# ---------------------------------------------------------------- what was given


def test_without_references_relevance_is_by_the_prompt_alone():
    found = quality(ANSWERS, prompts=PROMPTS, judge=JUDGES)
    assert found.relevance.value is not None
    assert "prompt alone" in found.notes["relevance"]
    assert found.references.overall.value is None
    assert "references" in found.references.overall.reason


def test_without_prompts_there_is_no_relevance():
    found = quality(ANSWERS, prompts=None, references=ANSWERS, judge=JUDGES)
    assert found.relevance.value is None
    assert "prompts" in found.relevance.reason
    assert found.overall.value is not None
    alone = quality(ANSWERS, prompts=None, judge=JUDGES)
    assert alone.fluency.value is not None


def test_wrong_numbers_of_texts_are_told():
    with pytest.raises(ValueError, match="24 prompts and 3 references"):
        calibrate(prompts=PROMPTS, references=ANSWERS[:3], judge=JUDGES)
    with pytest.raises(ValueError, match="2 texts for 24 prompts"):
        SETTING.score(ANSWERS[:2])


def test_several_references_count_by_the_best():
    both = calibrate(
        prompts=PROMPTS,
        references=[[answer, "Nobody knows. It is a secret."] for answer in ANSWERS],
        judge=JUDGES,
    )
    found = both.score(["Nobody knows. It is a secret."] * N)
    assert (column(found, "relevance") > column(scored(["Nobody knows."] * N), "relevance")).all()


def test_the_same_prompt_twice_is_no_new_evidence():
    texts = [answer if i % 2 else "No idea. None." for i, answer in enumerate(ANSWERS)]
    once = scored(texts)
    twice = quality(texts * 2, prompts=PROMPTS * 2, references=ANSWERS * 2, judge=JUDGES)
    assert twice.overall.n == 2 * N
    assert twice.counts["prompts"] == N
    width = twice.overall.high - twice.overall.low
    assert width > 0.85 * (once.overall.high - once.overall.low)


def test_a_dialogue_is_answered_at_its_end():
    turns = ["We like it . It is warm today .", "I saw a film . Was it long ?"]
    talks = [f"{turns[i % 2]}\n{turns[1 - i % 2]}\n{p}\nAnswer:" for i, p in enumerate(PROMPTS)]
    found = quality(ANSWERS, prompts=talks, references=ANSWERS, judge=JUDGES)
    assert "by the cosine to its last line;" in found.notes["relevance"]
    whole = quality(ANSWERS, prompts=PROMPTS, references=ANSWERS, judge=JUDGES)
    assert column(found, "relevance") == pytest.approx(column(whole, "relevance"), abs=0.05)


def test_a_prompt_that_tells_nothing_does_not_count():
    same = ["Say something about {}.".format("it" * (i + 1)) for i in range(N)]
    found = quality(ANSWERS, prompts=same, references=ANSWERS, judge=JUDGES)
    assert "reference alone" in found.notes["relevance"]
    assert found.relevance.value > 0.95


# ---------------------------------------------------------------- bad judges


def test_one_text_without_finite_numbers_is_dropped_from_its_axis():
    broken = Judges(encoder=Encoder(bad="zebra"), grammar=Grammar())
    found = scored([*ANSWERS[:-1], "The zebra is good. It is."], broken)
    assert found.counts["bad"] == 1
    assert found.relevance.n == N - 1
    assert np.isnan(column(found, "relevance")[-1])
    assert np.isfinite(column(found, "overall")).all()


def test_more_than_five_percent_of_them_leave_no_axis():
    broken = Judges(encoder=Encoder(bad="zebra"), grammar=Grammar())
    found = scored([*ANSWERS[:-2], "The zebra is good. It is.", "A zebra. Yes."], broken)
    assert found.counts["bad"] == 2
    assert "2 of 24" in found.relevance.reason
    assert np.isnan(column(found, "relevance")).all()
    assert found.fluency.value is not None


def test_a_judge_that_fails_costs_its_axis_only():
    class Broken(Grammar):
        def probabilities(self, sentences: Sequence[str]) -> np.ndarray:
            raise RuntimeError(f"no memory for {len(sentences)}")

    found = scored(ANSWERS, Judges(encoder=Encoder(), grammar=Broken()))
    assert "no memory" in found.grammar.reason
    assert found.overall.value is not None
    assert "capitals" not in found.overall.judge


def test_an_encoder_that_fails_costs_what_it_judges():
    class Broken(Encoder):
        def sentences(self, texts: Sequence[str]) -> np.ndarray:
            raise RuntimeError(f"no memory for {len(texts)}")

        tokens = unknown_share = sentences

    found = scored(ANSWERS, Judges(encoder=Broken(), grammar=Grammar()))
    assert "no memory" in found.relevance.reason
    assert "no memory" in found.references.relevance.reason
    assert found.fluency.value is not None
    assert found.overall.value is not None


@pytest.mark.parametrize("name", ["encoder", "grammar"])
def test_a_missing_judge_is_told(name: str):
    judges = {"encoder": Encoder(), "grammar": Grammar(), name: None}
    found = scored(ANSWERS, Judges(**judges, reasons={name: "Get it: pip install it."}))
    axis = {"encoder": "coherence", "grammar": "grammar"}[name]
    assert getattr(found, axis).reason == "Get it: pip install it."
    assert axis not in found.judges
    assert found.overall.value is not None


def test_each_distinct_text_is_encoded_once():
    encoder = Encoder()
    setting = calibrate(
        prompts=PROMPTS, references=ANSWERS, judge=Judges(encoder=encoder, grammar=Grammar())
    )
    encoder.asked.clear()
    texts = ["In Rome it is good. It is near."] * N
    setting.score(texts)
    assert len(encoder.asked) == len(set(encoder.asked))
    encoder.asked.clear()
    setting.score(texts)
    assert not encoder.asked


def test_the_order_of_texts_does_not_matter():
    texts = [a if i % 3 else "Perhaps. Perhaps not." for i, a in enumerate(ANSWERS)]
    order = np.random.default_rng(3).permutation(N)
    mixed: Callable[[list[str]], list[str]] = lambda some: [some[i] for i in order]  # noqa: E731
    first = scored(texts)
    second = quality(mixed(texts), prompts=mixed(PROMPTS), references=mixed(ANSWERS), judge=JUDGES)
    assert second.overall.value == pytest.approx(first.overall.value)
    assert second.rows.to_numpy() == pytest.approx(first.rows.to_numpy()[order], nan_ok=True)
    assert second.references.overall.value == pytest.approx(first.references.overall.value)


class Scorer:
    """A scorer that finds texts with one word far likelier after anything."""

    identity = Identity(id="scorer", hash="2" * 12, licence="MIT")

    def prompt_gain(self, prompts: Sequence[str], texts: Sequence[str]) -> np.ndarray:
        return np.array(
            [
                len(set(p.lower().split()) & set(t.lower().split())) / (1 + len(t.split()))
                for p, t in zip(prompts, texts, strict=True)
            ]
        )

    def next_sentence_gain(self, texts: Sequence[Sequence[str]]) -> np.ndarray:
        return np.array(
            [
                np.mean([0.3 + 3.0 * ("again" in s) + 0.01 * len(s) for s in parts[1:]])
                for parts in texts
            ]
        )


def test_what_follows_too_predictably_is_not_more_coherent():
    setting = calibrate(prompts=PROMPTS, references=ANSWERS, judge=JUDGES, scorer=Scorer())
    again = setting.score([answer.replace("You", "And again you") for answer in ANSWERS])
    own = setting.score(ANSWERS)
    assert (column(again, "coherence") < column(own, "coherence")).all()
    assert "scorer@" in own.judges["coherence"]


def test_the_prompt_is_judged_by_what_tells_prompts_apart():
    class Blind(Scorer):
        def prompt_gain(self, prompts: Sequence[str], texts: Sequence[str]) -> np.ndarray:
            return np.zeros(len(texts)) + 0.0 * len(prompts)

    class Seeing(Scorer):
        def prompt_gain(self, prompts: Sequence[str], texts: Sequence[str]) -> np.ndarray:
            own = set(zip(PROMPTS, ANSWERS, strict=True))
            return np.array([float(pair in own) for pair in zip(prompts, texts, strict=True)])

    found = {
        scorer: scored(ANSWERS, scorer=scorer()).judges["relevance"] for scorer in (Blind, Seeing)
    }
    assert found[Blind] == "words@000000000000"
    assert found[Seeing] == "words@000000000000 + scorer@222222222222"
