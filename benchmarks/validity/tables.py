"""The tables of docs/metrics.md: what was measured, as Markdown."""

from collections.abc import Mapping, Sequence

from validity.agreement import Agreement, agreement, difference
from validity.candidates import OURS, T1, Scores
from validity.human import HumanSet

BASELINES = ("ROUGE-L", "BERTScore")
_NAMES = {"overall": "GQS"}
_MISSING = "–"  # noqa: RUF001  what a table shows where there is nothing

Measured = Mapping[str, tuple[HumanSet, Scores]]


def headline(measured: Measured) -> str:
    """Each axis beside the rating nearest to it, with what else could judge it."""
    head = [
        "axis",
        "set: rating",
        "n",
        "**ours**",
        "ours, T1",
        *BASELINES,
        "the original's",
        "ours - original's",
    ]
    rows = []
    for axis in OURS:
        for human, scores in measured.values():
            if axis not in human.axes:
                continue
            rows.append(_headline_row(axis, human, scores))
    return _table(head, rows)


def _headline_row(axis: str, human: HumanSet, scores: Scores) -> list[str]:
    ratings = human.ratings[human.axes[axis]]

    def told(name: str, *, strong: bool = False) -> str:
        if name not in scores:
            return _MISSING
        found = agreement(scores[name], ratings, human.groups, human.systems)
        return _cell(found, strong=strong)

    theirs = f"original: {axis}"
    gap = None
    if theirs in scores:
        gap = difference(scores[axis], scores[theirs], ratings, human.groups)
    n = agreement(scores[axis], ratings, human.groups, None).n
    return [
        _NAMES.get(axis, axis),
        f"{human.title}: {human.axes[axis]}",
        f"{n:,} of {len(human):,}",
        told(axis, strong=True),
        told(axis + T1),
        *(told(name) for name in BASELINES),
        told(theirs),
        _interval(gap),
    ]


def whole(human: HumanSet, scores: Scores) -> str:
    """Every candidate beside every rating of a set."""
    head = ["score", "n", *human.ratings]
    rows = []
    for name, values in scores.items():
        found = [
            agreement(values, ratings, human.groups, human.systems)
            for ratings in human.ratings.values()
        ]
        if not found[0].n or all(one.pooled is None for one in found):
            continue
        shown = name.replace("overall", "GQS") if name.startswith("overall") else name
        rows.append([shown, str(found[0].n), *map(_cell, found)])
    return _table(head, rows)


def _cell(found: Agreement, *, strong: bool = False) -> str:
    if found.pooled is None:
        return _MISSING
    told = f"{found.pooled:+.2f}"
    told = f"**{told}**" if strong else told
    told += f" {_interval(found.pooled_interval)}"
    if found.summary is not None:
        told += f"; {found.summary:+.2f} {_interval(found.summary_interval)}"
        told += f"; {found.system:+.2f}" if found.system is not None else ""
    return told.replace("-", "\u2212")


def _interval(bounds: tuple[float, float] | None) -> str:
    if bounds is None:
        return _MISSING
    return f"[{bounds[0]:+.2f}, {bounds[1]:+.2f}]".replace("-", "\u2212")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
