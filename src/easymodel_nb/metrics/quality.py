"""GQS, the generation quality score: fluency, coherence, grammar and relevance of answers, and all.

Every axis is 0 to 1, read against the human references of the same prompts; GQS is 100 times
their weighted geometric mean over the axes that a text has, at least 2. The scores of a run are
means over texts, with 95 % bootstrap intervals over prompts. Nothing is made up: an axis that
cannot be computed has no value and says why. `calibrate` once, then `score` each epoch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from easymodel_nb.measured import FEW, INDICATIVE, Measured
from easymodel_nb.metrics.judges import Judges, local
from easymodel_nb.metrics.readings import FLAGS, Item, Readings
from easymodel_nb.metrics.scales import LEAST, Floats
from easymodel_nb.metrics.scoring import AXES, only, overall, scores, unscored
from easymodel_nb.metrics.setting import Setting, set_up
from easymodel_nb.metrics.stats import mean_interval

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AXES", "Axes", "Calibration", "Quality", "calibrate", "quality"]

UNIT = "of 100"


@dataclass(frozen=True)
class Axes:
    """The score (2 to 100) and its axes (0 to 1), each with interval and n, or its reason."""

    overall: Measured
    fluency: Measured
    coherence: Measured
    grammar: Measured
    relevance: Measured

    def point(self) -> dict[str, Measured]:
        """By name, as a run's log keeps it."""
        return {name: getattr(self, name) for name in ("overall", *AXES)}


@dataclass(frozen=True)
class Quality(Axes):
    """What was found of some texts.

    `references`: the same of the human references, each read against the others, its relevance by
    the prompt alone. `judges`: who judged each axis. `notes`: what one must know of an axis.
    `counts`: texts that are empty, short, of one sentence, not English, code, and those that a
    judge failed on (bad); `prompts` counts the different ones.
    """

    references: Axes
    judges: Mapping[str, str]
    notes: Mapping[str, str]
    counts: Mapping[str, int]
    table: Mapping[str, Floats] = field(repr=False)

    @cached_property
    def rows(self) -> "pd.DataFrame":
        """Scores text by text, in input order: `overall` and the axes; NaN is no score."""
        import pandas as pd  # noqa: PLC0415  half a second

        return pd.DataFrame({name: self.table[name] for name in ("overall", *AXES)})

    @property
    def indicative(self) -> bool:
        """Whether there are so few prompts that the score is a hint."""
        return len(self.table["overall"]) >= FEW and self.counts["prompts"] < INDICATIVE


def quality(  # noqa: PLR0913  the public interface
    texts: Sequence[str],
    *,
    prompts: Sequence[str] | None,
    references: Sequence[str | Sequence[str]] | None = None,
    sources: Sequence[str | None] | None = None,
    fit_texts: Sequence[str] | None = None,
    scorer: Any = None,
    judge: Judges | None = None,
    seed: int = 0,
    summaries: bool = False,
) -> Quality:
    """Quality of texts: `calibrate` and `score` at once; see there."""
    return calibrate(
        prompts=prompts,
        references=references,
        sources=sources,
        fit_texts=fit_texts,
        scorer=scorer,
        judge=judge,
        seed=seed,
        summaries=summaries,
    ).score(texts)


def calibrate(
    *,
    prompts: Sequence[str] | None,
    references: Sequence[str | Sequence[str]] | None = None,
    sources: Sequence[str | None] | None = None,
    fit_texts: Sequence[str] | None = None,
    scorer: Any = None,
    judge: Judges | None = None,
    seed: int = 0,
    summaries: bool = False,
) -> "Calibration":
    """Scales of one set of prompts, from its references.

    Parameters
    ----------
    prompts, references, sources
        One of each a text; a prompt may have several references. Without prompts there is no
        relevance; without references it is judged by the prompt alone. A source of five sentences
        or more is what coherence is judged by.
    fit_texts
        Texts of the training split, which the n-gram model is fitted on.
    scorer
        (model, tokenizer): the frozen causal base model. It judges how sentences follow, the
        prompt where it does so better than the encoder, and fluency where the training texts
        are too few for an n-gram model.
    judge
        The judges; None takes the best ones on this machine, never a download.
    seed
        Of the bootstrap and of what is drawn.
    summaries
        Whether the texts sum up their sources, so that the order of the source matters.

    Raises
    ------
    ValueError
        When the numbers of prompts, references and sources differ.

    """
    given = {"prompts": prompts, "references": references, "sources": sources}
    sizes = {name: len(some) for name, some in given.items() if some is not None}
    if len(set(sizes.values())) > 1:
        told = " and ".join(f"{count} {name}" for name, count in sizes.items())
        raise ValueError(f"{told}: give one of each a text")
    setting = set_up(
        prompts=prompts,
        references=references,
        sources=sources,
        fit_texts=fit_texts,
        scorer=scorer,
        judges=local() if judge is None else judge,
        seed=seed,
        summaries=summaries,
    )
    return Calibration(setting)


class Calibration:
    """Scales of one set of prompts; scores any number of answers to them."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._references = self._of_references()

    @property
    def references(self) -> Axes:
        """Scores of the human references."""
        return self._references

    @property
    def judges(self) -> dict[str, str]:
        """Who judges each axis that can be judged, as name@hash."""
        return dict(self._setting.judges)

    @property
    def notes(self) -> dict[str, str]:
        """Sentences on what one must know of an axis: what it rests on, and what is missing."""
        return dict(self._setting.notes)

    def score(self, texts: Sequence[str]) -> Quality:
        """Quality of one text a prompt, in the order of the prompts.

        Raises
        ------
        ValueError
            When there is not one text a prompt.

        """
        setting = self._setting
        if setting.size is not None and len(texts) != setting.size:
            raise ValueError(f"{len(texts)} texts for {setting.size} prompts: give one a prompt")
        items = setting.items or [Item()] * len(texts)
        readings = setting.reader.read(items, texts)
        table = scores(readings, setting.scales, summaries=setting.summaries)
        axes = self._axes(readings, table, dict(setting.reader.failed))
        bad = np.any([readings.bad(axis) for axis in AXES], axis=0)
        counts = {name: int(readings.flags[name].sum()) for name in FLAGS}
        counts |= {"bad": int(bad.sum()), "prompts": len(set(setting.clusters(len(texts))))}
        notes = dict(setting.notes)
        if len(texts) >= FEW and counts["prompts"] < INDICATIVE:
            notes["overall"] = f"Indicative: {counts['prompts']} different prompts."
        return Quality(
            **axes,
            references=self._references,
            judges=self.judges,
            notes=notes,
            counts=counts,
            table=table,
        )

    def _axes(
        self, readings: Readings, table: dict[str, Floats], failed: Mapping[str, str]
    ) -> dict[str, Measured]:
        """Means over texts; columns of axes that cannot be told are emptied in the table."""
        n = len(readings)
        reasons = {**self._setting.reasons, **failed}
        found: dict[str, Measured] = {}
        for axis in AXES:
            reason = reasons.get(axis) or unscored(axis, readings, table[axis])
            if reason:
                table[axis] = np.full(n, np.nan)
                found[axis] = Measured.missing(reason, n=n)
        table["overall"] = overall(table, readings.flags["empty"])
        few = f"too few samples: {n} of {FEW}" if n < FEW else None
        for name in ("overall", *AXES):
            if name in found and not few:
                continue
            unit = UNIT if name == "overall" else None
            values = table[name]
            known = self._known(name, values, readings.flags["empty"])
            if few:
                found[name] = Measured.missing(few, n=n, unit=unit)
            elif not known:
                what = "axis" if name == "overall" else name
                found[name] = Measured.missing(f"No {what} could be computed.", n=n, unit=unit)
            elif known < LEAST:
                found[name] = Measured.missing(
                    f"too few samples: {only(name, known)} of {LEAST}", n=known, unit=unit
                )
            else:
                found[name] = mean_interval(
                    values.tolist(),
                    seed=self._setting.seed,
                    unit=unit,
                    judge=self._judge(name, found),
                    clusters=self._setting.clusters(n),
                )
        return found

    def _known(self, name: str, values: Floats, empty: Any) -> int:
        """Texts that carry a mean: an empty one does with its 0, on each axis of this data's."""
        judged = int(np.isfinite(values[~empty]).sum())
        if empty.all():
            judged = 1 if self._of_this_data(name) else 0
            return len(empty) * judged
        return judged + int(empty.sum()) if judged else 0

    def _of_this_data(self, name: str) -> bool:
        """Whether the references have a score on an axis; where there are none, nobody knows."""
        own = getattr(self, "_references", None)
        if name == "overall" or own is None or self._setting.own is None:
            return True
        return getattr(own, name).value is not None

    def _judge(self, name: str, found: Mapping[str, Measured]) -> str | None:
        told = self._setting.judges
        if name != "overall":
            return told.get(name)
        missing = {axis for axis, value in found.items() if value.reason}
        used = [part for axis in AXES if axis not in missing for part in told[axis].split(" + ")]
        return " + ".join(dict.fromkeys(used))

    def _of_references(self) -> Axes:
        """Each reference by scales of the others."""
        setting = self._setting
        own = setting.own
        if own is None:
            none = Measured.missing("There are no references.", n=0)
            return Axes(*[none] * 5)
        rows = [
            scores(own.chosen([index]), setting.without(index), summaries=setting.summaries)
            for index in range(len(own))
        ]
        table = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
        return Axes(**self._axes(own, table, {}))
