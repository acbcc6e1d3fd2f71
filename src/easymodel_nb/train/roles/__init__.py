"""Which column plays which role, and the values a row gives for it."""

from easymodel_nb.train.roles.arrow import column_at, take_rows, text_columns
from easymodel_nb.train.roles.chat import turns
from easymodel_nb.train.roles.choosing import ROLE_FIELDS, candidates, choose
from easymodel_nb.train.roles.labels import class_names
from easymodel_nb.train.roles.roles import Roles, prompt_and_target
from easymodel_nb.train.roles.values import as_text, fill, path_root, value_at

__all__ = [
    "ROLE_FIELDS",
    "Roles",
    "as_text",
    "candidates",
    "choose",
    "class_names",
    "column_at",
    "fill",
    "path_root",
    "prompt_and_target",
    "take_rows",
    "text_columns",
    "turns",
    "value_at",
]
