"""Cross-entropy of a large vocabulary in chunks of targets: never all logits at once.

The gradients of a chunk are computed with its loss, as fused linear cross-entropy does (Hsu et al.
2024, "Liger Kernel"), so that its logits are computed once and forgotten at once.
"""

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from easymodel_nb.train.plan import HeadPlan

_EVEN = 64  # rows


def summed_nll(
    hidden: torch.Tensor,
    head: torch.nn.Linear,
    targets: torch.Tensor,
    plan: HeadPlan,
    *,
    dtype: torch.dtype,
) -> torch.Tensor:
    """Sum of NLL in nats of `targets` (n,) under logits of `hidden` (n, hidden size).

    `plan` says how many rows are a chunk and what the model does to logits; `dtype` is that of
    the matrix products, the loss is computed in 32 bits.
    """
    apply: Any = _SummedNLL.apply
    found: torch.Tensor = apply(hidden, head.weight, head.bias, targets, plan, dtype)
    return found


class _SummedNLL(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        plan: HeadPlan,
        dtype: torch.dtype,
    ) -> torch.Tensor:
        rows = plan.rows or max(1, len(hidden))
        wanted = ctx.needs_input_grad
        matrix = weight.to(dtype)
        gradients = (
            torch.empty_like(hidden) if wanted[0] else None,
            torch.zeros_like(matrix) if wanted[1] else None,
            torch.zeros_like(bias, dtype=torch.float32) if bias is not None and wanted[2] else None,
        )
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        for start in range(0, len(hidden), rows):
            part = slice(start, start + rows)
            some = hidden[part].to(dtype)
            size = len(some)
            # In bf16 a processor prepares itself for each number of rows (batches.flat.even).
            filler = -size % _EVEN if start and dtype == torch.bfloat16 else 0
            some = torch.nn.functional.pad(some, (0, 0, 0, filler))
            logits = torch.nn.functional.linear(
                some, matrix, None if bias is None else bias.to(dtype)
            )[:size].float()
            nll, slope = _nll(logits, targets[part], plan.softcap, plan.scale)
            total += nll
            if gradients[2] is not None:
                gradients[2].add_(slope.sum(0))
            slope = torch.nn.functional.pad(slope.to(dtype), (0, 0, 0, filler))
            if gradients[0] is not None:
                gradients[0][part] = (slope @ matrix)[:size]
            if gradients[1] is not None:
                gradients[1].addmm_(slope.T, some)
            del logits, slope
        ctx.save_for_backward(*gradients)
        ctx.kinds = hidden.dtype, weight.dtype, None if bias is None else bias.dtype
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *outer: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        found = [
            None if gradient is None else gradient.mul_(outer[0]).to(kind)
            for gradient, kind in zip(ctx.saved_tensors, ctx.kinds, strict=True)
        ]
        return (*found, None, None, None)


def _nll(
    logits: torch.Tensor, targets: torch.Tensor, softcap: float | None, scale: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """The summed NLL and its derivative by the logits of the layer, in their own memory."""
    chain: torch.Tensor | None = None
    if scale != 1.0:
        logits.mul_(scale)
    if softcap is not None:
        logits.div_(softcap).tanh_()
        chain = 1 - logits.square()
        logits.mul_(softcap)
    chosen = targets.unsqueeze(1)
    logits.sub_(logits.amax(dim=1, keepdim=True))
    right = logits.gather(1, chosen)
    sums = logits.exp_().sum(dim=1, keepdim=True)
    nll = (sums.log() - right).sum()
    logits.div_(sums)
    logits.scatter_add_(1, chosen, torch.full_like(right, -1.0))
    if chain is not None:
        logits.mul_(chain)
    if scale != 1.0:
        logits.mul_(scale)
    return nll, logits
