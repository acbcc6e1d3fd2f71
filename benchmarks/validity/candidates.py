"""Scores of rated texts: ours, the usual ones, and the formulas of the original tool."""

from typing import Any

import numpy as np
from rapidfuzz.distance import LCSseq
from validity.human import HumanSet

from easymodel_nb import builtin
from easymodel_nb.metrics import judges
from easymodel_nb.metrics.causal import CausalJudge
from easymodel_nb.metrics.judges import Encoder
from easymodel_nb.metrics.ngram import NGram
from easymodel_nb.metrics.quality import AXES, calibrate
from easymodel_nb.metrics.text import Text

OURS = ("overall", *AXES)
T1 = " (T1)"  # with a causal model as scorer
Scores = dict[str, np.ndarray]


def encoder() -> Encoder:
    """The encoder, which everything but overlap of words needs."""
    found = judges.local()
    if found.encoder is None:
        raise SystemExit(found.reasons["encoder"])
    return found.encoder


def tiny_gpt2() -> tuple[Any, Any]:
    """The built-in causal model: a weak stand-in for the base model of a run."""
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415

    folder = builtin.path("tiny-gpt2")
    return AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)


def ours(human: HumanSet, scorer: tuple[Any, Any] | None = None) -> Scores:
    """GQS and its axes; calibrated once on the prompts, scored system by system."""
    found = {name: np.full(len(human), np.nan) for name in OURS}
    systems = human.systems or ["all"] * len(human)
    calibration = None
    for system in dict.fromkeys(systems):
        rows = [index for index, name in enumerate(systems) if name == system]
        if calibration is None:  # every system answers the same prompts in the same order
            calibration = calibrate(
                prompts=[human.prompts[i] for i in rows] if human.prompts else None,
                references=[human.references[i] for i in rows] if human.references else None,
                fit_texts=human.fit,
                scorer=scorer,
            )
        quality = calibration.score([human.texts[i] for i in rows])
        for name in OURS:
            found[name][rows] = quality.rows[name].to_numpy()
    return found


def usual(human: HumanSet) -> Scores:
    """ROUGE-L and BERTScore (F) with our encoder: the best over the references."""
    if human.references is None:
        return {}
    flat = sorted({one for several in human.references for one in several} | set(human.texts))
    vectors = dict(zip(flat, encoder().tokens(flat), strict=True))
    pairs = list(zip(human.texts, human.references, strict=True))
    return {
        "ROUGE-L": np.array([max(_rouge_l(t, r) for r in several) for t, several in pairs]),
        "BERTScore": np.array(
            [max(_bert_score(vectors[t], vectors[r]) for r in several) for t, several in pairs]
        ),
    }


def _rouge_l(text: str, reference: str) -> float:
    first, second = Text(text).words, Text(reference).words
    total = len(first) + len(second)
    return 2 * LCSseq.similarity(first, second) / total if first and second else 0.0


def _bert_score(text: np.ndarray, reference: np.ndarray) -> float:
    if not len(text) or not len(reference):
        return 0.0
    cosines = text @ reference.T
    precision, recall = cosines.max(axis=1).mean(), cosines.max(axis=0).mean()
    return float(2 * precision * recall / (precision + recall)) if precision + recall > 0 else 0.0


def original(human: HumanSet, scorer: tuple[Any, Any]) -> Scores:
    """The original's formulas (METRICS 0), with the n-gram and with tiny-gpt2 for its GPT-2.

    Its grammar was an untrained head: noise, and not measured. Its factor that grows with the
    epoch and its copying of the prompt are left out.
    """
    likely = NGram(list(human.fit)).mean_log_probability(human.texts)
    told = CausalJudge(*scorer).scores(human.texts)
    found = {
        "fluency": 1 / (1 + np.exp(-likely)),
        "fluency, tiny-gpt2": 1 / (1 + np.exp(-told.model / told.tokens)),
    }
    sentences = [Text(text).sentences for text in human.texts]
    flat = sorted({s for several in sentences for s in several})
    vectors = dict(zip(flat, encoder().sentences(flat), strict=True)) if flat else {}
    embedded = [np.array([vectors[s] for s in several]) for several in sentences]
    found["coherence"] = np.array([_all_pairs(several) for several in embedded])
    found["adjacent cosine"] = np.array([_adjacent(several) for several in embedded])
    if human.references is not None:
        answers = encoder().sentences(list(human.texts))
        wanted = encoder().sentences([several[0] for several in human.references])
        found["relevance"] = (answers * wanted).sum(axis=1)
    parts = [found[name] for name in ("fluency", "coherence", "relevance") if name in found]
    found["overall"] = np.mean(parts, axis=0)
    return {f"original: {name}": scores for name, scores in found.items()}


def _all_pairs(vectors: np.ndarray) -> float:
    count = len(vectors)
    if count < 2:  # noqa: PLR2004  the original's own answer to one sentence
        return 1.0
    cosines = vectors @ vectors.T
    return float((cosines.sum() - np.trace(cosines)) / (count * (count - 1)))


def _adjacent(vectors: np.ndarray) -> float:
    return float((vectors[1:] * vectors[:-1]).sum(axis=1).mean()) if len(vectors) > 1 else np.nan


def everything(human: HumanSet) -> Scores:
    """All candidates of a set by name; ours by the names of their axes."""
    scorer = tiny_gpt2()
    found = ours(human)
    found |= {name + T1: scores for name, scores in ours(human, scorer).items()}
    return found | usual(human) | original(human, scorer)
