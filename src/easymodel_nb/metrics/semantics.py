"""How near answers are to their references, and how far they moved from the base model's.

e is an encoder's vector of length 1, g_i the answer to prompt i of the model that is measured,
b_i the base model's, r_i the reference:

- consistency: mean of cos(e(g_i), e(r_i));
- drift: 1 - mean of cos(e(g_i), e(b_i)); step: the same to the answers of the point before;
- segments: an answer of at least 40 words is cut into four parts of as many words; the curve is
  the mean of cos(e(part k of g_i), e(r_i)), and beside it to part k of the base model's answer;
- mmd: whether the answers as a whole come from the base model's distribution (`drift`), and
  `arrow`: how much nearer to the references' distribution they are than the base model's were.

An empty answer has the cosine 0 with every other text. What could not be embedded counts in
`counts["bad"]`, and above 5 % of the texts there is no number.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from easymodel_nb.measured import Measured
from easymodel_nb.metrics import judges
from easymodel_nb.metrics.embedded import (
    NO_REFERENCE,
    NO_TEXT,
    Embedded,
    bad_reason,
    failure,
    too_bad,
)
from easymodel_nb.metrics.segments import SEGMENTS, SHORT, References, segments

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Embedded", "Noise", "Semantics", "measured", "noise", "semantics"]

Floats = NDArray[np.float64]

FIRST = "There is no point before to compare the answers with."
_PARTS = [f"segment_{k + 1}" for k in range(SEGMENTS)]


@dataclass(frozen=True)
class Semantics:
    """What answers mean, against references and the base model's answers.

    `rows`: a table in input order with columns `consistency`, `drift`, `step` and `segment_1` to
    `segment_4`, NaN where there is none. `p_value` belongs to `mmd`. `arrow` is above 0 where the
    answers moved towards the references. `counts`: texts that are `empty`, `not_english` and
    `bad` (no finite vector). `note` is what to say beside the numbers, if anything.
    """

    consistency: Measured
    drift: Measured
    step: Measured
    segments: list[Measured]
    base_segments: list[Measured]
    mmd: Measured
    p_value: float | None
    arrow: Measured
    rows: "pd.DataFrame" = field(repr=False)
    counts: dict[str, int] = field(default_factory=dict)
    note: str | None = None

    def point(self) -> dict[str, Any]:
        """As the log of a run holds it; forgetting, which needs the model, is not in it."""
        names = ("consistency", "drift", "step", "segments", "base_segments", "mmd", "p_value")
        found = {name: getattr(self, name) for name in (*names, "arrow")}
        return {**found, "note": self.note} if self.note else found


@dataclass(frozen=True)
class Noise:
    """The same quantities between two sampled runs of one model: what is no change.

    `consistency` is the mean distance between both runs' consistency, answer by answer.
    """

    drift: Measured
    consistency: Measured
    mmd: Measured

    def dump(self) -> dict[str, Measured]:
        """By the names of the details."""
        return {"drift": self.drift, "consistency": self.consistency, "mmd": self.mmd}


def semantics(
    texts: Sequence[str],
    *,
    base_texts: Sequence[str],
    references: References | None,
    embedder: Any = None,
    seed: int = 0,
) -> Semantics:
    """Consistency, drift, segments and distribution drift of answers to the same prompts.

    Parameters
    ----------
    texts
        Answers of the model, without their prompts.
    base_texts
        What the base model answered; or the point before, for the drift since then.
    references
        What should have been answered, or several ways of it, of which the first that says
        something counts; None where nothing is known, or altogether.
    embedder
        An encoder of `metrics.judges`, a sentence-transformers model, or a function from a list
        of texts to an array (texts, numbers). None is the best one on this machine.
    seed
        Of the bootstrap over answers and of the permutations.

    Returns
    -------
    Semantics
        Cosines -1 to 1 with 95 % intervals. Without an encoder every number is null with the
        reason.

    Raises
    ------
    ValueError
        When the numbers of texts differ.

    """
    return measured(Embedded(base_texts, references, embedder=embedder, seed=seed), texts)


def measured(
    fixed: Embedded, texts: Sequence[str], *, before: Sequence[str] | None = None
) -> Semantics:
    """As `semantics`, with what stays the same in a run embedded; `before`: the point before.

    Raises
    ------
    ValueError
        When the numbers of texts differ.

    """
    fixed.check(texts, "texts")
    if before is not None:
        fixed.check(before, "answers of the point before")
    if fixed.reason is not None or not texts:
        return _nothing(fixed.reason or NO_TEXT, texts)
    try:
        return _measure(fixed, texts, before)
    except Exception as error:  # noqa: BLE001  any library's error costs these numbers alone
        return _nothing(failure(error), texts)


def noise(fixed: Embedded, first: Sequence[str], second: Sequence[str]) -> Noise:
    """Drift, consistency and MMD^2_u between two sampled runs of the base model.

    Raises
    ------
    ValueError
        When the numbers of texts differ.

    """
    fixed.check(first, "texts of the first run")
    fixed.check(second, "texts of the second run")
    reason = fixed.reason or (None if first else NO_TEXT)
    if reason is None:
        try:
            return _noise(fixed, first, second)
        except Exception as error:  # noqa: BLE001  as above
            reason = failure(error)
    return Noise(*[Measured.missing(reason, n=0)] * 3)


# ---------------------------------------------------------------- the numbers


def _noise(fixed: Embedded, first: Sequence[str], second: Sequence[str]) -> Noise:
    valid = judges.finite(fixed.vectors(first)) & judges.finite(fixed.vectors(second))
    apart = np.abs(fixed.to_references(first) - fixed.to_references(second))
    return Noise(
        _mean(fixed, 1 - fixed.cosines(first, second), valid),
        _mean(fixed, apart, valid, NO_REFERENCE),
        fixed.discrepancy(first, second).value,
    )


def _measure(fixed: Embedded, texts: Sequence[str], before: Sequence[str] | None) -> Semantics:
    import pandas as pd  # noqa: PLC0415  it takes a moment

    nothing = np.full(len(texts), np.nan)
    valid = judges.finite(fixed.vectors(texts))
    consistency = fixed.to_references(texts)
    drift = 1 - fixed.cosines(texts, fixed.base)
    step = nothing if before is None else 1 - fixed.cosines(texts, before)
    parts, base_parts = ([segments(text) for text in some] for some in (texts, fixed.base))
    near = _near(fixed, parts)
    moved = fixed.discrepancy(texts, fixed.base)
    foreign = np.array(fixed.not_english(texts)), np.array(fixed.not_english(fixed.references))
    columns = {"consistency": consistency, "drift": drift, "step": step}
    lacking = NO_REFERENCE if any(parts) else SHORT
    return Semantics(
        consistency=_mean(fixed, consistency, valid, NO_REFERENCE),
        drift=_mean(fixed, drift, valid),
        step=_mean(fixed, step, valid, FIRST),
        segments=[_mean(fixed, column, valid, lacking) for column in near],
        base_segments=[
            _mean(fixed, column, valid, SHORT) for column in _alike(fixed, parts, base_parts)
        ],
        mmd=moved.value,
        p_value=moved.p_value,
        arrow=fixed.arrow(texts),
        rows=pd.DataFrame({**columns, **dict(zip(_PARTS, near, strict=True))}),
        counts=_counts(texts, int(foreign[0].sum()), int((~valid).sum())),
        note=_note(int((foreign[0] | foreign[1]).sum()), len(texts)),
    )


def _near(fixed: Embedded, parts: list[list[str]]) -> list[Floats]:
    """Cosine of each segment with its text's reference, a column a segment."""
    rows = [place for place in fixed.answered() if parts[place]]
    told = [str(fixed.references[place]) for place in rows]
    return [
        _column(fixed, rows, [parts[place][k] for place in rows], told, len(parts))
        for k in range(SEGMENTS)
    ]


def _alike(fixed: Embedded, parts: list[list[str]], base_parts: list[list[str]]) -> list[Floats]:
    """Cosine of each segment with the same one of the base model's answer."""
    rows = [place for place in range(len(parts)) if parts[place] and base_parts[place]]
    return [
        _column(
            fixed,
            rows,
            [parts[place][k] for place in rows],
            [base_parts[place][k] for place in rows],
            len(parts),
        )
        for k in range(SEGMENTS)
    ]


def _column(
    fixed: Embedded, rows: list[int], left: list[str], right: list[str], size: int
) -> Floats:
    column = np.full(size, np.nan)
    column[rows] = fixed.cosines(left, right)
    return column


def _mean(
    fixed: Embedded, values: Floats, valid: NDArray[np.bool_], lacking: str | None = None
) -> Measured:
    """Mean of the values; `lacking` says why there may be none although the encoder worked."""
    if too_bad(valid):
        return Measured.missing(bad_reason(valid), n=int(valid.sum()))
    if lacking is not None and not np.isfinite(values[valid]).any():
        return Measured.missing(lacking, n=0)
    return fixed.mean(values)


def _counts(texts: Sequence[str], foreign: int, bad: int) -> dict[str, int]:
    empty = sum(not text.strip() for text in texts)
    return {"empty": empty, "not_english": foreign, "bad": bad}


def _note(foreign: int, texts: int) -> str | None:
    if not foreign:
        return None
    return f"English encoder: {foreign} of {texts} texts are in another language."


def _nothing(reason: str, texts: Sequence[str]) -> Semantics:
    import pandas as pd  # noqa: PLC0415

    none = Measured.missing(reason, n=0)
    names = ["consistency", "drift", "step", *_PARTS]
    return Semantics(
        consistency=none,
        drift=none,
        step=none,
        segments=[none] * SEGMENTS,
        base_segments=[none] * SEGMENTS,
        mmd=none,
        p_value=None,
        arrow=none,
        rows=pd.DataFrame({name: [np.nan] * len(texts) for name in names}),
        counts=_counts(texts, 0, 0),
    )
