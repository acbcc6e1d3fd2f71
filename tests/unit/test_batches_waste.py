"""How much is computed on real data, against plain padded training: ratios of no machine."""

import csv
import json
import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from easymodel_nb import builtin
from easymodel_nb.train.batches.orders import Budgeted, Shuffled, Sizing, padded_tokens

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
ROWS = 1_600  # as in the benchmark of training speed


def words(text: str) -> int:
    """About the tokens of a text."""
    return max(1, len(re.findall(r"\w+|[^\w\s]", text)))


def lines(path: Path, *names: str) -> list[list[int]]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    return [[words(str(row[name])) for name in names] for row in rows]


def table(path: Path, *names: str) -> list[list[int]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [[words(row[name]) for name in names] for row in csv.DictReader(file)]


def speeches(path: Path) -> list[list[int]]:
    return [[words(part)] for part in path.read_text(encoding="utf-8").split("\n\n")]


# What is computed end to end, at most, of what plain padding computes.
SETS: dict[str, tuple[Callable[[], list[list[int]]], float]] = {
    "gsm8k": (lambda: lines(SHARED / "gsm8k" / "train.jsonl", "question"), 0.75),
    "tinyshakespeare": (lambda: speeches(SHARED / "tinyshakespeare" / "input.txt"), 0.45),
    "of ours: shakespeare": (lambda: speeches(builtin.path("shakespeare") / "train.txt"), 0.45),
    "of ours: intents": (lambda: table(builtin.path("intents") / "train.csv", "text"), 0.75),
    "of ours: slots": (lambda: lines(builtin.path("slots") / "train.jsonl", "tokens"), 0.75),
    "of ours: requests": (
        lambda: lines(builtin.path("requests") / "train.jsonl", "prompt", "target"),
        0.85,
    ),
    "snips_intents": (lambda: table(SHARED / "snips_intents" / "train.csv", "utterance"), 0.75),
    "snips_slots": (lambda: lines(SHARED / "snips_slots" / "train.jsonl", "text"), 0.75),
    "e2e_nlg": (lambda: table(SHARED / "e2e_nlg" / "train.csv", "mr", "ref"), 0.85),
}


@pytest.mark.parametrize("name", SETS)
def test_hardly_anything_is_computed_for_nothing(name: str) -> None:
    if not (SHARED.is_dir() or name.startswith("of ours")):
        pytest.skip("the shared data sets are not here")
    read, most = SETS[name]
    sizes = np.array(read()[:ROWS])
    guard(sizes, most)


def guard(sizes: np.ndarray, most: float) -> None:
    """Less than 5 % of padding, and so much less than plain padding in as many steps."""
    sizing = Sizing.of(8, 1)
    plain = padded_tokens(sizes, list(Shuffled(sizes, sizing, seed=0)))
    budgeted = padded_tokens(sizes, list(Budgeted(sizes, sizing, seed=0)))
    assert len(plain) == len(budgeted) == math.ceil(len(sizes) / 8)
    assert 1 - sizes.sum() / sum(budgeted) < 0.05
    assert sizes.sum() < most * sum(plain)  # end to end
    assert sum(budgeted) < 1.05 * most * sum(plain)
