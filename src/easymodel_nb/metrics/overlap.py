"""Overlap of written texts with references: chrF, BLEU and ROUGE-L, 0 to 100, with intervals.

chrF (Popović 2015) and corpus BLEU (Papineni et al. 2002) are sacrebleu's with its defaults;
`judge` holds its signature. ROUGE-L (Lin 2004) is the F1 of the longest common subsequence of
words, the best over a text's references, averaged over texts. Words are runs of letters, marks
and digits in lower case: on ASCII text what Google's rouge-score takes, which however drops
every other letter. Where words are not divided by spaces, BLEU and ROUGE-L count characters.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from easymodel_nb.measured import Measured
from easymodel_nb.metrics.stats import PAIRED_RESAMPLES, RESAMPLES, ratio_interval

UNIT = "of 100"
_TWO = 2  # texts, of which an interval can be made
Segmentation = Literal["13a", "zh", "char"]


@dataclass(frozen=True)
class Overlap:
    """Three measures of the same texts."""

    chrf: Measured
    bleu: Measured
    rouge_l: Measured

    def dump(self) -> dict[str, Measured]:
        """By the names of the analytics."""
        return {"chrf": self.chrf, "bleu": self.bleu, "rouge_l": self.rouge_l}


def overlap(
    texts: Sequence[str], references: Sequence[str | Sequence[str]], *, seed: int = 0
) -> Overlap:
    """Overlap of each text with its reference, or the best or joint one with several.

    Parameters
    ----------
    texts
        What was written; an empty text counts as one that shares nothing.
    references
        One reference or several for each text.
    seed
        Of the bootstrap over texts (percentiles, 95 %); none is given for one text.

    Raises
    ------
    ValueError
        When the numbers of texts and references differ, or a text has no reference.

    """
    several = [(one,) if isinstance(one, str) else tuple(one) for one in references]
    if len(several) != len(texts):
        msg = f"{len(several)} references for {len(texts)} texts: give one, or a list, a text"
        raise ValueError(msg)
    if not texts:
        none = Measured.missing("No text was written.", n=0, unit=UNIT)
        return Overlap(none, none, none)
    if not all(several):
        msg = "a text without a reference cannot be compared"
        raise ValueError(msg)
    from sacrebleu.metrics.bleu import BLEU  # noqa: PLC0415  not every use measures overlap
    from sacrebleu.metrics.chrf import CHRF  # noqa: PLC0415

    words = segmentation(reference for some in several for reference in some)
    return Overlap(
        chrf=_corpus(CHRF(), "chrF2", texts, several, seed),
        bleu=_corpus(BLEU(tokenize=words), "BLEU", texts, several, seed),
        rouge_l=_rouge_l(texts, several, words, seed),
    )


def paired_overlap(
    after: Sequence[str],
    before: Sequence[str],
    references: Sequence[str | Sequence[str]],
    *,
    seed: int = 0,
) -> dict[str, Measured]:
    """Changes of `chrf`, `bleu` and `rouge_l` from one writing of the same texts to another.

    Each is computed anew on 2,000 draws of texts, which are the same for both writings (paired
    bootstrap, Koehn 2004). Below two texts there is no value and the reason.

    Raises
    ------
    ValueError
        When the numbers of texts and references differ.

    """
    several = [(one,) if isinstance(one, str) else tuple(one) for one in references]
    if not len(after) == len(before) == len(several):
        msg = f"{len(after)} and {len(before)} texts for {len(several)} references: give one each"
        raise ValueError(msg)
    n, names = len(several), ("chrf", "bleu", "rouge_l")
    if n < _TWO:
        none = Measured.missing("A change needs at least two texts.", n=n, unit=UNIT)
        return dict.fromkeys(names, none)
    from sacrebleu.metrics.bleu import BLEU  # noqa: PLC0415
    from sacrebleu.metrics.chrf import CHRF  # noqa: PLC0415

    words = segmentation(reference for some in several for reference in some)
    picks = np.random.default_rng(seed).integers(0, n, size=(PAIRED_RESAMPLES, n))
    rows = [np.arange(n)[None], picks]
    most = max(map(len, several))
    streams: Any = [[some[i] if i < len(some) else None for some in several] for i in range(most)]
    found: dict[str, Measured] = {}
    for name, metric in (("chrf", CHRF()), ("bleu", BLEU(tokenize=words))):
        scored = []
        for texts in (after, before):
            metric.corpus_score(list(texts), streams)  # it learns the references so
            told: Any = metric._extract_corpus_statistics(list(texts), streams)  # noqa: SLF001
            counts = np.array(told, float)
            scored.append([_scores(metric, counts, some) for some in rows])
        found[name] = _change(scored[0][0] - scored[1][0], scored[0][1] - scored[1][1], n)
    lines = [
        np.array(_rouge_l_scores(texts, several, words), dtype=float) for texts in (after, before)
    ]
    apart = lines[0] - lines[1]
    found["rouge_l"] = _change(apart.mean(keepdims=True), apart[picks].mean(axis=1), n)
    return found


def _scores(metric: Any, counts: Any, rows: Any) -> Any:
    return np.array([metric._compute_score_from_stats(counts[p].sum(0)).score for p in rows])  # noqa: SLF001


def _change(value: Any, draws: Any, n: int) -> Measured:
    low, high = (float(bound) for bound in np.percentile(draws, [2.5, 97.5]))
    return Measured(value=float(value[0]), low=low, high=high, n=n, unit="points")


def segmentation(references: Iterable[str]) -> Segmentation:
    """How the references' words are found: by spaces, Chinese ones, or character by character.

    By far the most languages put spaces between words. Of those that do not, sacrebleu has a
    tokenizer for Chinese without further downloads; for the others BLEU is over characters.
    """
    import regex  # noqa: PLC0415

    text = "".join(references)
    letters = len(regex.findall(r"\p{L}", text))
    han = len(regex.findall(r"\p{Han}", text))
    kana = len(regex.findall(r"[\p{Hiragana}\p{Katakana}]", text))
    joined = len(regex.findall(r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]", text))
    if 2 * (han + kana + joined) <= letters:
        return "13a"
    return "zh" if han > kana + joined and not kana else "char"


def _corpus(
    metric: Any, name: str, texts: Sequence[str], several: Sequence[tuple[str, ...]], seed: int
) -> Measured:
    """A corpus score: statistics are summed over texts, then one score is computed of them."""
    most = max(map(len, several))
    streams = [[some[i] if i < len(some) else None for some in several] for i in range(most)]
    value = metric.corpus_score(list(texts), streams).score
    signature = f"{name}|{metric.get_signature().format()}"
    low, high = None, None
    if len(texts) >= _TWO:
        # sacrebleu's own interval is symmetric and seeded by the environment.
        statistics = np.array(metric._extract_corpus_statistics(list(texts), streams), float)  # noqa: SLF001
        generator = np.random.default_rng(seed)
        picks = generator.integers(0, len(texts), size=(RESAMPLES, len(texts)))
        scores = [metric._compute_score_from_stats(statistics[p].sum(0)).score for p in picks]  # noqa: SLF001
        low, high = (float(bound) for bound in np.percentile(scores, [2.5, 97.5]))
    return Measured(
        value=float(value), low=low, high=high, n=len(texts), judge=signature, unit=UNIT
    )


def _rouge_l(
    texts: Sequence[str], several: Sequence[tuple[str, ...]], words: Segmentation, seed: int
) -> Measured:
    scores = _rouge_l_scores(texts, several, words)
    low, high = ratio_interval(scores, [1.0] * len(scores), seed=seed) or (None, None)
    counts = {len(some) for some in several}
    references = counts.pop() if len(counts) == 1 else "var"
    unit = "words" if words == "13a" else "char"
    return Measured(
        value=sum(scores) / len(scores),
        low=low,
        high=high,
        n=len(texts),
        judge=f"ROUGE-L|nrefs:{references}|case:lower|tok:{unit}|stem:no|score:f1",
        unit=UNIT,
    )


def _rouge_l_scores(
    texts: Sequence[str], several: Sequence[tuple[str, ...]], words: Segmentation
) -> list[float]:
    return [
        100 * max(_longest(_words(text, words), _words(one, words)) for one in some)
        for text, some in zip(texts, several, strict=True)
    ]


def _words(text: str, words: Segmentation) -> list[str]:
    import regex  # noqa: PLC0415

    pattern = r"[\p{L}\p{M}\p{N}]+" if words == "13a" else r"[\p{L}\p{M}\p{N}]"
    return list(regex.findall(pattern, text.lower()))


def _longest(text: Sequence[str], reference: Sequence[str]) -> float:
    """F1 of precision and recall of the longest common subsequence."""
    from rapidfuzz.distance import LCSseq  # noqa: PLC0415

    total = len(text) + len(reference)
    return 2 * LCSseq.similarity(text, reference) / total if text and reference else 0.0
