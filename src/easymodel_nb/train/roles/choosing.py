"""Chooses the roles of a task: what the document names is checked, the rest is guessed."""

from collections.abc import Iterable

import pyarrow as pa

from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.train.roles import classification, generation, seq2seq, tags
from easymodel_nb.train.roles.arrow import first_columns
from easymodel_nb.train.roles.columns import Column, columns_of
from easymodel_nb.train.roles.likely import likely
from easymodel_nb.train.roles.problems import missing
from easymodel_nb.train.roles.roles import Roles
from easymodel_nb.train.roles.values import parts_of, slot_path, slots
from easymodel_nb.workflow.document import FinetuneData, Task

# The fields of the document that name columns, task by task, in the inspector's order.
ROLE_FIELDS: dict[Task, tuple[str, ...]] = {
    "generation": ("text_field", "prompt_field", "target_field", "messages_field"),
    "classification": ("text_field", "text_pair_field", "label_field"),
    "seq2seq": ("prompt_field", "target_field"),
    "token_classification": ("text_field", "label_field"),
}
_WITH_TEMPLATE = ("generation", "seq2seq")


def choose(table: pa.Table, data: FinetuneData) -> Roles:
    """The roles for the document's task; what it leaves open is chosen by name and content.

    Raises
    ------
    StudioError
        When a named column is not there, no column fits a role, or several fit equally
        well; on the field of that role, with the likely columns.

    """
    table = first_columns(table)
    columns = columns_of(table)
    problems = list(_absent(table, columns, data))
    if problems:
        raise StudioError(problems)
    if data.task == "classification":
        return classification.choose(table, columns, data)
    if data.task == "seq2seq":
        return seq2seq.choose(table, columns, data)
    if data.task == "token_classification":
        return tags.choose(table, columns, data)
    return generation.choose(table, columns, data)


def candidates(table: pa.Table, task: Task) -> dict[str, list[str]]:
    """The value paths that could play each role of a task, the likeliest first."""
    table = first_columns(table)
    columns = columns_of(table)
    return {field: likely(columns, task, field) for field in ROLE_FIELDS[task]}


def _absent(table: pa.Table, columns: list[Column], data: FinetuneData) -> Iterable[Problem]:
    paths = {column.path for column in columns} | set(table.schema.names)
    for field in (*ROLE_FIELDS[data.task], "group_field"):
        path = getattr(data, field)
        if path and not _is_there(path, paths):
            there = likely(columns, data.task, field)
            yield missing(table, field, path, there)
    if data.template and data.task in _WITH_TEMPLATE:
        for slot in slots(data.template):
            if not _is_there(slot, paths) and not _is_there(slot_path(slot)[0], paths):
                yield missing(table, "template", slot, [])


def _is_there(path: str, paths: set[str]) -> bool:
    """Whether the path is a column's, up to the place in a list."""
    if path in paths:
        return True
    first = "".join("[0]" if isinstance(p, int) else f".{p}" for p in parts_of(path))[1:]
    if first in paths:
        return True
    return any(isinstance(p, int) for p in parts_of(path)) and _in_list(path, paths)


def _in_list(path: str, paths: set[str]) -> bool:
    """Lists of numbers have no path of their own for their places."""
    base = path.rsplit("[", 1)[0]
    return path.endswith("]") and base in paths
