"""The n-gram model: probabilities that sum to 1, an oracle of the formula, and what SLOR tells."""

import lzma
import math
import os
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.metrics import ngram
from easymodel_nb.metrics.ngram import NGram

TEXTS = [
    f"{who} {what} the {thing} {where}."
    for who in ("The king", "A woman", "My father", "She", "The old dog", "Nobody")
    for what in ("saw", "has seen", "wanted", "took", "did not like")
    for thing in ("house", "bread", "red horse", "letter")
    for where in ("in the town", "before he left", "and went away", "at night")
]


@pytest.fixture(scope="module")
def model() -> NGram:
    return NGram(TEXTS)


@given(st.text(max_size=30))
def test_probabilities_sum_to_one_after_any_text(context: str):
    chances = fitted().next_piece(context)
    assert chances.sum() == pytest.approx(1, abs=1e-9)
    assert (chances >= 0).all()
    assert (chances[1:] > 0).all()  # all but the start of a sentence, which follows nothing


def fitted(kept: list[NGram] = []) -> NGram:  # noqa: B006  fitted once for all examples
    if not kept:
        kept.append(NGram(TEXTS))
    return kept[0]


@pytest.mark.parametrize("order", [2, 3, 4])
def test_it_is_modified_kneser_ney(order: int):
    """Against the formulas of Chen & Goodman 1998 written down with dictionaries."""
    model = NGram(TEXTS, order=order)
    oracle = Oracle([[0, *ids, 1] for ids in model._encode(sorted(TEXTS))], order, model._size)
    for sentence in (TEXTS[3], "The king went away.", "Nobody zq", "a"):
        ids = [0, *model._encode([sentence])[0], 1]
        expected = sum(
            math.log(oracle.probability(tuple(ids[max(0, place - order + 1) : place + 1])))
            for place in range(1, len(ids))
        )
        assert model.log_probability([sentence])[0] == pytest.approx(expected, rel=1e-9)


class Oracle:
    def __init__(self, rows: list[list[int]], order: int, size: int) -> None:
        self.size = size
        self.counts: dict[int, Counter[tuple[int, ...]]] = {}
        raw = {
            n: Counter(tuple(row[i : i + n]) for row in rows for i in range(len(row) - n + 1))
            for n in range(1, order + 1)
        }
        for n in range(1, order + 1):
            if n == order:
                self.counts[n] = raw[n]
                continue
            before = Counter(longer[1:] for longer in raw[n + 1])
            starts = Counter({g: c for g, c in raw[n].items() if g[0] == 0 and n > 1})
            self.counts[n] = before + starts

    def cut(self, n: int, count: int) -> float:
        kinds = Counter(min(c, 5) for c in self.counts[n].values())
        share = kinds[1] / (kinds[1] + 2 * kinds[2]) if kinds[1] else 0
        k = min(count, 3)
        if not k:
            return 0
        found = k - (k + 1) * share * kinds[k + 1] / kinds[k] if kinds[k] and share else 0
        return found if 0 < found < k else k / 2

    def probability(self, gram: tuple[int, ...]) -> float:
        n = len(gram)
        counts = self.counts[n]
        inside = {g: c for g, c in counts.items() if g[:-1] == gram[:-1]}
        lower = self.probability(gram[1:]) if n > 1 else 1 / (self.size - 1)
        if not inside:
            return lower
        total = sum(inside.values())
        spared = sum(min(self.cut(n, c), c) for c in inside.values()) / total
        count = inside.get(gram, 0)
        return max(count - self.cut(n, count), 0) / total + spared * lower


def test_word_order_and_invented_words_cost(model: NGram):
    good = "The king took the bread at night."
    mixed = "bread the took king night at The."
    nonsense = "Xqv zzkp wvv qqj."
    scores = model.slor([good, mixed, nonsense])
    assert scores[0] > scores[1]
    assert scores[0] > scores[2]
    assert scores[2] < 0


def test_what_has_no_piece_has_no_score(model: NGram):
    scores = model.slor(["", " \n", "She saw."])
    assert np.isnan(scores).tolist() == [True, True, False]
    assert np.isnan(model.slor(["", ""])).all()
    assert model.slor([]).shape == (0,)


def test_scores_do_not_depend_on_what_is_scored_beside(model: NGram):
    sentences = [TEXTS[5], "", "something else entirely", "日本語 and ☃", TEXTS[70]]
    together = model.slor(sentences)
    alone = np.concatenate([model.slor([sentence]) for sentence in sentences])
    np.testing.assert_allclose(together, alone, rtol=1e-12)


@pytest.mark.parametrize(
    "texts",
    [
        ["def add(a, b):\n    return a + b\n", "for i in range(3):\n    print(i)\n"] * 20,
        ["猫が好きです。犬も好きです。", "今日は天気がいいですね。"] * 20,
        ["x"],
        ["<|start|> <|end|>"] * 3,
    ],
    ids=["code", "japanese", "one letter", "its own marks"],
)
def test_any_language_and_code_can_be_fitted(texts: list[str]):
    model = NGram(texts)
    assert np.isfinite(model.slor(texts[:2])).all()
    assert model.next_piece(texts[0]).sum() == pytest.approx(1, abs=1e-9)


def test_its_identity_is_that_of_what_it_was_fitted_on():
    again = NGram(list(TEXTS))
    assert again.identity == fitted().identity
    assert NGram(TEXTS[:-1]).identity.hash != again.identity.hash
    assert str(again.identity).startswith("kneser-ney-4@")


def test_no_more_than_the_cap_is_counted():
    small = NGram(TEXTS, max_tokens=500)
    assert small.fit_tokens < fitted().fit_tokens
    whole = NGram(TEXTS * 3, max_tokens=400)
    assert whole.fit_tokens < 1_300  # whole sentences of about three characters a token


@pytest.mark.parametrize("texts", [[], [""], ["  \n "]])
def test_nothing_to_fit_on_is_told(texts: list[str]):
    with pytest.raises(ValueError, match="no text to fit"):
        NGram(texts)


def test_held_out_english_is_likelier_than_itself_shuffled():
    file = Path(os.environ.get("EASYMODEL_SHARED", Path(__file__).parents[3] / "shared"))
    file = file / "corpus" / "stories.txt.xz"
    if not file.is_file():
        if os.environ.get("CI") == "1" and "EASYMODEL_SHARED" in os.environ:
            pytest.fail(f"EASYMODEL_SHARED has no {file}")
        pytest.skip(f"needs the corpus: {file}")
    sentences = ngram.split(lzma.decompress(file.read_bytes()).decode())
    model = NGram(sentences[:4_000])
    held = [s for s in sentences[4_000:4_400] if len(s.split()) > 5]
    draw = random.Random(0)
    mixed = [" ".join(draw.sample(s.split(), len(s.split()))) for s in held]
    assert (model.slor(held) > model.slor(mixed)).mean() > 0.9
