"""Scores of classifiers and taggers against independent computations of the same definitions."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from easymodel_nb.metrics import entities, tasks

Pairs = list[tuple[int, int]]
PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)


def arrays(pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
    truth, predicted = zip(*pairs, strict=True)
    return np.array(truth), np.array(predicted)


def f1_by_hand(pairs: Pairs, kind: int) -> float:
    right = sum(t == p == kind for t, p in pairs)
    wrong = sum((t == kind) != (p == kind) for t, p in pairs)
    return 2 * right / (2 * right + wrong) if right + wrong else 0.0


def mcc_by_hand(pairs: Pairs) -> float:
    """The correlation of the two one-hot codings (Gorodkin 2004), from its covariances."""
    kinds = sorted({kind for pair in pairs for kind in pair})
    x = np.array([[t == kind for kind in kinds] for t, _ in pairs], dtype=float)
    y = np.array([[p == kind for kind in kinds] for _, p in pairs], dtype=float)
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    bottom = math.sqrt((x * x).sum() * (y * y).sum())
    return float((x * y).sum() / bottom) if bottom > 1e-12 else 0.0


@given(PAIRS)
def test_accuracy_macro_f1_and_mcc(pairs: Pairs):
    found = tasks.classification(*arrays(pairs))
    kinds = {kind for pair in pairs for kind in pair}
    expected = {
        "accuracy": sum(t == p for t, p in pairs) / len(pairs),
        "macro_f1": sum(f1_by_hand(pairs, kind) for kind in kinds) / len(kinds),
        "mcc": mcc_by_hand(pairs),
    }
    for name, value in expected.items():
        assert found[name].n == len(pairs)
        assert_allclose(found[name].value, value, atol=1e-9)


@given(PAIRS)
def test_the_interval_is_a_function_of_the_arguments_and_bounded(pairs: Pairs):
    first, again = tasks.classification(*arrays(pairs)), tasks.classification(*arrays(pairs))
    assert first == again
    for name, measured in first.items():
        if len(pairs) < 2:
            assert (measured.low, measured.high) == (None, None)
            continue
        assert measured.low is not None
        assert measured.high is not None
        assert (-1 if name == "mcc" else 0) - 1e-9 <= measured.low <= measured.high <= 1 + 1e-9


def test_the_interval_is_that_of_resampled_texts():
    """The multinomial draw of cells against resampling the texts one by one."""
    from sklearn import metrics as skm

    generator = np.random.default_rng(0)
    truth = generator.integers(0, 3, 300)
    predicted = np.where(generator.random(300) < 0.7, truth, generator.integers(0, 3, 300))
    found = tasks.classification(truth, predicted)
    values = []
    for _ in range(300):
        picks = generator.integers(0, 300, 300)
        drawn = truth[picks], predicted[picks]
        f1 = skm.f1_score(*drawn, average="macro")
        values.append([np.mean(drawn[0] == drawn[1]), f1, skm.matthews_corrcoef(*drawn)])
    lows, highs = np.percentile(values, [2.5, 97.5], axis=0)
    for name, low, high in zip(("accuracy", "macro_f1", "mcc"), lows, highs, strict=True):
        assert_allclose([found[name].low, found[name].high], [low, high], atol=0.025)


@given(PAIRS)
def test_the_tables_add_up(pairs: Pairs):
    truth, predicted = arrays(pairs)
    names = [f"c{i}" for i in range(5)]
    matrix = np.array(tasks.confusion(truth, predicted, 5)["confusion"])
    assert matrix.sum() == len(pairs)
    rows = tasks.per_class(truth, predicted, names)
    assert [row["label"] for row in rows] == names
    assert [row["support"] for row in rows] == matrix.sum(axis=1).tolist()
    assert [row["predicted"] for row in rows] == matrix.sum(axis=0).tolist()
    for kind, row in enumerate(rows):
        assert_allclose(row["f1"], f1_by_hand(pairs, kind), atol=1e-4)
        right = matrix[kind, kind]
        assert_allclose(row["precision"], right / max(1, row["predicted"]), atol=1e-4)
        assert_allclose(row["recall"], right / max(1, row["support"]), atol=1e-4)


@given(PAIRS)
def test_a_large_matrix_is_written_by_its_cells(pairs: Pairs):
    truth, predicted = arrays(pairs)
    dense = tasks.confusion(truth, predicted, tasks.DENSE_CLASSES)["confusion"]
    sparse = tasks.confusion(truth, predicted, tasks.DENSE_CLASSES + 1)
    assert sparse["confusion"] is None
    cells = {(t, p): n for t, p, n in sparse["confusion_cells"]}
    for t, p in itertools.product(range(5), range(5)):
        assert dense[t][p] == cells.get((t, p), 0)


@given(PAIRS, st.integers(0, 4))
def test_the_majority_is_measured_as_any_answer(pairs: Pairs, commonest: int):
    truth, _ = arrays(pairs)
    found = tasks.majority(truth, commonest)
    same = tasks.classification(truth, np.full(len(truth), commonest))
    assert_allclose(found["majority_accuracy"].value, same["accuracy"].value)
    assert_allclose(found["majority_macro_f1"].value, same["macro_f1"].value)


def test_without_texts_there_is_no_number():
    nothing = np.zeros(0, dtype=np.int64)
    for measured in tasks.classification(nothing, nothing).values():
        assert measured.value is None
        assert measured.reason


# ------------------------------------------------------------ several labels

ROWS = st.integers(1, 4).flatmap(
    lambda k: st.lists(
        st.tuples(*[st.lists(st.booleans(), min_size=k, max_size=k)] * 2), min_size=1, max_size=30
    )
)


@given(ROWS)
def test_several_labels_a_text(rows: list[Any]):
    truth, predicted = (np.array(part) for part in zip(*rows, strict=True))
    found = tasks.multilabel(truth, predicted)
    by_label = []
    for label in range(truth.shape[1]):
        pairs = list(zip(truth[:, label].astype(int), predicted[:, label].astype(int), strict=True))
        by_label.append(f1_by_hand(pairs, 1))
    right, both = (truth & predicted).sum(), truth.sum() + predicted.sum()
    assert_allclose(found["macro_f1"].value, np.mean(by_label), atol=1e-9)
    assert_allclose(found["micro_f1"].value, 2 * right / both if both else 0.0, atol=1e-9)
    exact = np.mean([list(t) == list(p) for t, p in rows])
    assert_allclose(found["accuracy"].value, exact)
    assert found["mcc"].value is None


# ------------------------------------------------------------ entities

KINDS = ("PER", "LOC", "ORG")


@st.composite
def entity_lists(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    found, place = [], 0
    for _ in range(draw(st.integers(0, 6))):
        first = place + draw(st.integers(0, 2))
        last = first + draw(st.integers(0, 2))
        found.append((draw(st.sampled_from(KINDS)), first, last))
        place = last + 1
    return found


TEXTS = st.lists(st.tuples(entity_lists(), entity_lists()), min_size=1, max_size=8)


def as_tags(found: list[tuple[str, int, int]], length: int) -> list[str]:
    tags = ["O"] * length
    for kind, first, last in found:
        tags[first : last + 1] = [f"B-{kind}", *[f"I-{kind}"] * (last - first)]
    return tags


@given(TEXTS)
def test_entity_scores_are_set_counts(texts: list[Any]):
    truth, predicted = ([list(x) for x in part] for part in zip(*texts, strict=True))
    found = entities.entity_scores(truth, predicted)
    true = sum(len(spans) for spans in truth)
    if not true:
        assert {m.value for m in found.values()} == {None}
        assert all("no validation text" in str(m.reason).lower() for m in found.values())
        return
    right = sum(len(set(t) & set(p)) for t, p in zip(truth, predicted, strict=True))
    guessed = sum(len(spans) for spans in predicted)
    assert_allclose(found["recall"].value, right / true)
    assert_allclose(found["precision"].value, right / guessed if guessed else 0.0)
    assert_allclose(found["f1"].value, 2 * right / (true + guessed))
    assert {m.n for m in found.values()} == {len(texts)}


@settings(max_examples=40)
@given(TEXTS)
def test_entity_scores_are_those_of_seqeval(texts: list[Any]):
    pytest.importorskip("seqeval")
    from seqeval.metrics import classification_report
    from seqeval.scheme import IOB2

    truth, predicted = ([list(x) for x in part] for part in zip(*texts, strict=True))
    found = entities.entity_scores(truth, predicted)
    if found["f1"].value is None:
        return
    length = 1 + max(span[2] for spans in (*truth, *predicted) for span in spans)
    report = classification_report(
        [as_tags(spans, length) for spans in truth],
        [as_tags(spans, length) for spans in predicted],
        mode="strict",
        scheme=IOB2,
        output_dict=True,
        zero_division=0,
    )
    micro = report["micro avg"]
    for name, theirs in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
        assert_allclose(found[name].value, micro[theirs], atol=1e-9)
    for row in entities.per_type(truth, predicted):
        assert row["support"] == report[row["label"]]["support"]
        assert_allclose(row["f1"], report[row["label"]]["f1-score"], atol=1e-4)
        assert_allclose(row["precision"], report[row["label"]]["precision"], atol=1e-4)
        assert_allclose(row["recall"], report[row["label"]]["recall"], atol=1e-4)


def test_a_text_of_thousands_of_entities_is_compared_in_parts():
    truth = [("PER", 3 * i, 3 * i + 1) for i in range(4000)]
    predicted = [span for i, span in enumerate(truth) if i % 4] + [("LOC", 1, 1)]
    found = entities.entity_scores([truth], [predicted])
    assert_allclose(found["recall"].value, 0.75)
    assert_allclose(found["precision"].value, 3000 / 3001)
    parts = list(entities._groups(truth, predicted))
    assert max(len(real) + len(mine) for real, mine in parts) <= 2 * entities._GROUP
    assert sum(len(real) for real, _ in parts) == 4000
