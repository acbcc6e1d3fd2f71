"""Attention over documents that lie end to end in one row: none sees another.

transformers looks attention up by a name and hands it what was given to the model's forward. Two
ways are registered under such a name, and a mask that is none: the bounds of the documents say it
all. What the model asks for is honoured (causal or not, fewer heads of keys, a sliding window, a
scale, a cap on logits, dropout) or refused; who chooses this way tries it on the model first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  its usual name
from transformers import AttentionInterface, AttentionMaskInterface

from easymodel_nb.train.batches import sides
from easymodel_nb.train.batches.documents import DOCUMENTS, Documents, UnfitError
from easymodel_nb.train.batches.positions import Counting
from easymodel_nb.train.batches.sides import Biased, Sides

NAME = "easymodel_documents"
# Of what a model may give attention beside, that which changes its outcome and is not known here.
_UNKNOWN = ("s_aux", "sinks", "position_bias", "head_mask", "cache", "block_table")
_SHORT = 384  # tokens: from about here on a CPU that is good at bf16 gains by it
_AMPERE = (8, 0)  # FlashAttention 2 needs it


def attend(  # noqa: PLR0913, PLR0917  as transformers calls it
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,  # noqa: FBT001
    sliding_window: int | None = None,
    softcap: float | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Attention within each of `documents`.

    query is (1, heads, tokens, size), key and value may have fewer heads; the answer is
    (1, tokens, heads, size of value).

    Raises
    ------
    UnfitError
        When the model asks for something else.

    """
    documents = kwargs.get(DOCUMENTS)
    bias = kwargs.pop("position_bias", None) if isinstance(documents, Sides) else None
    odd = [name for name in _UNKNOWN if kwargs.get(name) is not None]
    if not isinstance(documents, (Documents, Sides)):
        raise UnfitError("it does not pass the bounds of rows on to its attention")
    if odd or attention_mask is not None:
        raise UnfitError(f"its attention reads {odd[0] if odd else 'a mask of its own'}")
    if isinstance(documents, Sides):
        if sliding_window is not None or softcap is not None:
            raise UnfitError("its attention is windowed or capped")
        return sides.attend(
            module, query, key, value, documents, bias, dropout=dropout, scaling=scaling
        ), None
    if documents.filler and query.shape[2] == documents.computed:
        query, key, value = (x[:, :, : documents.total] for x in (query, key, value))
        kwargs = {**kwargs, DOCUMENTS: documents.alone}
        found, _ = attend(
            module, query, key, value, attention_mask, dropout, scaling, is_causal,
            sliding_window, softcap, **kwargs,
        )  # fmt: skip
        return F.pad(found, (0, 0, 0, 0, 0, documents.filler)), None
    if query.shape[0] != 1 or not query.shape[2] == key.shape[2] == documents.total:
        raise UnfitError(f"its attention reads {tuple(query.shape)}")
    causal = bool(getattr(module, "is_causal", True) if is_causal is None else is_causal)
    how = _How(causal, sliding_window, scaling, softcap, dropout, documents)
    if _varlen_takes(query, how):
        return _varlen(query, key, value, how), None
    heads = query.shape[1] // key.shape[1]
    if heads > 1:
        key, value = (x.repeat_interleave(heads, dim=1) for x in (key, value))
    if query.device.type == "cpu":
        return _on_cpu(query, key, value, how), None
    return _repadded(query, key, value, how), None


class _How:
    """What attention is to do."""

    def __init__(
        self,
        causal: bool,  # noqa: FBT001
        window: int | None,
        scale: float | None,
        softcap: float | None,
        dropout: float,
        documents: Documents,
    ) -> None:
        self.causal, self.scale, self.softcap, self.dropout = causal, scale, softcap, dropout
        self.documents = documents
        # A window that no document is longer than says nothing.
        self.window = window if window is not None and window < documents.longest else None

    def mask(self, length: int, device: torch.device) -> torch.Tensor | None:
        """What a token of a document may see, (length, length); None where SDPA knows it."""
        windowed = self.window is not None and self.window < length
        if not windowed and (self.softcap is None or not self.causal):
            return None
        apart = torch.arange(length, device=device)
        apart = apart[:, None] - apart[None, :]
        seen = apart >= 0 if self.causal else torch.ones_like(apart, dtype=torch.bool)
        return seen & (apart.abs() < self.window) if windowed else seen  # type: ignore[operator]


def _on_cpu(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, how: _How) -> torch.Tensor:
    """In 32 bits where documents are short: in 16 a call takes up to ten times as long."""
    if query.dtype == torch.float32 and not torch.is_autocast_enabled("cpu"):
        return _by_length(query, key, value, how)
    if how.documents.longest > _SHORT:
        return _by_length(query, key, value, how)
    with torch.autocast("cpu", enabled=False):
        found = _by_length(query.float(), key.float(), value.float(), how)
    return found.to(query.dtype)


def _by_length(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, how: _How
) -> torch.Tensor:
    """One call for neighbours of equal length: a processor computes no padding at all.

    A further call costs about a twentieth of a millisecond, forwards and backwards, less than the
    padding, the mask and the moving of rows that would spare it, also where rows are short.
    """
    groups = how.documents.groups
    sizes = [count * length for count, length in groups]
    parts = zip(
        groups, *(x[0].split_with_sizes(sizes, dim=1) for x in (query, key, value)), strict=True
    )
    found = []
    for (count, length), *three in parts:
        q, k, v = (x.unflatten(1, (count, length)).transpose(0, 1) for x in three)
        out = _dense(q, k, v, how, how.mask(length, query.device))  # each of them, its heads
        found.append(out.transpose(1, 2).flatten(0, 1))
    return torch.cat(found)[None]


def _repadded(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, how: _How
) -> torch.Tensor:
    """One call for all documents, padded for attention alone."""
    documents = how.documents
    q, k, v = (documents.rectangle(x[0], 1).transpose(0, 1) for x in (query, key, value))
    mask = how.mask(documents.longest, query.device)
    if not how.causal:  # padding on the right is behind whatever a causal token sees
        there = documents.there[:, None, None, :]
        mask = there if mask is None else there & mask
    out = _dense(q, k, v, how, mask)
    return documents.line(out.transpose(1, 2), 0)[None]


def _dense(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    how: _How,
    mask: torch.Tensor | None,
) -> torch.Tensor:
    if how.softcap is None:
        causal = how.causal and mask is None
        return F.scaled_dot_product_attention(
            query, key, value, mask, dropout_p=how.dropout, is_causal=causal, scale=how.scale
        )
    scale = how.scale if how.scale is not None else query.shape[-1] ** -0.5
    scores = query @ key.mT * scale
    scores = (scores / how.softcap).tanh() * how.softcap
    if mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = scores.softmax(-1, dtype=torch.float32).to(query.dtype)
    return F.dropout(weights, how.dropout) @ value


# ------------------------------------------------------------ FlashAttention 2, inside PyTorch


def _varlen_takes(query: torch.Tensor, how: _How) -> bool:
    if query.device.type != "cuda" or how.softcap is not None or how.dropout > 0:
        return False
    kind = torch.get_autocast_dtype("cuda") if torch.is_autocast_enabled("cuda") else query.dtype
    fits = kind in {torch.bfloat16, torch.float16} and query.shape[-1] <= 256  # noqa: PLR2004
    return fits and has_varlen() and torch.cuda.get_device_capability(query.device) >= _AMPERE


def has_varlen() -> bool:
    """Whether this PyTorch has attention for bounds (2.10 and later)."""
    try:
        from torch.nn.attention.varlen import varlen_attn  # noqa: F401, PLC0415
    except ImportError:
        return False
    return True


def _varlen(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, how: _How) -> torch.Tensor:
    from torch.nn.attention.varlen import varlen_attn  # noqa: PLC0415

    kind = torch.get_autocast_dtype("cuda") if torch.is_autocast_enabled("cuda") else query.dtype
    q, k, v = (x[0].transpose(0, 1).to(kind) for x in (query, key, value))
    documents, side = how.documents, -1 if how.window is None else how.window - 1
    found: Any = varlen_attn(
        q,
        k,
        v,
        documents.bounds,
        documents.bounds,
        documents.longest,
        documents.longest,
        scale=how.scale,
        window_size=(side, 0 if how.causal else side),
        enable_gqa=q.shape[1] != k.shape[1],
    )
    together: torch.Tensor = found[None]
    return together


# ------------------------------------------------------------ for the steps of a training alone


def _none(*_: Any, **__: Any) -> None:
    """No mask."""


def register() -> None:
    """Make it known to transformers; again does no harm."""
    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, _none)


class Attending:
    """Lets a model read documents while a step is computed, forwards and backwards."""

    def __init__(self, model: Any) -> None:
        register()
        configs = {
            id(module.config): module.config
            for module in model.modules()
            if hasattr(getattr(module, "config", None), "_attn_implementation_internal")
        }
        self._configs = list(configs.values())
        self._biased, self._counting = Biased(model), Counting(model)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Meanwhile; afterwards the model's attention is its own again."""
        before = [config._attn_implementation_internal for config in self._configs]  # noqa: SLF001
        try:
            for config in self._configs:
                config._attn_implementation_internal = NAME  # noqa: SLF001  as transformers sets it
            with self._biased(), self._counting():
                yield
        finally:
            for config, name in zip(self._configs, before, strict=True):
                config._attn_implementation_internal = name  # noqa: SLF001
