"""How much is said with how many tokens, relative to the base model and to the references.

T(y) is the number of tokens of a text under the model's tokenizer, without special tokens, Q the
relevance of an answer (0 to 1, `quality`), T' = max(T, tokens of the reference), so that nothing
is gained by saying less than the reference does:

- token efficiency: (sum Q / sum T') of the model over the same of the base model; 1 is no change;
- length ratio: exp(mean log(max(T, 1) / tokens of the reference));
- bytes per token: UTF-8 bytes over tokens, which is a property of the tokenizer and of what is
  written, and no merit of the model;
- compression: mean of tokens of the source over tokens of the answer (Grusky et al. 2018).

Token efficiency is to be read beside the length ratio, the share of empty answers and the share
that reached the limit of new tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from easymodel_nb.measured import Measured
from easymodel_nb.metrics import lengths
from easymodel_nb.metrics.economy import NO_TEXT, Counted, Economy, Relevance
from easymodel_nb.metrics.segments import References, single
from easymodel_nb.metrics.stats import Clusters, Values, as_floats

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

WORDS = "words"  # who judges relevance where there is no encoder


@dataclass(frozen=True)
class Group:
    """Relevance points (0 to 100) per 100 tokens of one group of prompts, base and tuned.

    `ratio` is tuned over base with its paired interval; `n` counts the group's answers.
    """

    name: str
    n: int
    base: Measured
    tuned: Measured
    ratio: Measured

    def dump(self) -> dict[str, Any]:
        """As the log of a run holds it."""
        return {key: getattr(self, key) for key in ("name", "n", "base", "tuned", "ratio")}


@dataclass(frozen=True)
class Efficiency:
    """How much is said with how many tokens; every number with its interval, or its reason.

    `points` and `base_points`: (reference tokens, answer tokens) of each prompt with a reference.
    `fit` and `base_fit`: the line through them. `rows`: a table in input order with the columns
    `tokens`, `base_tokens`, `reference_tokens`, `source_tokens`, `bytes`, `length_ratio`,
    `compression`, `relevance`, `base_relevance` and `group`.
    """

    token_efficiency: Measured
    length_ratio: Measured
    base_length_ratio: Measured
    bytes_per_token: Measured
    compression: Measured
    limit: Measured
    empty: Measured
    points: list[tuple[int, int]]
    base_points: list[tuple[int, int]]
    fit: lengths.Fit
    base_fit: lengths.Fit
    groups: list[Group]
    grouped_by: str
    rows: "pd.DataFrame" = field(repr=False)

    def point(self) -> dict[str, Any]:
        """As the log of a run holds it."""
        names = ("token_efficiency", "length_ratio", "base_length_ratio", "bytes_per_token")
        more = ("compression", "limit", "empty", "points", "base_points", "grouped_by")
        found = {name: getattr(self, name) for name in (*names, *more)}
        line = {"slope": self.fit.slope, "r": self.fit.r, "near": self.fit.near}
        groups = [group.dump() for group in self.groups]
        return {**found, "groups": groups, "fit": {**line, "wide": self.fit.wide}}


def efficiency(  # noqa: PLR0913  the interface of DESIGN 3.9, and what a caller has already
    texts: Sequence[str],
    *,
    base_texts: Sequence[str],
    references: References | None,
    tokenizer: Any,
    prompts: Sequence[str] | None = None,
    sources: Sequence[str] | None = None,
    groups: Sequence[Any] | None = None,
    max_new_tokens: int | None = None,
    judge: Any = None,
    seed: int = 0,
    relevance: Values | None = None,
    base_relevance: Values | None = None,
    relevance_judge: str | None = None,
    ended: Sequence[bool | None] | None = None,
    clusters: Clusters | None = None,
) -> Efficiency:
    """Token efficiency, lengths and compression of answers to the same prompts.

    Parameters
    ----------
    texts, base_texts
        Answers of the model and of the base model, without their prompts.
    references
        What should have been answered, or several ways of it, of which the first that says
        something counts here; None where nothing is known, or altogether.
    tokenizer
        The model's.
    prompts
        What was asked; relevance is judged by them, unless it is given.
    sources
        The long texts that answers sum up, for `compression`.
    groups
        One name an answer, of the user's column; None groups by quartiles of reference length.
    max_new_tokens
        The limit that answers were cut at.
    judge
        The encoder relevance is judged with; None is the best one on this machine.
    seed
        Of the bootstrap.
    relevance, base_relevance
        Relevance of each answer, 0 to 1, where `quality` was computed already.
    relevance_judge
        Who told it, as `Quality.judges["relevance"]`.
    ended
        Whether the model ended each answer itself; without it an answer of `max_new_tokens` is
        taken as one that was cut.
    clusters
        One name a prompt; answers to the same one are resampled together.

    Returns
    -------
    Efficiency
        A number that lacks what it is made of is null with the reason.

    Raises
    ------
    ValueError
        When the numbers of texts differ.

    """
    n = len(texts)
    told = {"base_texts": base_texts, "references": references, "prompts": prompts}
    more = {"sources": sources, "groups": groups, "ended": ended, "clusters": clusters}
    scores = {"relevance": relevance, "base_relevance": base_relevance}
    for name, given in {**told, **more, **scores}.items():
        if given is not None and len(given) != n:
            msg = f"{len(given)} {name} for {n} texts: give one a text, in order"
            raise ValueError(msg)
    try:
        known = None if references is None else [single(one) for one in references]
        counted = Counted.of(tokenizer, texts, base_texts, known, sources)
    except Exception as error:  # noqa: BLE001  any tokenizer's error costs these numbers alone
        said = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        counted = Counted.unknown(texts, f"The tokenizer failed ({said}).")
    if relevance is None or base_relevance is None:
        judged = _judged(
            texts, base_texts, references=references, prompts=prompts, judge=judge, seed=seed
        )
    else:
        rows = as_floats(relevance), as_floats(base_relevance)
        judged = Relevance(*rows, None, relevance_judge)
    if judged.judge == WORDS:
        nobody = np.full(len(texts), np.nan)
        judged = Relevance(nobody, nobody, _no_encoder(judge))
    economy = Economy(counted, judged, clusters, seed)
    return _result(economy, groups, max_new_tokens, ended)


# ---------------------------------------------------------------- put together


def _no_encoder(judge: Any) -> str:
    """Why shared words alone, which overlap more in longer answers, are no judge of tokens."""
    from easymodel_nb.metrics.judges import local  # noqa: PLC0415  only where it is needed

    told = getattr(local() if judge is None else judge, "reasons", {}).get("encoder")
    return str(told or "There is no text encoder on this machine.")


def _judged(
    texts: Sequence[str],
    base_texts: Sequence[str],
    *,
    references: References | None,
    prompts: Sequence[str] | None,
    judge: Any,
    seed: int,
) -> Relevance:
    """Relevance of both, or NaN and the reason."""
    none = np.full(len(texts), np.nan)
    if prompts is None:
        return Relevance(
            none, none, "Without the prompts the relevance of answers cannot be judged."
        )
    if not texts:
        return Relevance(none, none, NO_TEXT)
    from easymodel_nb.metrics.quality import calibrate  # noqa: PLC0415  only where it is needed

    told = None if references is None else [one or "" for one in references]
    try:
        scale = calibrate(prompts=prompts, references=told, judge=judge, seed=seed)
        tuned, base = scale.score(texts), scale.score(base_texts)
    except Exception as error:  # noqa: BLE001  a judge that fails costs its number alone
        said = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        return Relevance(none, none, f"The relevance of answers could not be judged ({said}).")
    rows = [as_floats(found.rows["relevance"].to_numpy()) for found in (tuned, base)]
    return Relevance(rows[0], rows[1], tuned.relevance.reason, tuned.judges.get("relevance"))


def _result(
    economy: Economy,
    groups: Sequence[Any] | None,
    max_new_tokens: int | None,
    ended: Sequence[bool | None] | None,
) -> Efficiency:
    import pandas as pd  # noqa: PLC0415  it takes a moment

    table = economy.table
    names = lengths.quartiles(table.reference) if groups is None else lengths.named(groups)
    sizes = np.array([len(text.encode("utf-8", "replace")) for text in table.texts], float)
    with np.errstate(divide="ignore", invalid="ignore"):
        compression = np.where(table.tuned > 0, table.source / table.tuned, np.nan)
    columns = {
        "tokens": table.tuned,
        "base_tokens": table.base,
        "reference_tokens": table.reference,
        "source_tokens": table.source,
        "bytes": sizes,
        "length_ratio": np.maximum(table.tuned, 1) / table.reference,
        "compression": compression,
        "relevance": economy.relevance.tuned,
        "base_relevance": economy.relevance.base,
        "group": names,
    }
    return Efficiency(
        token_efficiency=economy.ratio(np.ones(len(table.texts), dtype=bool)),
        length_ratio=economy.length_ratio(table.tuned),
        base_length_ratio=economy.length_ratio(table.base),
        bytes_per_token=economy.bytes_per_token(sizes),
        compression=economy.compression(compression),
        limit=economy.limit(max_new_tokens, ended),
        empty=economy.mean([not text.strip() for text in table.texts], NO_TEXT),
        points=_points(table.reference, table.tuned),
        base_points=_points(table.reference, table.base),
        fit=_fit(economy, table.tuned),
        base_fit=_fit(economy, table.base),
        groups=_groups(economy, names),
        grouped_by="length quartile" if groups is None else "group",
        rows=pd.DataFrame(columns),
    )


def _fit(economy: Economy, tokens: Floats) -> lengths.Fit:
    reference = economy.table.reference
    return lengths.fit(reference, tokens, seed=economy.seed, clusters=economy.clusters)


def _groups(economy: Economy, names: Sequence[str | None]) -> list[Group]:
    """The largest first; groups of lengths in their order."""
    found = []
    for name in lengths.ordered(names):
        inside = np.array([other == name for other in names])
        tuned, base = economy.table.floored
        found.append(
            Group(
                name,
                int(inside.sum()),
                economy.points_per_tokens(economy.relevance.base, base, inside),
                economy.points_per_tokens(economy.relevance.tuned, tuned, inside),
                economy.ratio(inside),
            )
        )
    return found


def _points(reference: Floats, answer: Floats) -> list[tuple[int, int]]:
    known = np.isfinite(reference) & np.isfinite(answer)
    return [(int(x), int(y)) for x, y in zip(reference[known], answer[known], strict=True)]
