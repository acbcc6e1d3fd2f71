"""From a drawn request to a trained model: plain functions that know no widget and no kernel.

The package has the name of the public function `easymodel_nb.train`, and once any module of it
is imported Python puts it in that function's place; so it can be called as the function is.
"""

import sys
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from easymodel_nb.train import api  # noqa: PLC0415

        return api.train(*args, **kwargs)


sys.modules[__name__].__class__ = _Callable
