"""Attention over pairs whose sources, and whose targets, lie end to end: encoder-decoders.

Tokens of a source see their source, those of a target what stands before them in it and the whole
source of their own pair. Here the rows are padded again for attention alone, in one call for all
pairs; the layers between, which take most of the time, compute no padding.
"""

import inspect
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Self

import torch
import torch.nn.functional as F  # noqa: N812  its usual name

from easymodel_nb.train.batches.documents import DOCUMENTS, Documents, UnfitError


class Sides:
    """The bounds of the sources and of the targets of as many pairs, in one order."""

    def __init__(self, source: Documents, target: Documents) -> None:
        self.source, self.target = source, target
        self.device = source.device
        self._masks: dict[tuple[bool, bool], torch.Tensor] = {}

    def to(self, device: Any, *_: Any, **__: Any) -> Self:
        """The same for another device: accelerate asks for it as of a tensor."""
        source, target = self.source.to(device), self.target.to(device)
        return self if source is self.source else type(self)(source, target)

    @property
    def total(self) -> int:
        """Tokens of all pairs, without filler."""
        return self.source.total + self.target.total

    def between(self, module: torch.nn.Module) -> tuple[Documents, Documents]:
        """Whose queries meet whose keys in an attention of the encoder, or of the decoder."""
        decodes, causal = _place(module)
        mine = self.target if decodes else self.source
        return mine, mine if causal else self.source

    def seen(self, module: torch.nn.Module) -> torch.Tensor:
        """What may be seen there, (1, pairs or 1, tokens or 1, tokens) of booleans; made once.

        Behind the end of a target more is seen than is there, which nobody reads.
        """
        decodes, causal = place = _place(module)
        if place not in self._masks:
            mine, theirs = self.between(module)
            if decodes and causal:
                size = (1, 1, mine.longest, mine.longest)
                found = torch.ones(size, dtype=torch.bool, device=self.device).tril()
            else:
                found = theirs.there[None, :, None, :]
            self._masks[place] = found
        return self._masks[place]


def _place(module: torch.nn.Module) -> tuple[bool, bool]:
    """Whether an attention stands in the decoder, and whether it is causal."""
    decodes = bool(getattr(module, "is_decoder", False))
    return decodes, decodes and bool(getattr(module, "is_causal", False))


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    sides: Sides,
    bias: torch.Tensor | None,
    *,
    dropout: float,
    scaling: float | None,
) -> torch.Tensor:
    """Attention within pairs; the answer is (1, tokens, heads, size).

    A query is (1, heads, tokens, size), and so are keys and values. `bias` is what `Biased`
    gave: with the mask in it.

    Raises
    ------
    UnfitError
        When the model asks for something else.

    """
    mine, theirs = sides.between(module)
    if query.shape[0] != 1 or query.shape[2] != mine.computed or key.shape[2] != theirs.computed:
        raise UnfitError(f"its attention reads {tuple(query.shape)}")
    if bias is not None and bias.shape[-2:] != (mine.longest, theirs.longest):
        raise UnfitError("its attention reads a bias of its own")
    mask = sides.seen(module) if bias is None else bias
    pairs = len(mine.lengths)
    q, k, v = (  # (heads, pairs, longest, size): nothing has to be moved for the products
        _Padded.apply(x[0], documents).unflatten(1, (pairs, -1))  # type: ignore[no-untyped-call]
        for documents, x in ((mine, query), (theirs, key), (theirs, value))
    )
    scale = q.shape[-1] ** -0.5 if scaling is None else scaling
    if q.device.type == "cpu":
        with torch.autocast("cpu", enabled=False):  # in 16 bits short rows take far longer
            found = _on_cpu(q.float(), k.float(), v.float(), mask, dropout, scale)
        found = found.to(query.dtype)
    else:
        mask = mask if mask.dtype == torch.bool else mask.to(q.dtype)
        found = F.scaled_dot_product_attention(q, k, v, mask, dropout_p=dropout, scale=scale)
    flat: torch.Tensor = _Unpadded.apply(found.flatten(1, 2), mine)  # type: ignore[no-untyped-call]
    return flat.transpose(0, 1)[None]


def _on_cpu(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor,
    dropout: float,
    scale: float,
) -> torch.Tensor:
    if mask.dtype == torch.bool:
        return F.scaled_dot_product_attention(
            query, key, value, mask, dropout_p=dropout, scale=scale
        )
    # There is no kernel for a bias that is learned; what PyTorch does then takes 1.4 times as long.
    scores = query @ key.mT
    scores = (scores if scale == 1 else scores * scale).add_(mask)
    return F.dropout(scores.softmax(-1), dropout) @ value


class _Padded(torch.autograd.Function):
    """(heads, tokens, size) as (heads, rows * longest, size), for attention that sees no padding.

    Since nothing reads it, no gradient comes from it: the way back picks instead of adding up.
    """

    @staticmethod
    def forward(ctx: Any, flat: torch.Tensor, documents: Documents) -> torch.Tensor:
        ctx.documents = documents
        return flat.index_select(1, documents.sources)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        documents = ctx.documents
        return _filled(gradient.index_select(1, documents.places), documents), None


class _Unpadded(torch.autograd.Function):
    """The way back; padding gets gradients of zero."""

    @staticmethod
    def forward(ctx: Any, rectangle: torch.Tensor, documents: Documents) -> torch.Tensor:
        ctx.documents, ctx.shape = documents, rectangle.shape
        return _filled(rectangle.index_select(1, documents.places), documents)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        documents = ctx.documents
        alone = gradient[:, : documents.total]
        return gradient.new_zeros(ctx.shape).index_copy_(1, documents.places, alone), None


def _filled(flat: torch.Tensor, documents: Documents) -> torch.Tensor:
    return F.pad(flat, (0, 0, 0, documents.filler)) if documents.filler else flat


class Biased:
    """Gives attention that adds a bias by distance, as T5's does, the one of single pairs."""

    def __init__(self, model: Any) -> None:
        self._modules = [
            module
            for module in model.modules()
            if hasattr(module, "compute_bias") and hasattr(module, "has_relative_attention_bias")
        ]

    @property
    def promised(self) -> bool:
        """Whether the model's classes say that all their attention takes it."""
        return bool(self._modules) and all(
            "position_bias" in inspect.signature(module.forward).parameters
            for module in self._modules
        )

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Meanwhile."""
        with ExitStack() as hooks:
            for module in self._modules:
                handle = module.register_forward_pre_hook(_biased, with_kwargs=True)
                hooks.callback(handle.remove)
            yield


def _biased(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """With the bias, and what is not to be seen, (heads or 1, pairs or 1, tokens, tokens).

    A layer passes it on to the next, so that it is made once a batch.
    """
    sides = kwargs.get(DOCUMENTS)
    if not isinstance(sides, Sides) or kwargs.get("position_bias") is not None:
        return None
    mine, theirs = sides.between(module)
    least = torch.finfo(torch.float32).min
    hidden = torch.where(sides.seen(module), 0.0, least)
    if module.has_relative_attention_bias:
        bias = module.compute_bias(mine.longest, theirs.longest, device=sides.device)
        bias = bias.transpose(0, 1) + hidden
    else:
        bias = hidden.expand(-1, -1, mine.longest, -1)
    return args, {**kwargs, "position_bias": bias}
