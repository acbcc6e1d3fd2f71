"""The rows that are trained on and those that are measured: seeded, by class, counted.

Rows without a value for one of the roles, or with a hidden label, leave first. The subset
is then drawn from the train split. Without an evaluation split a share of the subset is
held out; with one, at most `eval_size` of its rows are measured.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from easymodel_nb.errors import Problem, Severity, StudioError, problem_error
from easymodel_nb.train import strata
from easymodel_nb.train.roles import Roles, column_at, take_rows
from easymodel_nb.train.splits import hides
from easymodel_nb.train.usable import (
    Keys,
    Mask,
    RowKeys,
    class_codes,
    role_table,
    row_keys,
    usable_rows,
)
from easymodel_nb.workflow.document import DatasetData, FinetuneData

# From these shares on the user is asked, below them only told.
_ASK_OVERLAP = 0.05
_ASK_DUPLICATES = 0.3

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Drawn:
    """The rows of a run; the tables hold the columns of the roles (and of the groups)."""

    train: pa.Table
    evaluation: pa.Table
    held_out: bool  # whether the measured rows come from the train split
    dropped: dict[str, int]  # rows of both splits that were left out, by the reason
    duplicates: int  # trained rows that repeat another one
    overlap: int  # measured rows that are trained on as well
    contradictions: int  # measured rows whose input is trained on, with another label
    mixed: int  # different inputs that are trained on with two labels or more
    problems: list[Problem] = field(default_factory=list)  # what of it the user should know

    @property
    def dropped_rows(self) -> int:
        """How many rows were left out."""
        return sum(self.dropped.values())


def draw(
    train: pa.Table,
    evaluation: pa.Table | None,
    roles: Roles,
    data: FinetuneData,
    dataset: DatasetData,
    *,
    dataset_node: str | None = None,
    tick: Callable[[], None] = lambda: None,
) -> Drawn:
    """Draw the rows; the same ones for the same tables, roles and seed.

    `tick` is called often and may raise to stop. The problems stand on `dataset_node`.

    Raises
    ------
    StudioError
        When no row, or only one, is left to train on, or none to measure.

    """
    paths = [*roles.columns, *([data.group_field] if data.group_field else [])]
    hidden = data.task == "classification" and roles.label is not None and hides(train, roles.label)
    usable, dropped = usable_rows(train, roles, data.task, hidden=hidden, tick=tick)
    rows: Indices = np.flatnonzero(usable)
    if not len(rows):
        raise _nothing("train", dropped, roles)
    generator = np.random.default_rng(data.seed)
    size = min(data.subset_size or len(rows), len(rows))
    codes = _codes(train, rows, roles, data)
    order: Indices = generator.permutation(len(rows))
    chosen = order[:size] if codes is None else strata.subset(order, codes, size)
    taken = take_rows(role_table(train, paths), rows[chosen])
    keys = row_keys(taken, roles, tick)
    if evaluation is None:
        measured = _hold_out(codes, chosen, keys, dataset, dataset_node)
        eval_table, eval_keys = taken.filter(pa.array(measured)), keys.where(measured)
        taken, keys = taken.filter(pa.array(~measured)), keys.where(~measured)
    else:
        eval_table = _measured(evaluation, roles, data, hidden, dropped, generator, paths, tick)
        eval_keys = row_keys(eval_table, roles, tick)
    looked = train.num_rows + (evaluation.num_rows if evaluation is not None else 0)
    counts = _counts(keys, eval_keys, labelled=codes is not None)
    drawn = Drawn(taken, eval_table, evaluation is None, dropped, *counts)
    drawn.problems.extend(_problems(drawn, looked, dataset_node))
    return drawn


def _codes(
    table: pa.Table, rows: Indices, roles: Roles, data: FinetuneData
) -> npt.NDArray[np.int64] | None:
    """Each usable row's class, where rows have one."""
    if data.task != "classification" or roles.label is None:
        return None
    column = column_at(table, roles.label)
    if pa.types.is_nested(column.type):
        return None
    return class_codes(column)[rows]


def _hold_out(
    codes: npt.NDArray[np.int64] | None,
    chosen: Indices,
    keys: RowKeys,
    dataset: DatasetData,
    node: str | None,
) -> Mask:
    """Which rows of the subset are measured; duplicates stay on one side."""
    size = len(chosen)
    count = min(max(1, round(size * dataset.eval_fraction)), size - 1)
    if count < 1:
        raise problem_error(
            "dataset.too_small",
            "The data has one row; at least two are needed, one to learn and one to measure.",
            field="source",
            node=node,
        )
    classes = np.zeros(size, dtype=np.int64) if codes is None else codes[chosen]
    measured = np.zeros(size, dtype=bool)
    measured[strata.held_out(np.arange(size), classes, keys.rows, count)] = True
    return measured


def _measured(
    evaluation: pa.Table,
    roles: Roles,
    data: FinetuneData,
    hidden: bool,  # noqa: FBT001
    dropped: dict[str, int],
    generator: np.random.Generator,
    paths: list[str],
    tick: Callable[[], None],
) -> pa.Table:
    """At most `eval_size` rows of the evaluation split; adds to `dropped`."""
    usable, lost = usable_rows(evaluation, roles, data.task, hidden=hidden, tick=tick)
    for why, count in lost.items():
        dropped[why] = dropped.get(why, 0) + count
    rows: Indices = np.flatnonzero(usable)
    if not len(rows):
        raise _nothing("measure", lost, roles)
    order: Indices = generator.permutation(len(rows))
    codes = _codes(evaluation, rows, roles, data)
    size = min(data.eval_size, len(rows))
    chosen = order[:size] if codes is None else strata.subset(order, codes, size)
    return take_rows(role_table(evaluation, paths), rows[chosen])


def _counts(keys: RowKeys, eval_keys: RowKeys, *, labelled: bool) -> tuple[int, int, int, int]:
    """Drawn's duplicates, overlap, contradictions and mixed."""
    unique, place = np.unique(keys.rows, return_index=True)
    known = _among(eval_keys.rows, unique)
    contradictions = mixed = 0
    if labelled:
        inputs, labels = np.unique(keys.inputs[place], return_counts=True)
        contradictions = int((_among(eval_keys.inputs, inputs) & ~known).sum())
        mixed = int((labels > 1).sum())
    return len(keys.rows) - len(unique), int(known.sum()), contradictions, mixed


def _among(values: Keys, ascending: Keys) -> Mask:
    """Which values occur among the others, which are sorted."""
    place = np.minimum(np.searchsorted(ascending, values), len(ascending) - 1)
    found: Mask = ascending[place] == values
    return found


# ---------------------------------------------------------------- problems


def _problems(drawn: Drawn, looked: int, node: str | None) -> list[Problem]:
    train, measured = drawn.train.num_rows, drawn.evaluation.num_rows
    found: list[Problem] = []

    def tell(code: str, message: str, severity: Severity = "note") -> None:
        problem = Problem(code=code, severity=severity, message=message, node=node, field="source")
        found.append(problem)

    if drawn.dropped:
        listed = ", ".join(f"in {count:,} {why}" for why, count in drawn.dropped.items())
        tell("rows.dropped", f"{_rows(drawn.dropped_rows)} of {looked:,} left out: {listed}.")
    if drawn.duplicates:
        tell(
            "rows.duplicates",
            f"{drawn.duplicates:,} of the {train:,} training rows "
            f"{'repeats' if drawn.duplicates == 1 else 'repeat'} another one.",
            "ask" if drawn.duplicates >= _ASK_DUPLICATES * train else "note",
        )
    if drawn.overlap:
        tell(
            "rows.overlap",
            f"{drawn.overlap:,} of the {measured:,} measured rows "
            f"{'is' if drawn.overlap == 1 else 'are'} trained on as well, so the "
            "scores look better than they are. Take them out of one of the splits.",
            "ask" if drawn.overlap >= _ASK_OVERLAP * measured else "note",
        )
    if drawn.contradictions:
        tell(
            "labels.contradicting",
            f"{drawn.contradictions:,} of the {measured:,} measured rows "
            f"{'is' if drawn.contradictions == 1 else 'are'} trained on with another label, "
            "so no model can get both right. Look through the labels.",
            "ask" if drawn.contradictions >= _ASK_OVERLAP * measured else "note",
        )
    if drawn.mixed:
        tell(
            "labels.mixed",
            f"{drawn.mixed:,} of the trained texts {'has' if drawn.mixed == 1 else 'have'} more "
            "than one label. Look through the labels.",
        )
    return found


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _nothing(what: str, dropped: dict[str, int], roles: Roles) -> StudioError:
    why = max(dropped, key=lambda reason: dropped[reason]) if dropped else "the split has no rows"
    column = next((path for path in roles.columns if why.startswith(repr(path))), None)
    named = next((name for name, path in roles.fields.items() if path == column), None)
    every = f"{why} in every one" if len(dropped) == 1 else f"in most {why}" if dropped else why
    return problem_error(
        "rows.empty",
        f"There is no row to {what}: {every}. Choose another column.",
        field=named or next(iter(roles.fields), "text_field"),
    )
