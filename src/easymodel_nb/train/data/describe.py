"""What can be said of a dataset before it is trained on: facts, guesses, first rows."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from easymodel_nb import builtin
from easymodel_nb.errors import StudioError
from easymodel_nb.train.data.open import peek
from easymodel_nb.train.data.reading import DatasetTables, Guess, plural
from easymodel_nb.train.described import Described, SplitRows
from easymodel_nb.train.roles import Roles, candidates, choose, class_names
from easymodel_nb.train.splits import Splits, choose_splits
from easymodel_nb.workflow.document import DatasetData, FinetuneData

PREVIEW_ROWS = 20
_CELL = 200
_WHERE = {"variable": "variable of the notebook", "hub": "on the Hub"}


def describe_dataset(
    data: DatasetData, finetune: FinetuneData | None, home: Path | None = None
) -> Described | None:
    """Facts, first rows and the roles that would be chosen; None for data not on this machine.

    Raises
    ------
    StudioError
        With the field to mend, when there is no such data or it cannot be read.

    """
    tables = peek(data, home)
    return None if tables is None else describe_tables(data, tables, finetune)


def describe_tables(
    data: DatasetData, tables: DatasetTables, finetune: FinetuneData | None
) -> Described:
    """Facts of a dataset of which rows are here, all of them or the first ones."""
    finetune = finetune or FinetuneData()
    roles = _roles(choose_splits(tables, data).train, finetune)
    splits = choose_splits(tables, data, roles)
    names = list(splits.train.column_names)
    shown = splits.train.slice(0, PREVIEW_ROWS).to_pylist()
    classes = {name: class_names(splits.train, name) for name in names}
    return Described(
        lines=_lines(data, tables, splits),
        columns=names,
        rows=[[_cell(_named(row[name], classes[name])) for name in names] for row in shown],
        total_rows=splits.train.num_rows if tables.complete else None,
        roles=roles.fields if roles else {},
        reasons={field: why for field, _, why in roles.reasons} if roles else {},
        candidates=candidates(splits.train, finetune.task),
        splits=[
            SplitRows(name, table.num_rows if tables.complete else None)
            for name, table in tables.splits.items()
        ],
        guesses=[*tables.guesses, *_guessed_splits(data, splits)],
        notes=[note.message for note in (*tables.notes, *splits.problems)],
    )


def _guessed_splits(data: DatasetData, splits: Splits) -> list[Guess]:
    """Which splits null means, and why."""
    guesses = []
    if data.train_split is None:
        guesses.append(Guess("train_split", splits.train_name, splits.train_reason or ""))
    if data.eval_split is None:
        guesses.append(Guess("eval_split", splits.eval_name, splits.eval_reason or ""))
    return guesses


def _lines(data: DatasetData, tables: DatasetTables, splits: Splits) -> list[str]:
    columns = plural(len(splits.train.column_names), "column")
    where = _WHERE.get(tables.kind, "local file")
    if tables.kind == "builtin":
        card = next(d for d in builtin.datasets() if d.name == tables.name)
        where = f"{card.licence}, built in"
    if not tables.complete:
        return ["Large: its rows are counted when training starts", f"{where}, {columns}"]
    held = f"{data.eval_fraction:.0%} held out".replace("%", " %")
    if splits.evaluation is not None:
        held = f"{splits.evaluation.num_rows:,} held out"
    return [f"{splits.train.num_rows:,} rows, {held}", f"{where}, {columns}"]


def _roles(table: pa.Table, finetune: FinetuneData) -> Roles | None:
    """The columns that would be chosen, and why; None where the choice is the user's."""
    try:
        return choose(table, finetune)
    except StudioError:
        return None


def _named(value: Any, names: list[str] | None) -> Any:
    """A class by its name, where the data has names for its numbers; tags in a list as well."""
    if names is None:
        return value
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    return names[value] if type(value) is int and 0 <= value < len(names) else value


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _CELL else text[: _CELL - 1] + "…"
