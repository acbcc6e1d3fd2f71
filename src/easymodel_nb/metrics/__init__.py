"""Metrics as pure functions of their arguments; each names its sample size or its reason.

Importing this package does not import torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from easymodel_nb.metrics.perplexity import Perplexity, perplexity

__all__ = ["Perplexity", "perplexity"]

_HOME_OF = {
    "Perplexity": "easymodel_nb.metrics.perplexity",
    "perplexity": "easymodel_nb.metrics.perplexity",
}


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(_HOME_OF[name]), name)
    msg = f"module 'easymodel_nb.metrics' has no attribute {name!r}"
    raise AttributeError(msg)
