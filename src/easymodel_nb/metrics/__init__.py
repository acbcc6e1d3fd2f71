"""Metrics as pure functions of their arguments; each names its sample size or its reason.

A function may share its name with its module. It is bound here, after the module was
imported, so that `metrics.perplexity` is the function; therefore no module of this
package may import PyTorch or other heavy libraries at its top.
"""

from easymodel_nb.metrics.efficiency import Efficiency, efficiency
from easymodel_nb.metrics.perplexity import Perplexity, perplexity
from easymodel_nb.metrics.quality import Quality, calibrate, quality
from easymodel_nb.metrics.semantics import Embedded, Semantics, semantics

__all__ = [
    "Efficiency",
    "Embedded",
    "Perplexity",
    "Quality",
    "Semantics",
    "calibrate",
    "efficiency",
    "perplexity",
    "quality",
    "semantics",
]
