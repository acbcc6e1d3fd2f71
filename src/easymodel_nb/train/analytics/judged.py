"""Answers judged: quality, semantics and efficiency of one point, and what each answer scored.

The same code serves a run and what is measured of it later. Each group is guarded: what fails
costs its own numbers, which are then null with the reason.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from easymodel_nb.measured import Measured
from easymodel_nb.metrics.embedded import Embedded
from easymodel_nb.metrics.judges import Judges
from easymodel_nb.runlog.analytics import EfficiencyPoint, QualityPoint, SemanticsPoint
from easymodel_nb.runlog.scores import Values
from easymodel_nb.train.analytics.material import Material
from easymodel_nb.train.analytics.purse import Guard
from easymodel_nb.train.analytics.store import Row

AXES = ("fluency", "coherence", "grammar", "relevance")
_ONE_POINT = "This is the first point that was measured with answers."


@dataclass(frozen=True)
class Judged:
    """The groups of a point, what each answer scored, and how many were odd."""

    quality: QualityPoint
    semantics: SemanticsPoint
    efficiency: EfficiencyPoint
    values: Values = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    general: Values = field(default_factory=dict)  # what passages of general text scored


def nothing(reason: str) -> Judged:
    """A point whose answers are not judged, and why."""
    none = Measured.missing(reason)
    return Judged(quality_missing(reason), semantics_missing(none), efficiency_missing(none))


def quality_missing(reason: str) -> QualityPoint:
    """Null with the reason."""
    return QualityPoint(**dict.fromkeys(("overall", *AXES), Measured.missing(reason)))


def semantics_missing(none: Measured) -> SemanticsPoint:
    """Null with the reason."""
    return SemanticsPoint(consistency=none, drift=none, step=none, mmd=none, forgetting=none)


def efficiency_missing(none: Measured) -> EfficiencyPoint:
    """Null with the reason."""
    return EfficiencyPoint(
        token_efficiency=none, length_ratio=none, bytes_per_token=none, compression=none
    )


class Judging:
    """Judges the answers of one run, always in the same way."""

    def __init__(
        self,
        material: Material,
        judges: Judges,
        tokenizer: Any,
        guard: Guard,
        *,
        scorer: tuple[Any, Any] | None = None,
        note: str = "",
    ) -> None:
        self.material, self.judges, self._guard = material, judges, guard
        self._tokenizer, self._scorer, self._note = tokenizer, scorer, note
        self._base: tuple[list[Row], Any] | None = None

    # ------------------------------------------------------------ what is fixed

    @cached_property
    def _calibrated(self) -> tuple[Any, str]:
        def work() -> Any:
            from easymodel_nb.metrics.quality import calibrate  # noqa: PLC0415

            material = self.material
            return calibrate(
                prompts=material.prompts,
                references=material.several or material.references,
                sources=material.sources,
                fit_texts=material.fit_texts,
                scorer=self._scorer,
                judge=self.judges,
                seed=material.seed,
                summaries=material.summaries,
            )

        return self._guard("The quality of the answers", work)

    def details(self) -> dict[str, Any]:
        """Who judges, and what the references themselves score: `details` of epoch 0."""
        found, reason = self._calibrated
        names: dict[str, Any] = {}
        if self.judges.encoder is not None:
            names["semantics"] = str(self.judges.encoder.identity)
        if found is None:
            return {"judges": names | {"note": reason}}
        scored, reason = self._guard("The quality of the references", lambda: found.references)
        names |= dict(found.judges)
        told_of = [*self.judges.reasons.values(), *found.notes.values(), self._note]
        notes = dict.fromkeys(told_of)
        if told := " ".join(note for note in notes if note):
            names["note"] = told
        return {"judges": names, **({"references": _axes(scored)} if scored else {})}

    def _embedded(self, base: list[Row]) -> Any:
        """The base model's answers and the references, embedded once."""
        if self._base is None or self._base[0] != base:
            found = Embedded(
                _texts(base),
                self.material.references,
                embedder=self.judges.encoder,
                clusters=self.material.prompts,
                seed=self.material.seed,
            )
            self._base = base, found
        return self._base[1]

    # ------------------------------------------------------------ a point

    def measure(
        self,
        rows: list[Row],
        base: list[Row],
        before: list[Row] | None,
        relevance: Values | None = None,
    ) -> Judged:
        """Judge answers; `before` are those of the fully measured point before.

        `relevance`: what the base model's answers scored; None where these are its answers.

        Raises
        ------
        Stopped
            When a stop was asked for meanwhile.

        """
        values: Values = {"tokens": [float(row["tokens"]) for row in rows]}
        counts = {
            "answers": len(rows),
            "empty": sum(not row["text"].strip() for row in rows),
            "limit": sum(row.get("ended") == "limit" for row in rows),
        }
        values["reference_tokens"] = [float(n) for n in self.material.reference_tokens]
        quality = self._quality(rows, values, counts)
        semantics = self._semantics(rows, base, before, values, counts)
        efficiency = self._efficiency(rows, base, values, relevance or values)
        return Judged(quality, semantics, efficiency, values, counts)

    def _quality(self, rows: list[Row], values: Values, counts: dict[str, int]) -> QualityPoint:
        calibrated, reason = self._calibrated
        if calibrated is None:
            return quality_missing(reason)
        found, reason = self._guard(
            "The quality of the answers", lambda: calibrated.score(_texts(rows))
        )
        if found is None:
            return quality_missing(reason)
        values |= _columns(found.rows, ("overall", *AXES))
        counts |= {name: int(count) for name, count in found.counts.items()}
        return QualityPoint.model_validate(found.point())

    def _semantics(
        self,
        rows: list[Row],
        base: list[Row],
        before: list[Row] | None,
        values: Values,
        counts: dict[str, int],
    ) -> SemanticsPoint:
        if self.judges.encoder is None:
            reason = self.judges.reasons.get("encoder", "There is no text encoder.")
            return semantics_missing(Measured.missing(reason))
        from easymodel_nb.metrics.semantics import measured  # noqa: PLC0415

        earlier = None if before is None else _texts(before)
        found, reason = self._guard(
            "What the answers mean",
            lambda: measured(self._embedded(base), _texts(rows), before=earlier),
        )
        if found is None:
            return semantics_missing(Measured.missing(reason))
        values |= _columns(found.rows, ("consistency", "drift"))
        counts |= {f"semantics_{name}": int(count) for name, count in found.counts.items()}
        forgetting = Measured.missing("General text was not measured at this point.")
        return SemanticsPoint.model_validate({**found.point(), "forgetting": forgetting})

    def _efficiency(
        self, rows: list[Row], base: list[Row], values: Values, base_values: Values
    ) -> EfficiencyPoint:
        scored = {"relevance": values, "base_relevance": base_values}
        known = {name: of["relevance"] for name, of in scored.items() if "relevance" in of}

        def work() -> Any:
            from easymodel_nb.metrics.efficiency import efficiency  # noqa: PLC0415

            material = self.material
            calibrated, _ = self._calibrated
            judge = None if calibrated is None else calibrated.judges.get("relevance")
            return efficiency(
                _texts(rows),
                base_texts=_texts(base),
                references=material.references,
                tokenizer=self._tokenizer,
                prompts=material.prompts,
                sources=material.sources,
                groups=material.groups.of,
                max_new_tokens=material.max_new_tokens,
                judge=self.judges,
                seed=material.seed,
                ended=[row.get("ended") == "eos" for row in rows],
                clusters=material.prompts,
                relevance_judge=judge,
                **(known if len(known) == len(scored) else {}),
            )

        found, reason = self._guard("Token efficiency", work)
        if found is None:
            return efficiency_missing(Measured.missing(reason))
        return EfficiencyPoint.model_validate(found.point())

    def noise(self, base: list[Row], first: list[Row], second: list[Row]) -> dict[str, Measured]:
        """What two sampled runs of the base model differ by."""
        if self.judges.encoder is None:
            return {}
        from easymodel_nb.metrics.semantics import noise  # noqa: PLC0415

        count = len(first)
        found, _ = self._guard(
            "The noise floor",
            lambda: noise(self._embedded(base).first(count), _texts(first), _texts(second)),
        )
        return dict(found.dump()) if found is not None else {}


def _texts(rows: Sequence[Row]) -> list[str]:
    return [str(row["text"]) for row in rows]


def _columns(table: Any, names: Sequence[str]) -> Values:
    return {name: [float(x) for x in table[name]] for name in names if name in table}


def _axes(found: Any) -> dict[str, Any]:
    get: Callable[[str], Any] = (
        found.get if isinstance(found, dict) else lambda name: getattr(found, name, None)
    )
    return {name: value for name in ("overall", *AXES) if (value := get(name)) is not None}
