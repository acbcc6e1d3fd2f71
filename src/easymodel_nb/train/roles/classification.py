"""Roles for classification: a text (or a pair of them) and its label."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from easymodel_nb.train.roles import names
from easymodel_nb.train.roles.arrow import column_at
from easymodel_nb.train.roles.columns import Column
from easymodel_nb.train.roles.matching import exactly, named, texts, why_named
from easymodel_nb.train.roles.pairs import pair_of_texts
from easymodel_nb.train.roles.problems import listed, none_fits, unclear
from easymodel_nb.train.roles.roles import Reason, Roles
from easymodel_nb.workflow.document import FinetuneData

_LABEL_LENGTH = 60  # mean characters of a class's name
_LABEL_WORDS = 6
_SURE = 0.5  # different values a row, up to which a column named label is one
_LIKELY = 0.2  # the same where no name speaks for it
_FEW_ROWS = 50
_FEW = 10  # different values that are few in any table
_NUMBERS = 20  # different whole numbers up to which an unnamed column may be classes
_MANY_LABELS = 12  # labels of one row
_UNNAMED = 4  # the tier of columns that only their values speak for
_THEME = 1000  # after every name of a label
_FLAGS = 3  # 0/1 columns that together are several labels a row


def choose(table: pa.Table, columns: list[Column], data: FinetuneData) -> Roles:
    """What the document names, and a guess for what it leaves open."""
    reasons: list[Reason] = []
    text, pair, label = data.text_field, data.text_pair_field, data.label_field
    taken = {path for path in (text, pair, label) if path}
    open_columns = [c for c in columns if c.path not in taken]
    if label is None:
        label, why = _label(table, open_columns)
        reasons.append(("label_field", label, why))
        open_columns = [c for c in open_columns if c.path != label]
    if text is None:
        two = None if pair else pair_of_texts(_pairable(open_columns))
        if two:
            text, pair = two[0].path, two[1].path
            why = "the two texts are compared with each other"
            reasons += [
                ("text_field", text, f"{why_named(two[0])}; {why}"),
                ("text_pair_field", pair, f"{why_named(two[1])}; {why}"),
            ]
        else:
            text, why = _text(table, open_columns)
            reasons.append(("text_field", text, why))
    return Roles(text=text, text_pair=pair, label=label, reasons=tuple(reasons))


def _pairable(columns: list[Column]) -> list[Column]:
    return [c for c in texts(columns, nested=False) if not c.mark]


# ---------------------------------------------------------------- the text


def text_candidates(columns: list[Column]) -> list[Column]:
    """The columns that could be the text, the likeliest first."""
    usable = [c for c in texts(columns) if "[" not in c.path]
    clean = [c for c in usable if not c.mark and not _short_label(c)]
    clean = [c for c in clean if not c.constant] or clean
    known = [*named(clean, names.PLAIN), *exactly(clean, names.TEXTS), *named(clean, names.TEXTS)]
    longest = sorted(clean, key=lambda c: (not c.prose, -c.mean_length))
    order = [*(c for c in known if c.prose), *(c for c in longest if c.prose), *known, *longest]
    return list({c.path: c for c in (*order, *usable)}.values())


def _short_label(column: Column) -> bool:
    """Whether a text column looks like labels itself and is not called a text."""
    return _is_classes(column, _LIKELY) and not exactly([column], names.TEXTS)


def _text(table: pa.Table, columns: list[Column]) -> tuple[str, str]:
    found = [c for c in text_candidates(columns) if not c.mark]
    if not found:
        raise none_fits(table, "text_field", "no column holds text", "column.no_text")
    best = found[0]
    if named([best], names.TEXTS):
        return best.path, why_named(best)
    if len(found) == 1:
        return best.path, "it is the only text column left"
    return best.path, "it holds the longest texts"


# ---------------------------------------------------------------- the label


@dataclass(frozen=True)
class _Candidate:
    column: Column
    tier: int  # 0 is the surest
    place: int  # within the tier; equal places are equally good
    why: str


def label_candidates(columns: list[Column]) -> list[_Candidate]:
    """The columns that could be the label, the likeliest first."""
    found = [c for column in columns if (c := _candidate(column, columns)) is not None]
    return sorted(found, key=lambda c: (c.tier, c.place))


def _candidate(column: Column, columns: list[Column]) -> _Candidate | None:
    if "[" in column.path or not column.values or column.mark or _word_tags(column, columns):
        return None
    label, theme = names.rank(column.name, names.LABELS), names.rank(column.name, names.THEMES)
    if column.classes:
        place = label if label is not None else _THEME if theme is not None else 2 * _THEME
        why = f"the data names its {len(column.classes)} classes"
        return _Candidate(column, 0, place, why)
    if label is not None and label < len(names.LABELS):
        found = _Candidate(column, 1, label, why_named(column))
    elif (label is not None or theme is not None) and not _measure(column):
        whole = theme is not None and theme < len(names.THEMES)
        found = _Candidate(column, 2 if whole else 3, 0, why_named(column))
    else:
        minor = names.has_word(column.name, names.MINOR)
        found = _Candidate(column, 5 if minor else _UNNAMED, 0, "")
    if found.tier == 1:
        return found if _is_classes(column, _SURE, small=True) else None
    if found.tier < _UNNAMED:
        return found if _is_classes(column, _SURE) else None
    return found if _is_classes(column, _LIKELY) and not column.constant else None


def _measure(column: Column) -> bool:
    """Whether a name such as sentiment_confidence says that it counts or weighs something."""
    return column.kind != "boolean" and names.has_word(column.name, names.MEASURES)


def _is_classes(column: Column, share: float, *, small: bool = False) -> bool:
    """Whether the values repeat and are short, as classes do.

    With `small`, a table of few rows need not show a class twice.
    """
    rows, distinct = len(column.values), column.distinct
    few = distinct <= max(share * rows, min(rows / 2, _FEW))
    few = few or (small and rows < _FEW_ROWS)
    if column.kind == "boolean":
        return True
    if column.kind == "integer" or (column.kind == "number" and column.whole):
        return few and (share == _SURE or distinct <= _NUMBERS)
    if column.kind == "text":
        short = column.mean_length <= _LABEL_LENGTH and column.mean_words <= _LABEL_WORDS
        return short and few
    if column.kind in {"words", "codes"}:
        elements = sum(map(len, column.values))
        small = column.mean_length <= _MANY_LABELS and distinct <= max(_SURE * elements, 1)
        return small and all(len(set(value)) == len(value) for value in column.values)
    return False


def _word_tags(column: Column, columns: list[Column]) -> bool:
    """Whether a list is the words of a text or a tag for each of them."""
    if column.kind not in {"words", "codes"}:
        return False
    for other in columns:
        if other.kind == "words" and other is not column:
            both = [(a, b) for a, b in zip(column.raw, other.raw, strict=True) if a and b]
            if both and all(len(a) == len(b) for a, b in both):
                return True
    return False


def _label(table: pa.Table, columns: list[Column]) -> tuple[str, str]:
    found = label_candidates(columns)
    varied = [c for c in found if not c.column.constant]
    found = varied or found
    if not found:
        raise none_fits(table, "label_field", _why_none(columns), "column.no_label")
    best = found[0]
    flags = [c.column.path for c in found if _is_flag(c.column) and c.tier > 1]
    if best.column.path in flags and len(flags) >= _FLAGS:
        why = f"{len(flags)} columns hold yes or no ({listed(flags)})"
        raise unclear("label_field", f"{why}, and one is learned at a time", flags)
    equal = [c for c in found if (c.tier, c.place) == (best.tier, best.place)]
    if len(equal) > 1:
        paths = [c.column.path for c in equal]
        raise unclear("label_field", f"{len(paths)} columns look like classes", paths)
    held = _counted(table, best.column)
    return best.column.path, f"{best.why} and it has {held}" if best.why else f"it has {held}"


def _is_flag(column: Column) -> bool:
    return column.kind == "boolean" or (
        column.kind in {"integer", "number"} and set(column.values) <= {0, 1}
    )


def _why_none(columns: list[Column]) -> str:
    measured = [
        c
        for c in columns
        if c.kind == "number" and not c.whole and named([c], (*names.LABELS, *names.THEMES))
    ]
    if measured:
        shown = ", ".join(f"{value:g}" for value in measured[0].values[:3])
        return f"{measured[0].path!r} holds measured numbers ({shown}), not classes"
    return "in no column do few short values repeat, as classes do"


def _counted(table: pa.Table, column: Column) -> str:
    """How many different values the whole column holds."""
    values = column_at(table, column.path)
    plural = "" if table.num_rows == 1 else "s"
    if column.kind in {"words", "codes"}:
        values = pc.list_flatten(values)
        rows = f"in the lists of {table.num_rows:,} row{plural}"
    else:
        rows = f"in {table.num_rows:,} row{plural}"
    count = pc.count_distinct(values).as_py()
    return f"{count:,} different value{'' if count == 1 else 's'} {rows}"
