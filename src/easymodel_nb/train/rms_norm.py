"""A root mean square norm on a processor, in few passes over its rows.

transformers writes it down operation by operation, and so does PyTorch where there is no GPU:
each reads and writes all rows, forwards and backwards. Here a few rows at a time go through all
of it while they are in the processor's cache.
"""

from typing import Any

import torch
from torch.autograd.function import once_differentiable

_AT_ONCE = 2**16  # numbers: half a megabyte with what is made of them


def rms_norm(rows: torch.Tensor, weight: torch.Tensor, epsilon: float) -> torch.Tensor:
    """`rows` (..., size) over the root of their mean square, times `weight` (size,)."""
    apply: Any = _RMSNorm.apply
    found: torch.Tensor = apply(rows, weight, epsilon)
    return found


class _RMSNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: torch.Tensor, weight: torch.Tensor, epsilon: float) -> torch.Tensor:
        size = rows.shape[-1]
        flat = rows.reshape(-1, size)
        norm = torch.linalg.vector_norm(flat, dim=-1, keepdim=True)
        over = norm.square_().div_(size).add_(epsilon).rsqrt_()
        out, some = torch.empty_like(flat), max(1, _AT_ONCE // size)
        for part, scale, result in zip(*(x.split(some) for x in (flat, over, out)), strict=True):
            torch.mul(part, scale, out=result).mul_(weight)
        ctx.save_for_backward(flat, over, weight)
        return out.view(rows.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *outer: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        flat, over, weight = ctx.saved_tensors
        size = flat.shape[-1]
        slope = outer[0].reshape(-1, size)
        of_rows, some = torch.empty_like(flat), max(1, _AT_ONCE // size)
        of_weight = torch.zeros_like(weight) if ctx.needs_input_grad[1] else None
        parts = zip(*(x.split(some) for x in (flat, over, slope, of_rows)), strict=True)
        for part, scale, along, result in parts:
            both = part * along
            if of_weight is not None:
                of_weight.addmv_(both.T, scale[:, 0])
            back = torch.mv(both, weight)[:, None].mul_(scale.pow(3)).div_(-size)
            torch.mul(along, weight, out=result).mul_(scale).addcmul_(part, back)
        return of_rows.view(outer[0].shape), of_weight, None
