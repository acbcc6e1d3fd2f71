"""The sets of human judgements: texts, what they answer, and what people said of them."""

import csv
import json
import lzma
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from easymodel_nb.metrics.text import sentences

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("EASYMODEL_SHARED") or ROOT.parent / "shared")
HUMAN = SHARED / "human"
_GROUND_TRUTH = "Original Ground Truth"
_PARTS = ("speeches", "textbook", "stories")  # of the corpus, a million words


@dataclass(frozen=True)
class HumanSet:
    """Rated texts. `groups` says which answer the same prompt, `systems` who wrote them.

    `ratings` by dimension (n,); `axes` says which dimension is nearest to each of our axes.
    """

    name: str
    title: str
    texts: Sequence[str]
    prompts: Sequence[str] | None
    references: Sequence[Sequence[str]] | None
    groups: Sequence[str]
    systems: Sequence[str] | None
    ratings: dict[str, np.ndarray]
    axes: dict[str, str]
    fit: Sequence[str]  # what the n-gram model is fitted on, in place of a training split

    def __len__(self) -> int:
        """How many texts there are."""
        return len(self.texts)


def rows(name: str) -> list[dict[str, object]]:
    """One of the sets in JSON lines."""
    with (HUMAN / f"{name}.jsonl").open(encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def corpus() -> list[str]:
    """Paragraphs of general English, by which no metric was fitted."""
    found = []
    for part in _PARTS:
        text = lzma.decompress((SHARED / "corpus" / f"{part}.txt.xz").read_bytes()).decode()
        found += [paragraph for paragraph in text.split("\n\n") if paragraph.strip()]
    return found


def topical_chat(general: Sequence[str]) -> HumanSet:
    """Answers in conversations (Mehri & Eskenazi 2020).

    The answer that was given then is the reference, and therefore no candidate.
    """
    everything = rows("topical_chat")
    given = {str(r["context"]): str(r["response"]) for r in everything if _is_truth(r)}
    rated = [r for r in everything if not _is_truth(r)]
    turns = [turn.strip() for context in given for turn in context.split("\n") if turn.strip()]
    names = ("naturalness", "understandability", "coherence", "engagingness", "groundedness")
    return HumanSet(
        name="topical_chat",
        title="Topical-Chat (dialogue)",
        texts=[str(r["response"]) for r in rated],
        prompts=[str(r["context"]) for r in rated],
        references=[[given[str(r["context"])]] for r in rated],
        groups=[str(r["context"]) for r in rated],
        systems=[str(r["system"]) for r in rated],
        ratings=_ratings(rated, (*names, "overall")),
        axes={
            "fluency": "naturalness",
            "coherence": "coherence",
            "grammar": "understandability",
            "relevance": "coherence",
            "overall": "overall",
        },
        fit=[*turns, *general],
    )


def _is_truth(row: dict[str, object]) -> bool:
    return row["system"] == _GROUND_TRUTH


def data_to_text(name: str, other: str, title: str, general: Sequence[str]) -> HumanSet:
    """Sentences made from facts (Wen et al. 2015); the n-gram is fitted on `other`."""
    rated = rows(name)
    return HumanSet(
        name=name,
        title=title,
        texts=[str(r["text"]) for r in rated],
        prompts=[str(r["mr"]) for r in rated],
        references=[_distinct(r["references"]) for r in rated],
        groups=[str(r["mr"]) for r in rated],
        systems=None,
        ratings=_ratings(rated, ("informativeness", "naturalness", "quality")),
        axes={
            "fluency": "naturalness",
            "grammar": "naturalness",
            "relevance": "informativeness",
            "overall": "quality",
        },
        fit=[*(text for r in rows(other) for text in _distinct(r["references"])), *general],
    )


def _distinct(several: object) -> list[str]:
    assert isinstance(several, list)  # noqa: S101  for mypy
    return list(dict.fromkeys(map(str, several)))


def acceptability(general: Sequence[str]) -> HumanSet:
    """Sentences, most of them translated there and back, by how acceptable they are (Lau 2020).

    What stands for references are texts of the training split, so they are single sentences too.
    """
    file = HUMAN / "lau_acceptability" / "context-none-ratings.csv"
    with file.open(encoding="utf-8", newline="") as stream:
        rated = list(csv.DictReader(stream))
    return HumanSet(
        name="lau",
        title="Lau et al. (single sentences)",
        texts=[row["sentence"] for row in rated],
        prompts=None,
        references=None,
        groups=[row["ID"] for row in rated],
        systems=None,
        ratings={"acceptability": np.array([float(row["mean-ratings"]) for row in rated])},
        axes={"fluency": "acceptability", "grammar": "acceptability", "overall": "acceptability"},
        fit=[sentence for paragraph in general for sentence in sentences(paragraph)],
    )


def _ratings(rated: Sequence[dict[str, object]], names: Sequence[str]) -> dict[str, np.ndarray]:
    return {name: np.array([float(str(row[name])) for row in rated]) for name in names}


def sets() -> Iterator[HumanSet]:
    """Every set at hand."""
    general = corpus()
    yield topical_chat(general)
    yield data_to_text("sfres", "sfhot", "SFRES (restaurants from facts)", general)
    yield data_to_text("sfhot", "sfres", "SFHOT (hotels from facts)", general)
    yield acceptability(general)
