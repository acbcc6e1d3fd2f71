"""The value paths that could play a role, for the inspector's drop-downs."""

from easymodel_nb.train.roles import names
from easymodel_nb.train.roles.classification import label_candidates, text_candidates
from easymodel_nb.train.roles.columns import Column
from easymodel_nb.train.roles.generation import chats
from easymodel_nb.train.roles.matching import exactly, named, texts
from easymodel_nb.train.roles.tags import tag_lists, word_lists
from easymodel_nb.workflow.document import Task

_PLAIN = ("text", "integer", "number", "boolean")


def likely(columns: list[Column], task: Task, field: str) -> list[str]:
    """The paths for one field of a task, the likeliest first."""
    if field == "messages_field":
        found = chats(columns)
    elif field == "label_field" and task == "token_classification":
        found = tag_lists(columns, next((c.path for c in word_lists(columns)), None))
    elif field == "label_field":
        found = [*(c.column for c in label_candidates(columns)), *_classes_last(columns)]
    elif field == "text_field" and task == "token_classification":
        found = word_lists(columns)
    elif field in {"text_field", "text_pair_field"}:
        found = sorted([*text_candidates(columns), *_others(columns)], key=_far_fetched)
    else:
        wanted = names.TARGETS if field == "target_field" else names.SOURCES
        known = sorted(texts(columns), key=_far_fetched)
        found = [*exactly(known, wanted), *named(known, wanted), *known, *_others(columns)]
        found.sort(key=lambda c: _far_fetched(c) and not exactly([c], wanted))
    return list(dict.fromkeys(column.path for column in found))


def _far_fetched(column: Column) -> bool:
    """Whether it is an id, a date, or one element of a list."""
    return column.mark is not None or "[" in column.path


def _classes_last(columns: list[Column]) -> list[Column]:
    """Every other column of single values, those of few values first."""
    single = [c for c in columns if c.kind in _PLAIN and c.values and "[" not in c.path]
    return sorted(single, key=lambda c: c.distinct)


def _others(columns: list[Column]) -> list[Column]:
    return [c for c in columns if c.kind in _PLAIN and c.values]
