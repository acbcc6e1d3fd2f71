"""Positions of pairs that lie end to end, where an encoder and a decoder count for themselves.

BART and its kin have a module that gives a position to each token of a row of some shape. It is
asked for those of rows side by side, and of what it gives, that of each token is taken.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  its usual name

from easymodel_nb.train.batches.documents import DOCUMENTS, Documents
from easymodel_nb.train.batches.sides import Sides

_SIDES = 2
_WHOLE = 2  # dimensions of a shape and of token ids: rows, tokens


class Counting:
    """Lets both sides of a model count anew with each row."""

    def __init__(self, model: Any) -> None:
        both = bool(getattr(model.config, "is_encoder_decoder", False))
        self._sides = [
            module
            for module in (model.modules() if both else ())
            if isinstance(getattr(module, "embed_positions", None), torch.nn.Module)
        ]

    @property
    def promised(self) -> bool:
        """Whether both sides have such a module."""
        return len(self._sides) == _SIDES

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Meanwhile."""
        with ExitStack() as hooks:
            for module in self._sides:
                counted = _Counted()
                for handle in (
                    module.register_forward_pre_hook(counted.hear, with_kwargs=True),
                    module.embed_positions.register_forward_pre_hook(counted.ask, with_kwargs=True),
                    module.embed_positions.register_forward_hook(counted.take),
                ):
                    hooks.callback(handle.remove)
            yield


class _Counted:
    """One side: hears the bounds of its rows, and gives each of their tokens its position."""

    _documents: Documents | None = None

    def hear(self, _: Any, __: Any, kwargs: dict[str, Any]) -> None:
        sides, self._documents = kwargs.get(DOCUMENTS), None
        if isinstance(sides, Sides):
            decodes = kwargs.get("encoder_hidden_states") is not None
            self._documents = sides.target if decodes else sides.source

    def ask(self, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        documents = self._documents
        if documents is None:
            return None
        kwargs = {name: self._beside(value, documents) for name, value in kwargs.items()}
        if kwargs.get("position_ids") is not None:
            kwargs["position_ids"] = torch.arange(documents.longest, device=documents.device)
        return tuple(self._beside(value, documents) for value in args), kwargs

    @staticmethod
    def _beside(value: Any, documents: Documents) -> Any:
        """A row of all tokens, or its shape, as rows side by side."""
        if isinstance(value, torch.Tensor):
            if value.dim() < _WHOLE or value.shape[1] != documents.computed:
                return value
            return documents.rectangle(value[:, : documents.total], 1)[0]
        if isinstance(value, tuple) and len(value) == _WHOLE:
            return torch.Size((len(documents.lengths), documents.longest))
        return value

    def take(self, _: Any, __: Any, positions: torch.Tensor) -> torch.Tensor | None:
        documents, self._documents = self._documents, None
        if documents is None:
            return None
        places, rows = documents.places, positions.flatten(0, -2)
        if len(rows) == documents.longest:  # the same for all
            places = places % documents.longest
        return F.pad(rows.index_select(0, places), (0, 0, 0, documents.filler))[None]
