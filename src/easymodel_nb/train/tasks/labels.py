"""Labels as people write them, read as classes: numbers, names, yes and no, or lists of them."""

import math
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from easymodel_nb.errors import FieldChange, Fix, Problem, Severity, problem_error

_SHOWN = 8  # classes named in a sentence
_MANY = 20  # different values up to which numbers are taken for classes without a second look
_SHARE = 0.5  # different values a row, above which a column is no label
_NUMBER_SHARE = 0.1  # the same for numbers, which are then a quantity
_PARTED = ("|", ";", ",", "' '")  # what parts labels in a cell; the last as NumPy does
_DENSE = 0.8  # of the numbers between the least and the most, where they are codes


@dataclass(frozen=True)
class Labels:
    """The classes of a run; `several` where a text may have any number of them."""

    names: tuple[str, ...]
    several: bool = False
    declared: bool = False  # the data set itself names them
    variants: tuple[tuple[str, ...], ...] = ()  # spellings that were read as one class

    @cached_property
    def _places(self) -> dict[str, int]:
        return {key_of(name): place for place, name in enumerate(self.names)}

    def number(self, value: Any, declared: Sequence[str] | None) -> int | None:
        """The class of a cell; None where it has none."""
        name = spelled(value, declared)
        return None if name is None else self._places.get(key_of(name))

    def numbers(self, value: Any, declared: Sequence[str] | None) -> list[int] | None:
        """The classes of a cell that holds a list; an empty list has none of them."""
        if not isinstance(value, list):
            return None
        found = {self.number(item, declared) for item in value}
        return sorted(number for number in found if number is not None)

    def reordered(self, names: Sequence[str]) -> "Labels":
        """The same classes in another order."""
        return Labels(tuple(names), self.several, self.declared, self.variants)


def spelled(value: Any, declared: Sequence[str] | None = None) -> str | None:
    """One label as a name: trimmed, whole numbers without a fraction, numbers by their names.

    None for an empty cell, and for a number that no name is declared for (hidden labels
    are written as -1).
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal):
        if not math.isfinite(value):
            return None
        value = int(value) if value == int(value) else value
    if isinstance(value, int):
        if declared is None:
            return str(value)
        return declared[value] if 0 <= value < len(declared) else None
    if value is None:
        return None
    text = unicodedata.normalize("NFC", " ".join(str(value).split()))
    return text or None


def key_of(name: str) -> str:
    """What two spellings of one class have in common."""
    return unicodedata.normalize("NFC", name.casefold())


def read(train: Iterable[Any], evaluation: Iterable[Any], declared: Sequence[str] | None) -> Labels:
    """The classes of the train and evaluation cells.

    Names that the data set declares keep their numbers; numbers are in numeric order, all
    else in alphabetical order. Of spellings that differ in case, the commonest is the name.
    """
    train, evaluation = list(train), list(evaluation)
    several = any(isinstance(value, list) for value in (*train, *evaluation))
    cells = [item for value in (*train, *evaluation) for item in _items(value)]
    spellings = Counter(name for cell in cells if (name := spelled(cell, declared)) is not None)
    groups: dict[str, list[str]] = {key_of(name): [name] for name in declared or ()}
    known = len(groups)
    for name, _ in spellings.most_common():
        group = groups.setdefault(key_of(name), [])
        if name not in group:
            group.append(name)
    names = [group[0] for group in groups.values()]
    variants = tuple(tuple(group) for group in groups.values() if len(group) > 1)
    if declared is not None and known == len(names):
        return Labels(tuple(names), several, declared=True, variants=variants)
    return Labels(tuple(sorted(names, key=_order(names))), several, variants=variants)


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _order(names: Sequence[str]) -> Any:
    if all(_number(name) is not None for name in names):
        return _number
    return lambda name: (key_of(name), name)


def _number(name: str) -> float | None:
    try:
        value = float(name)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


# ---------------------------------------------------------------- what is said about them


def refuse(
    labels: Labels,
    counts: Sequence[int],
    share: float,
    column: str,
    find_other: Callable[[], str | None],
) -> None:
    """Refuse a column that cannot be learned as classes.

    Parameters
    ----------
    labels, counts
        The classes, and how many train rows have each.
    share
        How many different values the column has, by row of the whole train split.
    column, find_other
        The label column's path, and what finds another that may be meant.

    Raises
    ------
    StudioError
        On `label_field`, with what to do.

    """
    present = [name for name, count in zip(labels.names, counts, strict=True) if count]
    found = _refusal(labels, present, share, column)
    if found is None:
        return
    code, message, more = found
    other = find_other()
    advice = f"Choose {other!r}, if that is the label" if other else "Choose another column"
    raise problem_error(
        code,
        f"{message}. {advice}{more}.",
        field="label_field",
        fix=_use(other) if other else None,
    )


def _refusal(
    labels: Labels, present: Sequence[str], share: float, column: str
) -> tuple[str, str, str] | None:
    """The code, what is wrong, and what else can be done than to choose another column."""
    if not present:
        return "label.empty", f"No train row has a label in {column!r}", ""
    if len(present) < 2 and not labels.several:  # noqa: PLR2004  a classifier tells classes apart
        return (
            "label.one_class",
            (
                f"Every train row has the label {_quoted(present)}, and a classifier needs at "
                "least two classes"
            ),
            ", add rows of another class, or take more rows (subset size)",
        )
    if labels.declared or len(present) <= _MANY:
        return None
    numbers = [value for name in present if (value := _number(name)) is not None]
    if len(numbers) == len(present) and share > _NUMBER_SHARE and not _codes(numbers, share):
        return (
            "label.quantity",
            (
                f"{column!r} holds {len(present):,} different numbers: a quantity to estimate "
                "(regression), which this program does not train"
            ),
            ", or put the numbers into a few ranges and use their names as labels",
        )
    if share > _SHARE:
        return (
            "label.too_many",
            (
                f"{column!r} has nearly as many different values as there are rows, so it is no "
                "label that could be learned"
            ),
            "",
        )
    return None


def _codes(numbers: Sequence[float], share: float) -> bool:
    """Whether numbers look like codes of classes: whole, from 0 or 1, with few gaps."""
    whole = all(number == int(number) for number in numbers)
    dense = len(numbers) >= _DENSE * (max(numbers) - min(numbers) + 1)
    return whole and dense and min(numbers) in (0, 1) and share <= _SHARE


def _use(column: str) -> Fix:
    change = FieldChange(node="", field="label_field", value=column)
    return Fix(label=f"Use {column!r}", set=[change])


def notes(labels: Labels, train: Sequence[int], evaluation: Sequence[int]) -> list[Problem]:
    """What the user should know of the classes; the counts are rows by class."""
    found = [
        _note("label.variants", f"{_and([repr(name) for name in group])} were read as one class.")
        for group in labels.variants
    ]
    if together := _together(labels):
        found.append(
            _note(
                "label.together",
                f"{_quoted(together)} {'looks' if len(together) == 1 else 'look'} like several "
                "labels in one cell, and each such cell is learned as a class of its own. Where a "
                'text may have several labels, write them as lists, such as ["a", "b"].',
                "ask",
            )
        )
    counted = list(zip(labels.names, train, evaluation, strict=True))
    unseen = [name for name, t, e in counted if e and not t]
    unmeasured = [name for name, t, e in counted if t and not e]
    if unseen:
        found.append(
            _note(
                "label.unseen",
                f"{_quoted(unseen)} {_are(unseen)} in the validation rows alone: what has no "
                "train row cannot be learned, and its rows count as errors.",
            )
        )
    if unmeasured:
        found.append(
            _note(
                "label.unmeasured",
                f"{_quoted(unmeasured)} {_are(unmeasured)} in no validation row, so how well "
                f"{'it is' if len(unmeasured) == 1 else 'they are'} told apart is not measured.",
            )
        )
    return found


def _together(labels: Labels) -> list[str]:
    """Names such as `sport; art`, most of whose parts are labels or parts of others as well."""
    for mark in () if labels.several or labels.declared else _PARTED:
        parts = {n: {key_of(p.strip()) for p in n.split(mark)} - {""} for n in labels.names}
        often = Counter(part for found in parts.values() for part in found)
        found = [name for name, own in parts.items() if len(own) > 1]
        known = {part for name in found for part in parts[name]}
        if found and sum(often[part] > 1 for part in known) > len(known) / 2:
            return found
    return []


def _note(code: str, message: str, severity: Severity = "note") -> Problem:
    return Problem(code=code, severity=severity, message=message, field="label_field")


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _quoted(names: Sequence[str]) -> str:
    shown = [repr(name) for name in names[:_SHOWN]]
    more = len(names) - len(shown)
    return _and([*shown, f"{more} more classes"] if more else shown)


def _and(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
