"""From raw numbers to each text's axes, and from those to GQS; and why an axis has no value."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from easymodel_nb.metrics.alike import FLOOR, WEIGHTS
from easymodel_nb.metrics.coherence import with_source
from easymodel_nb.metrics.readings import Readings
from easymodel_nb.metrics.scales import Floats
from easymodel_nb.metrics.setting import Scales

AXES = ("fluency", "coherence", "grammar", "relevance")
_BAD = 0.05  # share of texts that a judge may fail on


def scores(readings: Readings, scales: Scales, *, summaries: bool) -> dict[str, Floats]:
    """Each axis of each text (n,), NaN where it has none; an empty text has 0 everywhere."""
    flags = readings.flags
    rep2, slor = readings["rep2"], readings["slor"]
    fluent = scales.fluency(rep2, slor)
    parsed = readings["parses"]
    fluent = np.where(np.isnan(parsed), fluent, (fluent + parsed) / 2)
    novelty, likeness = scales.fluency.novelty(rep2), scales.fluency.likeness(slor)
    sourced = ~np.isnan(readings["support"])
    agreement = np.where(
        sourced,
        with_source(readings["support"], readings["forward"], summaries=summaries),
        scales.coherence.without_source(likeness, readings["order"], readings["gain"]),
    )
    table = {
        "fluency": np.where(flags["short"] & np.isnan(parsed), np.nan, fluent),
        "coherence": np.where(
            flags["one_sentence"] | flags["code"], np.nan, np.sqrt(novelty * agreement)
        ),
        "grammar": scales.grammar(readings["probability"]),
        "relevance": scales.relevance(readings["recall"], readings["prompt"], readings["copied"]),
    }
    for axis, values in table.items():
        values[readings.bad(axis)] = np.nan
        values[flags["empty"]] = 0.0
    return table


def overall(table: Mapping[str, Floats], empty: Any) -> Floats:
    """GQS of each text (n,): 100 * prod max(S, .02)^w over the axes it has; NaN without one."""
    logs, total = np.zeros(len(empty)), np.zeros(len(empty))
    for axis, weight in WEIGHTS.items():
        known = np.isfinite(table[axis])
        logs[known] += weight * np.log(np.maximum(table[axis][known], FLOOR))
        total[known] += weight
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = 100 * np.exp(logs / total)
    found = np.where(empty, 100 * FLOOR, found)
    return np.clip(found, 100 * FLOOR, 100.0)


def only(axis: str, known: int) -> str:
    """What there are too few of, in words."""
    what = {"coherence": "answers of two sentences", "fluency": "answers of three words"}
    return f"{known} {what.get(axis, 'answers with a score')}"


def unscored(axis: str, readings: Readings, values: Floats) -> str | None:  # noqa: PLR0911
    """Why an axis has no value although its judge is there; None when it has."""
    flags = readings.flags
    due = ~flags["empty"]
    bad = int(readings.bad(axis).sum())
    if bad > _BAD * max(1, len(readings)):
        return (
            f"The judge gave no finite number for {bad} of {len(readings)} answers, "
            "which is more than 5 %."
        )
    if not due.any() or np.isfinite(values[due]).any():
        return None
    if axis == "relevance":
        return "No answer has a prompt or a reference to compare it with."
    if flags["code"][due].all() and axis != "fluency":
        return f"The answers are code, of which {axis} is not judged."
    if axis == "coherence":
        return "Every answer is one sentence; coherence needs two."
    if axis == "grammar" and flags["not_english"][due].any():
        return "The answers are not in English, the only language that the judge reads."
    return "Every answer has fewer than three words."
