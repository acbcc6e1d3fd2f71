"""Which answers are shown, in which order: plain data, before any HTML.

A row is what `Run.answer_rows` gives: index, prompt, reference, base, tuned, what else is known
of both answers (`base_more`, `tuned_more`) and what they scored (`base_scores`, `tuned_scores`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

PAGE = 5  # rows
AXES = ("fluency", "coherence", "grammar", "relevance")
_NAMES = {
    "overall": "GQS",
    "fluency": "Fluency",
    "coherence": "Coherence",
    "grammar": "Well-formed",
    "relevance": "Relevance",
}
_COUNTS = frozenset({"tokens", "reference_tokens", "source_tokens"})  # no scores
_ORDER, _GAIN, _LOSS, _WORST = "order", "gain", "loss", "worst"

SampleRow = Mapping[str, Any]


class SamplesView(BaseModel):
    """What the user chose to see of a run's samples; an empty `sort` is the task's own."""

    model_config = ConfigDict(frozen=True)

    epoch: float | None = None  # None: the kept one, else the last
    sort: str = ""
    page: int = 0
    search: str = ""


class Sort(NamedTuple):
    """An order: its name, how it reads, the score it goes by (or none), and its key of a row.

    Rows whose key is None come last.
    """

    name: str
    label: str
    score: str
    key: Callable[[SampleRow], float | None]


class Page(NamedTuple):
    """The rows of one page, and of how many; `found` counts those the search left."""

    rows: Sequence[SampleRow]
    number: int
    pages: int
    found: int
    total: int
    sort: Sort


def score_name(key: str, names: Mapping[str, str] | None = None) -> str:
    """How a score is called; `names` knows better, such as which judge spoke."""
    return (names or {}).get(key) or _NAMES.get(key) or key.replace("_", " ").capitalize()


def scored(row: SampleRow, side: str, key: str) -> float | None:
    """What one side's answer scored; None where it has no score."""
    found = (row.get(f"{side}_scores") or {}).get(key)
    return float(found) if isinstance(found, int | float) else None


def gain(row: SampleRow, key: str) -> float | None:
    """How much more the tuned answer scored than the base model's."""
    if key == "overall":
        from easymodel_nb.metrics.alike import alike  # noqa: PLC0415  numpy

        if pair := alike(row.get("tuned_scores") or {}, row.get("base_scores") or {}):
            return pair[0] - pair[1]
    before, after = scored(row, "base", key), scored(row, "tuned", key)
    return None if before is None or after is None else after - before


def scores_of(rows: Sequence[SampleRow]) -> list[str]:
    """Which scores the rows have, the overall one first."""
    found = {
        key
        for row in rows
        for side in ("base", "tuned")
        for key, value in (row.get(f"{side}_scores") or {}).items()
        if isinstance(value, int | float) and key not in _COUNTS
    }
    known = [key for key in _NAMES if key in found]
    return [*known, *sorted(found - set(known))]


def is_right(row: SampleRow, side: str) -> bool | None:
    """Whether a label is the right one; None where there is none."""
    given, truth = row.get(side), row.get("reference")
    if given is None or truth is None:
        return None
    return str(given).strip() == str(truth).strip()


def confidence(row: SampleRow) -> float | None:
    """The probability of the tuned model's label."""
    found = (row.get("tuned_more") or {}).get("confidence")
    return float(found) if isinstance(found, int | float) else None


def sorts(
    rows: Sequence[SampleRow], *, labels: bool, names: Mapping[str, str] | None = None
) -> list[Sort]:
    """The orders these rows can be put in, the task's own first."""
    return _label_sorts(rows) if labels else _text_sorts(rows, names)


def _text_sorts(rows: Sequence[SampleRow], names: Mapping[str, str] | None) -> list[Sort]:
    found = [Sort(_ORDER, "In their order", "", lambda row: float(row.get("index") or 0))]
    has = scores_of(rows)
    main = "overall" if "overall" in has else has[0] if has else ""
    if main:
        title = score_name(main, names)
        found = [
            Sort(_GAIN, f"Largest gain in {title} first", main, _falling(main)),
            Sort(_LOSS, f"Largest loss in {title} first", main, lambda row: gain(row, main)),
            Sort(_WORST, f"Lowest {title} first", main, lambda row: scored(row, "tuned", main)),
            *found,
        ]
    for key in has:
        if key != main:
            title = score_name(key, names)
            found.append(Sort(f"low.{key}", f"Lowest {title} first", key, _lowest(key)))
            found.append(Sort(f"gain.{key}", f"Largest gain in {title} first", key, _falling(key)))
    return found


def _falling(key: str) -> Callable[[SampleRow], float | None]:
    def negative(row: SampleRow) -> float | None:
        value = gain(row, key)
        return None if value is None else -value

    return negative


def _lowest(key: str) -> Callable[[SampleRow], float | None]:
    return lambda row: scored(row, "tuned", key)


def _label_sorts(rows: Sequence[SampleRow]) -> list[Sort]:
    found = [
        Sort("errors", "Errors first", "", _errors),
        Sort(_ORDER, "In their order", "", lambda row: float(row.get("index") or 0)),
    ]
    if any(confidence(row) is not None for row in rows):
        found.insert(1, Sort("unsure", "Least sure first", "", confidence))
    if any(row.get("base") is not None for row in rows):
        found.insert(1, Sort("lost", "Right before, wrong now first", "", _lost))
    return found


def _errors(row: SampleRow) -> float | None:
    """Wrong ones first, the surest of them before the others."""
    right = is_right(row, "tuned")
    if right is None:
        return None
    return float(right) - (0.0 if right else confidence(row) or 0.0)


def _lost(row: SampleRow) -> float | None:
    before, after = is_right(row, "base"), is_right(row, "tuned")
    if before is None or after is None:
        return None
    return float(after) - float(before)


def page_of(
    rows: Sequence[SampleRow],
    view: SamplesView,
    *,
    labels: bool,
    names: Mapping[str, str] | None = None,
    size: int = PAGE,
) -> Page:
    """The page the view asks for; one beyond the end is the last one."""
    orders = sorts(rows, labels=labels, names=names)
    order = next((sort for sort in orders if sort.name == view.sort), orders[0])
    wanted = view.search.strip().casefold()
    found = [row for row in rows if not wanted or _holds(row, wanted)]
    keyed = [(order.key(row), row) for row in found]
    # The sort is stable: what is equal stays in its order.
    known = sorted((pair for pair in keyed if pair[0] is not None), key=lambda pair: pair[0] or 0.0)
    ordered = [row for _, row in known] + [row for key, row in keyed if key is None]
    pages = max(1, -(-len(ordered) // size))
    number = min(max(0, view.page), pages - 1)
    shown = ordered[number * size : (number + 1) * size]
    return Page(shown, number, pages, len(found), len(rows), order)


def _holds(row: SampleRow, wanted: str) -> bool:
    texts = (row.get(name) for name in ("prompt", "reference", "base", "tuned"))
    return any(wanted in str(text).casefold() for text in texts if text is not None)
