"""GQS is compared over the axes that both answers have, labels with a constant guess in pairs."""

import math

import numpy as np
import pytest

from easymodel_nb.measured import Measured
from easymodel_nb.metrics.alike import WEIGHTS, alike, alike_columns
from easymodel_nb.runlog.analytics import Analytics, QualityPoint
from easymodel_nb.train.analytics.paired import changes, over_majority, shown

FULL = {"fluency": 0.9, "coherence": 0.2, "grammar": 0.5, "relevance": 0.4}


def test_an_answer_gains_nothing_by_lacking_an_axis():
    without = FULL | {"coherence": None}
    after, before = alike(without, FULL) or (0, 1)
    assert after == before
    assert alike(without, without) == (after, after)


def test_with_all_axes_it_is_the_score_itself():
    expected = 100 * math.prod(FULL[axis] ** weight for axis, weight in WEIGHTS.items())
    assert alike(FULL, FULL) == (pytest.approx(expected), pytest.approx(expected))


def test_texts_that_share_no_axis_do_not_compare():
    none = dict.fromkeys(WEIGHTS)
    assert alike(none | {"fluency": 0.5}, none | {"relevance": 0.5}) is None
    assert alike(none | {"fluency": math.nan}, FULL) is None
    assert alike({"fluency": 0.5}, FULL) is None  # scores of which the other axes are not told


def test_the_paired_change_of_a_run_is_over_shared_axes():
    columns = {axis: [value] * 16 for axis, value in FULL.items()}
    lacking = columns | {"coherence": [None] * 16, "overall": [58.0] * 16}
    base = {"prompts": columns | {"overall": [43.0] * 16}}
    found = changes({"prompts": lacking}, base, seed=0)["quality.overall"]
    assert (found.value, found.low, found.high) == (0, 0, 0)
    assert alike_columns(lacking, columns)[0] == alike_columns(columns, lacking)[0]


def test_what_is_above_the_majority_class_is_paired():
    truth = np.array([0] * 80 + [1] * 20)
    guess = np.array([0] * 74 + [1] * 6 + [1] * 11 + [0] * 9)  # 11 found, at the cost of 6
    found = over_majority(truth, guess, 0, seed=1)
    assert found["accuracy"].value == pytest.approx(0.05)
    assert found["accuracy"].low < 0 < found["accuracy"].high  # type: ignore[operator]
    assert found["macro_f1"].low > 0  # type: ignore[operator]
    same = over_majority(truth, np.zeros(100, dtype=np.int64), 0, seed=1)
    assert {(m.value, m.low, m.high) for m in same.values()} == {(0.0, 0.0, 0.0)}


def test_a_score_that_is_not_told_has_no_change_either():
    few, known = Measured.missing("too few samples: 10 of 16", n=10), Measured(value=0.5, n=10)
    axes = {"fluency": known, "coherence": few, "grammar": few, "relevance": few}
    point = Analytics(quality=QualityPoint(overall=few, **axes))
    change = Measured(value=2.4, low=1.0, high=4.0, n=10, unit="points")
    found = shown({"quality.overall": change, "quality.fluency": change, "other": change}, point)
    assert found["quality.overall"].reason == few.reason
    assert found["quality.overall"].value is None
    assert found["quality.fluency"] is found["other"] is change
