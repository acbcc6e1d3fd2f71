"""The probe of well-formedness: it ranks whole sentences above damaged ones it never saw."""

import hashlib
import importlib.util
import json
import random
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from easymodel_nb.builtin.offline import MINILM
from easymodel_nb.metrics import encoder, probe

TOOLS = Path(__file__).parents[2] / "tools"
pytestmark = pytest.mark.skipif(MINILM.folder() is None, reason="the extra `offline` is not here")

# Written for this test; of none of the kinds of text that the probe was trained on.
SENTENCES = [
    "Please restart the router and wait until the green light stops blinking.",
    "The train to Lisbon leaves from platform four at half past seven.",
    "I would like to change the address on my last order.",
    "Our museum is closed on Mondays, but the garden stays open all year.",
    "She plays the violin better than anyone else in her class.",
    "Scientists have found water under the surface of the small moon.",
    "If the battery is empty, the screen will not show any message.",
    "Add the onions to the pan and cook them until they are golden.",
    "We were told that the new bridge would be finished before winter.",
    "The company has hired forty engineers since the beginning of the year.",
    "You can cancel your subscription at any time without paying a fee.",
    "He forgot his umbrella in the taxi that took him to the airport.",
    "The film tells the story of two brothers who grow up in Mexico.",
    "Nobody in the village knew who had painted the old door blue.",
    "This function returns the largest number in a list of integers.",
    "My sister is learning how to repair bicycles in her free time.",
    "The doctor said that the medicine should be taken after meals.",
    "There are more than a hundred kinds of cheese in this shop.",
    "When the rain stopped, the children ran into the street to play.",
    "The team lost the final because their goalkeeper was injured.",
    "Could you tell me where I can find a good place to eat?",
    "Most of the students had already left when the teacher arrived.",
    "A small fire destroyed part of the factory late on Sunday night.",
    "They have been married for thirty years and still go dancing.",
    "The price of the ticket includes breakfast and a tour of the city.",
    "Do not open the oven while the cake is rising.",
    "The phone that I bought last month does not work any more.",
    "In spring the river is too cold for most people to swim.",
    "The mayor promised to build a playground next to the library.",
    "It is easier to learn a language when you speak it every day.",
]


@pytest.fixture(scope="module")
def corruptions() -> ModuleType:
    spec = importlib.util.spec_from_file_location("corruptions", TOOLS / "corruptions.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["corruptions"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def judge() -> probe.Probe:
    return probe.Probe(encoder.load())


def test_damage_lowers_the_score_in_four_of_five_pairs(judge: probe.Probe, corruptions: ModuleType):
    draw = random.Random(7)
    pairs = [
        (text, damaged)
        for text in SENTENCES
        for kind in corruptions.KINDS
        if (damaged := corruptions.corrupt(text, kind, draw)) is not None
    ]
    assert len(pairs) > 150
    whole = judge.probabilities([text for text, _ in pairs])
    damaged = judge.probabilities([text for _, text in pairs])
    assert (whole > damaged).mean() >= 0.8


def test_probabilities_are_probabilities_in_input_order(judge: probe.Probe):
    found = judge.probabilities([*SENTENCES, "", "日本語", "???"])
    assert found.shape == (len(SENTENCES) + 3,)
    assert ((found >= 0) & (found <= 1)).all()
    np.testing.assert_allclose(judge.probabilities(SENTENCES[::-1])[::-1], found[:-3], atol=1e-5)
    assert judge.probabilities([]).shape == (0,)


def test_the_card_tells_of_these_weights(judge: probe.Probe):
    told = json.loads((probe.FOLDER / probe.CARD).read_text(encoding="utf-8"))
    weights = (probe.FOLDER / probe.WEIGHTS).read_bytes()
    assert told["sha256"] == hashlib.sha256(weights).hexdigest()
    assert told["encoder"] == str(encoder.load().identity)
    assert told["held_out"]["accuracy"] >= 0.8
    assert min(told["held_out"]["by_part"].values()) >= 0.8
    assert told["licence"] == judge.identity.licence
    assert len(weights) < 8_000
    card = (probe.FOLDER / "README.md").read_text(encoding="utf-8")
    assert told["sha256"] in card
    assert "OpenStax" in card


def test_every_kind_of_damage_changes_the_words(corruptions: ModuleType):
    draw = random.Random(3)
    for kind in corruptions.KINDS:
        for text in SENTENCES:
            damaged = corruptions.corrupt(text, kind, draw)
            if damaged is not None:
                assert corruptions.words(damaged.lower()) != corruptions.words(text.lower())
    assert corruptions.corrupt("Too short.", "swap", draw) is None
