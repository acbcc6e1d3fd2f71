"""How far the probe agrees with people, on the sets of human judgements."""

from __future__ import annotations

import csv
import json
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import pearsonr, spearmanr

if TYPE_CHECKING:
    from pathlib import Path

    from easymodel_nb.metrics.probe import Probe

BLIMP_PAIRS = 20  # of each of the 67 kinds, from its beginning


def agreement(probe: Probe, human: Path) -> dict[str, Any]:
    """Correlation with ratings of acceptability and naturalness, and minimal pairs told apart."""
    return {
        "lau": _lau(probe, human / "lau_acceptability" / "context-none-ratings.csv"),
        "sfres_naturalness": _naturalness(probe, human / "sfres.jsonl"),
        "blimp": _blimp(probe, human / "BLiMP.zip"),
    }


def _lau(probe: Probe, file: Path) -> dict[str, Any]:
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    scores = probe.probabilities([row["sentence"] for row in rows])
    ratings = [float(row["mean-ratings"]) for row in rows]
    return {
        "n": len(rows),
        "pearson": round(float(pearsonr(scores, ratings).statistic), 3),
        "spearman": round(float(spearmanr(scores, ratings).statistic), 3),
    }


def _naturalness(probe: Probe, file: Path) -> dict[str, Any]:
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    scores = probe.probabilities([row["text"] for row in rows])
    ratings = [row["naturalness"] for row in rows]
    return {"n": len(rows), "spearman": round(float(spearmanr(scores, ratings).statistic), 3)}


def _blimp(probe: Probe, file: Path) -> dict[str, Any]:
    good, bad = [], []
    with zipfile.ZipFile(file) as archive:
        for name in sorted(
            n for n in archive.namelist() if n.startswith("data/") and n.endswith(".jsonl")
        ):
            lines = archive.read(name).decode("utf-8").splitlines()[:BLIMP_PAIRS]
            rows = [json.loads(line) for line in lines]
            good += [row["sentence_good"] for row in rows]
            bad += [row["sentence_bad"] for row in rows]
    above = probe.probabilities(good) > probe.probabilities(bad)
    return {"pairs": len(good), "accuracy": round(float(np.mean(above)), 3)}
