"""Changes from the base model on the same texts, with their paired 95 % intervals.

Texts are drawn with replacement, each with what it scored before and after (2,000 resamples). Of a
ratio of sums, such as the loss a token or F1, the ratio is computed anew on each draw.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from easymodel_nb.measured import Measured
from easymodel_nb.metrics import stats
from easymodel_nb.metrics.alike import WEIGHTS, alike_columns
from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.runlog.headline import measured_at
from easymodel_nb.runlog.scores import Values

Floats = NDArray[np.float64]
_PERPLEXITIES = {
    "perplexity.validation": "validation",
    "perplexity.train": "train",
    "semantics.forgetting": "general",
}
_AXES = tuple(WEIGHTS)


def changes(
    now: Mapping[str, Values],
    base: Mapping[str, Values],
    *,
    seed: int,
    prompts: Sequence[str] | None = None,
) -> dict[str, Measured]:
    """By the dotted name of what changed; only what both points have. Sets as in scores.jsonl.

    `prompts` of the answers: answers to the same one are drawn together.
    """
    found: dict[str, Measured] = {}
    for name, of in _PERPLEXITIES.items():
        after, before = now.get(of, {}), base.get(of, {})
        if "nll" in after and "nll" in before:
            pairs = (_pairs(after), _pairs(before))
            found[name] = stats.paired_ratio_change(*pairs, seed=seed)
    after, before = now.get("validation", {}), base.get("validation", {})
    if after and before and _same_size(after, before):
        found |= _task(after, before, seed)
    after, before = now.get("prompts", {}), base.get("prompts", {})
    if after and before and _same_size(after, before):
        found |= _answers(after, before, seed, prompts)
    return found


def shown(found: Mapping[str, Measured], at: Analytics) -> dict[str, Measured]:
    """Changes without those of numbers that the point does not tell, whose reason is theirs.

    A score of too few prompts is not told, and so its change is not either.
    """
    told = dict(found)
    for name, change in found.items():
        level = measured_at(at, name)
        if level is not None and level.reason:
            told[name] = Measured.missing(level.reason, n=change.n, unit=change.unit)
    return told


def _task(after: Values, before: Values, seed: int) -> dict[str, Measured]:
    found: dict[str, Measured] = {}

    def weighted(name: str, column: str, weights: Values, by: str | None, unit: str | None) -> None:
        if column in after and column in before:
            ones = [1.0] * len(after[column])
            found[name] = difference(
                after[column], before[column], weights[by] if by else ones, seed=seed, unit=unit
            )

    if "nll" in after:
        weighted("task.loss", "nll", after, "tokens", "nats per token")
        if "bytes" in after:
            bits = {"bytes": [np.log(2) * (size or 0.0) for size in after["bytes"]]}
            weighted("task.bits_per_byte", "nll", bits, "bytes", "bits per byte")
        return found
    by = "tokens" if "tokens" in after else None
    weighted("task.loss", "loss", after, by, "nats per word" if by else "nats per text")
    weighted("task.accuracy", "correct", after, by, "of words" if by else None)
    counts = ("true_positives", "false_positives", "false_negatives")
    if all(name in side for name in counts for side in (after, before)):
        columns = [stats.as_floats(side[name]) for side in (after, before) for name in counts]
        for name, score in (("f1", _f1), ("precision", _precision), ("recall", _recall)):
            found[f"task.{name}"] = _scored(columns, score, seed)
    return found


def _answers(
    after: Values, before: Values, seed: int, prompts: Sequence[str] | None
) -> dict[str, Measured]:
    names: list[tuple[str, str, str | None]] = [("overall", "quality.overall", "points")]
    names += [(axis, f"quality.{axis}", None) for axis in _AXES]
    names += [("consistency", "semantics.consistency", None)]
    found = {}
    for column, name, unit in names:
        if column not in after or column not in before:
            continue
        # The whole score over the axes that both answers have, else one gains by lacking one.
        like = column == "overall" and all(axis in after and axis in before for axis in _AXES)
        new, old = alike_columns(after, before) if like else (after[column], before[column])
        clusters = None if prompts is None else prompts[: len(new)]
        found[name] = stats.paired_difference(new, old, seed=seed, unit=unit, clusters=clusters)
    return found


def macro_f1(
    truth: Sequence[int], after: Values, before: Values, *, seed: int
) -> dict[str, Measured]:
    """Of one class a text: the change of macro-F1 from the labels that were predicted.

    `truth` are class numbers (texts,); empty where the labels were not kept.
    """
    if "label" not in after or "label" not in before:
        return {}
    true = np.asarray(truth, dtype=np.int64)
    guesses = [stats.as_floats(side["label"]).astype(np.int64) for side in (after, before)]
    _, places = np.unique(np.concatenate([true, *guesses]), return_inverse=True)
    rows = np.eye(int(places.max()) + 1)[places.reshape(3, -1)]  # (3, texts, classes)

    def score(weights: Floats) -> Floats:
        """Of draws, which weigh each text: (draws, texts)."""
        support = weights @ rows[0]
        values = []
        for guess in rows[1:]:
            both = support + weights @ guess
            hits = 2 * (weights @ (rows[0] * guess))
            f1 = np.divide(hits, both, out=np.zeros_like(both), where=both > 0)
            values.append(f1.sum(axis=1) / np.maximum((both > 0).sum(axis=1), 1))
        return np.asarray(values[0] - values[1])

    n = len(true)
    lacking = stats.too_few(n, None)
    if lacking:
        return {"task.macro_f1": Measured.missing(lacking, n=n)}
    generator = np.random.default_rng(seed)
    parts = []
    for start in range(0, stats.PAIRED_RESAMPLES, 200):
        count = min(200, stats.PAIRED_RESAMPLES - start)
        parts.append(score(generator.multinomial(n, np.full(n, 1 / n), size=count).astype(float)))
    low, high = stats.interval(np.concatenate(parts)) or (None, None)
    value = float(score(np.ones((1, n)))[0])
    return {"task.macro_f1": Measured(value=value, low=low, high=high, n=n)}


def over_majority(
    truth: NDArray[Any], predicted: NDArray[Any], commonest: int, *, seed: int
) -> dict[str, Measured]:
    """Accuracy and macro-F1 of one class a text, less those of always answering `commonest`.

    Both are scored on the same texts, and how common a class is among them is chance too: so the
    interval is that of the difference, text by text.
    """
    accuracy = stats.paired_difference(truth == predicted, truth == commonest, seed=seed)
    after: Values = {"label": [float(label) for label in predicted]}
    before: Values = {"label": [float(commonest)] * len(truth)}
    f1 = macro_f1(truth.tolist(), after, before, seed=seed)["task.macro_f1"]
    return {"accuracy": accuracy, "macro_f1": f1}


def difference(
    after: Sequence[float | None],
    before: Sequence[float | None],
    weights: Sequence[float | None],
    *,
    seed: int,
    unit: str | None = None,
) -> Measured:
    """(sum of after - sum of before) / sum of weights, the weights being those of both."""
    new, old, size = (stats.as_floats(column) for column in (after, before, weights))
    valid = np.isfinite(new) & np.isfinite(old) & np.isfinite(size) & (size > 0)
    n = int(valid.sum())
    lacking = stats.too_few(n, None)
    if lacking:
        return Measured.missing(lacking, n=n, unit=unit)
    columns = np.stack([(new - old)[valid], size[valid]])
    top, bottom = stats.resampled(columns, seed=seed)
    low, high = stats.interval(top / bottom) or (None, None)
    value = float(columns[0].sum() / columns[1].sum())
    return Measured(value=value, low=low, high=high, n=n, unit=unit)


def _scored(columns: list[Floats], score: Callable[[Floats], Floats], seed: int) -> Measured:
    """The change of a score of three counts; the first three columns are those after."""
    stacked = np.stack(columns)
    n = stacked.shape[1]
    lacking = stats.too_few(n, None)
    if lacking:
        return Measured.missing(lacking, n=n)
    draws = stats.resampled(stacked, seed=seed)
    whole = stacked.sum(axis=1, keepdims=True)
    low, high = stats.interval(score(draws[:3]) - score(draws[3:])) or (None, None)
    value = float((score(whole[:3]) - score(whole[3:]))[0])
    return Measured(value=value, low=low, high=high, n=n)


def _f1(counts: Floats) -> Floats:
    return _share(2 * counts[0], 2 * counts[0] + counts[1] + counts[2])


def _precision(counts: Floats) -> Floats:
    return _share(counts[0], counts[0] + counts[1])


def _recall(counts: Floats) -> Floats:
    return _share(counts[0], counts[0] + counts[2])


def _share(top: Floats, bottom: Floats) -> Floats:
    found: Floats = np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)
    return found


def _pairs(values: Values) -> list[tuple[float, int]]:
    return [
        (np.nan if nll is None else nll, int(tokens or 0))
        for nll, tokens in zip(values["nll"], values["tokens"], strict=True)
    ]


def _same_size(after: Values, before: Values) -> bool:
    sizes = {len(column) for side in (after, before) for column in side.values()}
    return len(sizes) == 1
