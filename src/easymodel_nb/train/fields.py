"""The names of `roles` under their former address, until every importer has moved."""

from easymodel_nb.train.roles import (
    Roles,
    as_text,
    choose,
    path_root,
    prompt_and_target,
    text_columns,
    value_at,
)

__all__ = [
    "Roles",
    "as_text",
    "choose",
    "path_root",
    "prompt_and_target",
    "text_columns",
    "value_at",
]
