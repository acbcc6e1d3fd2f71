"""Which rows are trained on and which are measured: the splits of a dataset, whole or sliced."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from easymodel_nb.errors import FieldChange, Fix, Problem, StudioError, problem_error
from easymodel_nb.train.roles import Roles, class_names, column_at, path_root
from easymodel_nb.train.roles.arrow import is_list, is_text
from easymodel_nb.workflow.check import label_of
from easymodel_nb.workflow.document import DatasetData

HIDDEN = -1  # how test labels are kept back
# In the order in which they are looked for.
TRAIN_NAMES = ("train", "training")
EVAL_NAMES = ("validation", "valid", "dev", "val", "eval", "evaluation", "test", "testing")


class Tables(Protocol):
    """A dataset, split by split."""

    @property
    def splits(self) -> Mapping[str, pa.Table]:
        """The splits by name."""


@dataclass(frozen=True)
class Splits:
    """The splits of a run, with the reason of each that the document left open."""

    train_name: str
    train: pa.Table
    eval_name: str | None  # None: a share of the train rows is held out
    evaluation: pa.Table | None
    train_reason: str | None = None
    eval_reason: str | None = None
    problems: list[Problem] = field(default_factory=list)  # splits that were passed over


def choose_splits(tables: Tables, data: DatasetData, roles: Roles | None = None) -> Splits:
    """The splits to train on and to measure.

    A split that was not named is measured only when `roles` (which see the train split)
    find answers in it: a test split whose labels are hidden is passed over.

    Raises
    ------
    StudioError
        When a named split is not there, is empty, or holds no answers.

    """
    train_name = train_split(tables, data)
    train = split_table(tables.splits, train_name, "train_split")
    why_train = _why_train(tables, data, train_name)
    if data.eval_split:
        evaluation = split_table(tables.splits, data.eval_split, "eval_split")
        if roles is not None and (why := unlabelled(evaluation, train, roles)):
            raise _no_answers(data.eval_split, why)
        return Splits(train_name, train, data.eval_split, evaluation, why_train)
    passed: dict[str, str] = {}
    for name in _usual(tables, train_name):
        table = tables.splits[name]
        why = unlabelled(table, train, roles) if roles is not None else None
        if why is None and table.num_rows:
            reason = "; ".join([f"the split is named {name}", *_told(passed)])
            return Splits(
                train_name, train, name, table, why_train, reason, _passed_over(passed, name)
            )
        passed[name] = why or "it has no rows"
    reason = "; ".join(_told(passed)) or "no other split is there"
    held = f"{data.eval_fraction * 100:.3g} % of the rows are held out"
    return Splits(
        train_name, train, None, None, why_train, f"{reason}: {held}", _passed_over(passed, None)
    )


def _told(passed: Mapping[str, str]) -> list[str]:
    return [f"{name} is not used, because {why}" for name, why in passed.items()]


def _passed_over(passed: Mapping[str, str], taken: str | None) -> list[Problem]:
    instead = f"{taken} is measured" if taken else "rows of the train split are held out"
    return [
        Problem(
            code="split.passed_over",
            severity="note",
            message=f"The split {name} cannot be measured, because {why}; {instead} instead.",
            field="eval_split",
        )
        for name, why in passed.items()
    ]


def train_split(tables: Tables, data: DatasetData) -> str:
    """The split that is trained on: the named one or slice, or `train`, or the only one."""
    names = list(tables.splits)
    if data.train_split:
        split_table(tables.splits, data.train_split, "train_split")
        return data.train_split
    for name in TRAIN_NAMES:
        if found := _by_name(names, name):
            return found
    if len(names) == 1:
        return names[0]
    raise problem_error(
        "split.unclear",
        f"None of the splits {', '.join(names)} is named train. Choose the train split.",
        field="train_split",
    )


def eval_split(
    tables: Tables, data: DatasetData, train: str, roles: Roles | None = None
) -> str | None:
    """The split that is measured: the named one or slice, or the usual names in order, or None."""
    named = data.model_copy(update={"train_split": train})
    return choose_splits(tables, named, roles).eval_name


def split_table(splits: Mapping[str, pa.Table], name: str, field: str) -> pa.Table:
    """A split by its name, or a slice such as `train[:10%]`, `train[100:200]`, `a+b`.

    Slices are read as the library `datasets` reads them.

    Raises
    ------
    StudioError
        On `field`, when there is no such split or the slice cannot be read or is empty.

    """
    if name in splits:
        return splits[name]
    if not any(mark in name for mark in "[+"):
        raise _no_split(field, name, list(splits))
    from datasets import ReadInstruction  # noqa: PLC0415

    lengths = {split: table.num_rows for split, table in splits.items()}
    try:
        parts: list[Any] = ReadInstruction.from_spec(name.replace(" ", "")).to_absolute(lengths)
    except (ValueError, AssertionError) as error:
        raise problem_error(
            "split.slice",
            f"{label_of(field)}: {name!r} cannot be read ({str(error).rstrip('.')}). Write a split "
            "or a slice of one, such as train[:10%] or train[100:200].",
            field=field,
        ) from None
    table = pa.concat_tables(
        splits[part.splitname].slice(part.from_, max(0, part.to - part.from_)) for part in parts
    )
    if table.num_rows == 0:
        raise problem_error(
            "split.empty",
            f"{label_of(field)}: {name!r} has no rows. Choose a wider slice.",
            field=field,
        )
    return table


def _why_train(tables: Tables, data: DatasetData, name: str) -> str | None:
    if data.train_split:
        return None
    return "it is the only split" if len(tables.splits) == 1 else f"the split is named {name}"


def _by_name(names: list[str], wanted: str) -> str | None:
    return next((name for name in names if name.lower() == wanted), None)


def _usual(tables: Tables, train: str) -> list[str]:
    names = list(tables.splits)
    found = [_by_name(names, wanted) for wanted in EVAL_NAMES]
    root = train.split("[", 1)[0]
    return [name for name in found if name is not None and name != root]


# ---------------------------------------------------------------- hidden answers


def unlabelled(table: pa.Table, train: pa.Table, roles: Roles) -> str | None:
    """Why a split cannot be scored: its answers are absent or hidden; None when it can.

    Labels that are all -1 are hidden, unless the train split has -1 as a class of its own.
    """
    needed = [p if p in train.column_names else path_root(p) for p in roles.columns]
    for name in needed:
        if name in train.column_names and name not in table.column_names:
            return f"it has no column {name!r}"
    for path in roles.outputs or roles.inputs[:1]:
        column = column_at(table, path)
        if column.null_count == len(column):
            return f"its {path!r} is empty in every row"
        if is_text(column.type):
            column = column.cast(pa.large_string())
            if not pc.any(pc.greater(pc.binary_length(pc.utf8_trim_whitespace(column)), 0)).as_py():
                return f"its {path!r} is empty in every row"
        elif path == roles.label and _all_hidden(column) and hides(train, path):
            return f"its labels are hidden (every {path!r} is {HIDDEN})"
    return None


def hides(train: pa.Table, path: str) -> bool:
    """Whether -1 means "no label" in a column of whole numbers, judged by the train split."""
    if class_names(train, path) is not None:
        return True
    column = column_at(train, path)
    if is_list(column.type):
        column = pc.list_flatten(column)
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return False
    return not pc.any(pc.equal(column, HIDDEN), min_count=0).as_py()


def _all_hidden(column: pa.ChunkedArray) -> bool:
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return bool(pc.all(pc.equal(column, HIDDEN)).as_py())
    if is_list(column.type):
        return _all_hidden(pc.list_flatten(column))
    return False


# ---------------------------------------------------------------- problems


def _no_split(field: str, wanted: str, names: list[str]) -> StudioError:
    close = _by_name(names, wanted.strip().lower())
    return problem_error(
        "split.missing",
        f"There is no split {wanted!r}; the data has {', '.join(names)}.",
        field=field,
        fix=_set(field, close, f"Use {close!r}") if close else None,
    )


def _no_answers(name: str, why: str) -> StudioError:
    return problem_error(
        "split.unlabelled",
        f"The split {name!r} cannot be measured: {why}. Choose another split, or none.",
        field="eval_split",
        fix=_set("eval_split", None, "Choose for me"),
    )


def _set(field: str, value: str | None, label: str) -> Fix:
    return Fix(label=label, set=[FieldChange(node="", field=field, value=value)])
