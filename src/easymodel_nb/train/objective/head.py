"""The last layer of a language model, and what reaches it."""

from types import TracebackType
from typing import Any, Self

import torch

from easymodel_nb.train import methods


def head_of(model: Any) -> Any:
    """The module that makes logits out of hidden states; None where the model names none."""
    ask = getattr(methods.bare(model), "get_output_embeddings", None)
    return ask() if ask is not None else None


class Cut:
    """Meanwhile the last layer gets the hidden states of some places alone, as one row.

    `where` is (rows, width) of booleans. `leave`: only so many of them reach the layer, for the
    sake of the model's own forward; all of them are in `hidden`, (places, hidden size).
    """

    hidden: torch.Tensor
    dtype: torch.dtype  # in which the layer would compute

    def __init__(self, head: Any, where: torch.Tensor, leave: int | None = None) -> None:
        self._head, self._where, self._leave = head, where, leave

    def __enter__(self) -> Self:
        self._handle = self._head.register_forward_pre_hook(self._cut)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._handle.remove()

    def _cut(self, head: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:  # noqa: ARG002
        hidden = inputs[0]
        if hidden.shape[:-1] != self._where.shape:
            msg = f"the last layer reads {tuple(hidden.shape)}, labels are {self._where.shape}"
            raise ValueError(msg)
        self.hidden = hidden[self._where]
        kind = hidden.device.type
        autocast = torch.is_autocast_enabled(kind)
        self.dtype = torch.get_autocast_dtype(kind) if autocast else hidden.dtype
        kept = self.hidden if self._leave is None else self.hidden[: self._leave].detach()
        return (kept.unsqueeze(0), *inputs[1:])
