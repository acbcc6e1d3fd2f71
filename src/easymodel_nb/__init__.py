"""A visual, no-code fine-tuning studio that lives in a notebook cell.

Importing this package is cheap on purpose: neither torch, transformers,
datasets, pandas nor bqplot is imported before it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from easymodel_nb.errors import Problem, StudioError
    from easymodel_nb.measured import Measured
    from easymodel_nb.runlog.run import Run
    from easymodel_nb.train.api import train
    from easymodel_nb.widgets.studio import Studio, studio
    from easymodel_nb.workflow.document import Workflow

__version__ = "0.1.0"

_HOME_OF = {
    "Measured": "easymodel_nb.measured",
    "Problem": "easymodel_nb.errors",
    "Run": "easymodel_nb.runlog.run",
    "Studio": "easymodel_nb.widgets.studio",
    "StudioError": "easymodel_nb.errors",
    "Workflow": "easymodel_nb.workflow.document",
    "studio": "easymodel_nb.widgets.studio",
    "train": "easymodel_nb.train.api",
}
_MODULES = {"builtin", "metrics"}

__all__ = [
    "Measured",
    "Problem",
    "Run",
    "Studio",
    "StudioError",
    "Workflow",
    "__version__",
    "builtin",
    "metrics",
    "studio",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(_HOME_OF[name]), name)
    if name in _MODULES:
        return import_module(f"easymodel_nb.{name}")
    msg = f"module 'easymodel_nb' has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted(__all__)
