"""The metrics agree with people at least this far (METRICS 5.7, 17); needs ../shared/human.

The floors lie well below what benchmarks/validity measured (docs/metrics.md), so that another
machine's rounding cannot miss them, and above what the formulas reach that must not come back.
"""

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def validity() -> Any:
    """The harness, where there are human judgements."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        from validity import agreement, candidates, human
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))
    if not human.HUMAN.is_dir():
        if os.environ.get("CI") == "1" and os.environ.get("EASYMODEL_SHARED"):
            pytest.fail(f"EASYMODEL_SHARED is set, and there is no {human.HUMAN}")
        pytest.skip(f"the human judgements are not at {human.HUMAN}; set EASYMODEL_SHARED")
    from easymodel_nb.metrics import judges

    if judges.local().encoder is None:
        pytest.skip(judges.local().reasons["encoder"])
    return agreement, candidates, human


def rho(validity: Any, scores: np.ndarray, human: Any, rating: str) -> float:
    """Spearman within prompts where several systems answer them, else over all texts."""
    agreement = validity[0]
    ratings = human.ratings[rating]
    known = np.isfinite(scores)
    if human.systems is None:
        found = agreement.spearman(scores[known], ratings[known])
        assert found is not None
        return float(found)
    groups = np.array(human.groups, dtype=object)
    within = [
        agreement.spearman(scores[rows], ratings[rows])
        for rows in (known & (groups == name) for name in dict.fromkeys(human.groups))
    ]
    return float(np.mean([one for one in within if one is not None]))


@pytest.fixture(scope="module")
def talk(validity: Any) -> Any:
    """Topical-Chat with our scores."""
    human = validity[2].topical_chat(validity[2].corpus())
    return human, validity[1].ours(human)


@pytest.mark.parametrize(
    ("axis", "rating", "floor"),
    [
        ("overall", "overall", 0.35),
        ("fluency", "naturalness", 0.13),
        ("coherence", "coherence", 0.25),
        ("relevance", "coherence", 0.34),
    ],
)
def test_scores_of_answers_in_conversations(
    validity: Any, talk: Any, axis: str, rating: str, floor: float
):
    human, scores = talk
    assert rho(validity, scores[axis], human, rating) > floor


def test_the_overall_score_is_nearer_to_people_than_overlap(validity: Any, talk: Any):
    human, scores = talk
    usual = validity[1].usual(human)["ROUGE-L"]
    ours = rho(validity, scores["overall"], human, "overall")
    assert ours > rho(validity, usual, human, "overall") + 0.1


def test_what_must_not_come_back_stays_below_the_floors(validity: Any, talk: Any):
    """Neighbours' cosine for coherence, 1 / perplexity for fluency, and the original's mean."""
    human, _ = talk
    scorer = validity[1].tiny_gpt2()
    theirs = validity[1].original(human, scorer)
    assert rho(validity, theirs["original: adjacent cosine"], human, "coherence") < 0.2
    assert rho(validity, theirs["original: coherence"], human, "coherence") < 0.2
    assert rho(validity, theirs["original: fluency"], human, "naturalness") < 0
    assert rho(validity, theirs["original: overall"], human, "overall") < 0.2


def test_well_formedness_of_single_sentences(validity: Any):
    human = validity[2].acceptability([])
    from easymodel_nb.metrics import judges
    from easymodel_nb.metrics.probe import Probe

    encoder = judges.local().encoder
    assert encoder is not None
    scores = Probe(encoder).probabilities(list(human.texts))
    assert rho(validity, scores, human, "acceptability") > 0.25
