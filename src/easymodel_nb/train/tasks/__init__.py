"""The tasks a model can be trained for, one file each."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from easymodel_nb.train.tasks.task import Context, Task

_CLASSES = {
    "classification": "Classification",
    "generation": "Generation",
    "token_classification": "TokenClassification",
    "seq2seq": "Seq2Seq",
}


def create(name: str, context: "Context") -> "Task":
    """The task of that name, for one run."""
    module = importlib.import_module(f"{__name__}.{name}")
    made: Task = getattr(module, _CLASSES[name])(context)
    return made
