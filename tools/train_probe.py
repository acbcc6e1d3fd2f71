"""Train the probe of well-formedness: logistic regression on a hidden layer of MiniLM.

    python tools/train_probe.py

Reads the corpus in $EASYMODEL_SHARED/corpus (`shared` beside the repository unless set), damages
its sentences (tools/corruptions.py) and writes the weights and what was measured into
src/easymodel_nb/metrics/weights/. Held-out sentences come from places of the corpus that were not
trained on. With the human judgements in $EASYMODEL_SHARED/human it measures agreement with people
as well; nothing is chosen by them. The same files give the same weights on the same machine.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from card_probe import card
from corruptions import KINDS, corrupt, words
from pretraining import SHARED, read_part
from probe_people import agreement
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression

from easymodel_nb.metrics import encoder as encoders
from easymodel_nb.metrics.probe import CARD, FOLDER, LAYER, WEIGHTS, Probe

if TYPE_CHECKING:
    from pathlib import Path

SEED = 0
TRAIN = {"novels": 2_000, "speeches": 2_000, "textbook": 2_000, "stories": 1_500}  # sentences
HELD_OUT = 150  # sentences of each part; every one is damaged in each way
BLOCKS, HELD_OUT_SHARE = 5, 0.1  # stretches of each part that are kept apart, and how much they are
LONGEST, SHORTEST = 40, 5  # words of a sentence
PENALTIES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)  # C, chosen on a tenth of the training pairs
_SENTENCE = re.compile(r"(?<=[.!?])[\"'\u201d\u2019)]*\s+(?=[\"'\u201c\u2018(]?[A-Z])")
_ABBREVIATED = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|St|Jr|Sr|vs|No|U\.S|i\.e|e\.g|[A-Z])\.$")


def sentences(paragraphs: list[str]) -> list[str]:
    """Whole sentences of a length to judge: from a capital to a full stop."""
    found = []
    for paragraph in paragraphs:
        held = ""
        for piece in _SENTENCE.split(" ".join(paragraph.split())):
            held = f"{held} {piece}".strip()
            if _ABBREVIATED.search(held):
                continue
            whole = held[:1].isupper() or held[:1] in "\"'\u201c\u2018"
            if whole and held.rstrip("\"'\u201d\u2019)")[-1:] in {".", "!", "?"}:
                found.append(held)
            held = ""
    return [text for text in found if SHORTEST <= len(words(text)) <= LONGEST]


def parts(corpus: Path, draw: random.Random) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Sentences to train on and sentences held out, by part of the corpus."""
    train, held = {}, {}
    for name, wanted in TRAIN.items():
        paragraphs = read_part(corpus, name)
        size = max(1, int(len(paragraphs) * HELD_OUT_SHARE / BLOCKS))
        apart: set[int] = set()
        for block in range(BLOCKS):
            start = int((block + 0.5) * len(paragraphs) / BLOCKS)
            apart |= set(range(start, start + size))
        inside = sentences([p for i, p in enumerate(paragraphs) if i not in apart])
        outside = sorted(set(sentences([paragraphs[i] for i in sorted(apart)])) - set(inside))
        train[name] = draw.sample(sorted(set(inside)), min(wanted, len(set(inside))))
        held[name] = draw.sample(outside, min(HELD_OUT, len(outside)))
    return train, held


def pairs(texts: list[str], draw: random.Random) -> list[tuple[str, str]]:
    """Each sentence beside itself damaged, the kinds in turn."""
    kinds = list(KINDS)
    found = []
    for index, text in enumerate(texts):
        for turn in range(len(kinds)):
            damaged = corrupt(text, kinds[(index + turn) % len(kinds)], draw)
            if damaged is not None:
                found.append((text, damaged))
                break
    return found


def fit(good: np.ndarray, bad: np.ndarray, penalty: float) -> tuple[np.ndarray, float]:
    """Weights and bias on features as they come from the encoder."""
    features = np.concatenate([good, bad]).astype(np.float64)
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-9
    truth = np.repeat([1, 0], [len(good), len(bad)])
    model = LogisticRegression(C=penalty, max_iter=2_000).fit((features - mean) / scale, truth)
    weights = model.coef_[0] / scale
    return weights, float(model.intercept_[0] - weights @ mean)


def right(good: np.ndarray, bad: np.ndarray, weights: np.ndarray) -> float:
    """Share of pairs whose damaged sentence scores below the other."""
    return float(((good - bad) @ weights > 0).mean())


def held_out(probe: Probe, held: dict[str, list[str]]) -> dict[str, Any]:
    """Share of damaged sentences below their originals, by kind of damage and by part."""
    by_kind: dict[str, list[bool]] = {kind: [] for kind in KINDS}
    by_part: dict[str, list[bool]] = {name: [] for name in held}
    draw = random.Random(SEED + 1)
    for name, texts in held.items():
        whole = dict(zip(texts, probe.probabilities(texts), strict=True))
        for kind in KINDS:
            damaged = {t: d for t in texts if (d := corrupt(t, kind, draw)) is not None}
            scores = probe.probabilities(list(damaged.values()))
            below = [bool(s < whole[t]) for t, s in zip(damaged, scores, strict=True)]
            by_kind[kind] += below
            by_part[name] += below
    everything = [below for some in by_kind.values() for below in some]
    return {
        "pairs": len(everything),
        "accuracy": round(float(np.mean(everything)), 4),
        "by_kind": {kind: round(float(np.mean(some)), 4) for kind, some in by_kind.items()},
        "by_part": {name: round(float(np.mean(some)), 4) for name, some in by_part.items()},
    }


def main() -> int:
    """Train, write, measure."""
    corpus, human = SHARED / "corpus", SHARED / "human"
    if not corpus.is_dir():
        print(f"There is no corpus at {corpus}; set EASYMODEL_SHARED.")
        return 1
    draw = random.Random(SEED)
    train, held = parts(corpus, draw)
    material = pairs([text for texts in train.values() for text in texts], draw)
    draw.shuffle(material)
    encoder = encoders.load()
    print(f"{len(material)} pairs to train on; encoding")
    good = encoder.layer([whole for whole, _ in material], LAYER)
    bad = encoder.layer([damaged for _, damaged in material], LAYER)
    apart = len(material) // 10
    accuracies = {}
    for penalty in PENALTIES:
        weights, _ = fit(good[apart:], bad[apart:], penalty)
        accuracies[penalty] = right(good[:apart], bad[:apart], weights)
        print(f"C {penalty:g}: {accuracies[penalty]:.4f} of {apart} pairs right")
    chosen = max(PENALTIES, key=lambda penalty: (accuracies[penalty], -penalty))
    weights, bias = fit(good, bad, chosen)
    FOLDER.mkdir(exist_ok=True)
    tensors = {
        "weight": weights.astype(np.float32),
        "bias": np.array([bias], dtype=np.float32),
    }
    save_file(tensors, FOLDER / WEIGHTS)
    (FOLDER / WEIGHTS).chmod(0o644)  # it is written for its owner alone
    probe = Probe(encoder)
    told = {
        "id": probe.identity.id,
        "encoder": str(encoder.identity),
        "layer": LAYER,
        "sha256": hashlib.sha256((FOLDER / WEIGHTS).read_bytes()).hexdigest(),
        "licence": probe.identity.licence,
        "training": {
            "sentences": {name: len(texts) for name, texts in train.items()},
            "pairs": len(material),
            "seed": SEED,
            "C": chosen,
        },
        "held_out": held_out(probe, held),
        "people": agreement(probe, human) if human.is_dir() else None,
    }
    (FOLDER / CARD).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    (FOLDER / "README.md").write_text(card(told), encoding="utf-8")
    print(json.dumps(told, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
