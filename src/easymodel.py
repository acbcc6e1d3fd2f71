"""`import easymodel; easymodel.studio()`: hands on the public names of `easymodel_nb`."""

from typing import Any

import easymodel_nb

__all__ = easymodel_nb.__all__


def __getattr__(name: str) -> Any:
    return getattr(easymodel_nb, name)


def __dir__() -> list[str]:
    return dir(easymodel_nb)
