"""Where documents begin and end that lie end to end in one row."""

import itertools
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Self

import torch

DOCUMENTS = "documents"  # the argument of the model's forward that tells attention their bounds


class UnfitError(ValueError):
    """A model reads rows in a way that is not known here."""


class Documents:
    """The bounds of `lengths` documents; made once a batch, read by every layer.

    It travels as an argument of the model's forward, so that what is computed again for gradient
    checkpointing finds the same bounds.
    """

    def __init__(self, lengths: Sequence[int], device: Any = "cpu", filler: int = 0) -> None:
        self.lengths = tuple(lengths)
        self.filler = filler  # tokens behind the last document, which belong to none
        self.device = torch.device(device)

    def to(self, device: Any, *_: Any, **__: Any) -> Self:
        """The same for another device: accelerate asks for it as of a tensor."""
        same = device is None or torch.device(device) == self.device
        return self if same else type(self)(self.lengths, device, self.filler)

    @cached_property
    def alone(self) -> Self:
        """The same documents without filler."""
        return type(self)(self.lengths, self.device)

    @property
    def longest(self) -> int:
        """Tokens of the longest document."""
        return max(self.lengths)

    @property
    def total(self) -> int:
        """Tokens of all documents, without the filler."""
        return sum(self.lengths)

    @property
    def computed(self) -> int:
        """Tokens that the layers compute: the filler too."""
        return self.total + self.filler

    @cached_property
    def bounds(self) -> torch.Tensor:
        """Where each begins, and where the last one ends, (documents + 1,) of int32."""
        found = list(itertools.accumulate(self.lengths, initial=0))
        return torch.tensor(found, dtype=torch.int32, device=self.device)

    @cached_property
    def groups(self) -> tuple[tuple[int, int], ...]:
        """Neighbours of equal length: how many there are, and their length."""
        return tuple((len(list(same)), length) for length, same in itertools.groupby(self.lengths))

    @cached_property
    def there(self) -> torch.Tensor:
        """Where tokens are once they are padded on the right, (documents, longest) of booleans."""
        lengths = torch.tensor(self.lengths, device=self.device)
        return torch.arange(self.longest, device=self.device) < lengths[:, None]

    @cached_property
    def places(self) -> torch.Tensor:
        """The place of each token in the padded rectangle, laid out row by row, (total,)."""
        return self.there.flatten().nonzero()[:, 0]

    @cached_property
    def sources(self) -> torch.Tensor:
        """The token that each place of the rectangle is filled with, (documents * longest,).

        A document's first token stands where padding is.
        """
        first = self.bounds[:-1].long()[:, None]
        step = torch.arange(self.longest, device=self.device)[None, :]
        return (first + step * self.there).flatten()

    def rectangle(self, flat: torch.Tensor, dim: int) -> torch.Tensor:
        """(..., total, ...) as (..., documents, longest, ...) at that dimension."""
        dim %= flat.dim()
        shape = (*flat.shape[:dim], len(self.lengths), self.longest, *flat.shape[dim + 1 :])
        return flat.index_select(dim, self.sources).reshape(shape)

    def line(self, rectangle: torch.Tensor, dim: int) -> torch.Tensor:
        """The way back: (..., documents, longest, ...) as (..., total, ...)."""
        dim %= rectangle.dim()
        return rectangle.flatten(dim, dim + 1).index_select(dim, self.places)
