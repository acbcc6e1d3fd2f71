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
        places = _Places(min(rows, len(hidden)), matrix, dtype)
        for start in range(0, len(hidden), rows):
            part = slice(start, start + rows)
            some = hidden[part].to(dtype)
            size = len(some)
            # In bf16 a processor prepares itself for each number of rows (batches.flat.even).
            filler = -size % _EVEN if start and dtype == torch.bfloat16 else 0
            some = torch.nn.functional.pad(some, (0, 0, 0, filler))
            logits = places.logits(some, bias)[:size]
            nll, slope = _nll(logits, targets[part], plan.softcap, plan.scale)
            total += nll
            if gradients[2] is not None:
                gradients[2].add_(slope.sum(0))
            slope = places.slope(slope, filler)
            if gradients[0] is not None:
                gradients[0][part] = (slope @ matrix)[:size]
            if gradients[1] is not None:
                gradients[1].addmm_(slope.T, some)
        del places
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


class _Places:
    """The memory of a chunk's logits, for one after the other: the system clears what is new."""

    def __init__(self, rows: int, matrix: torch.Tensor, dtype: torch.dtype) -> None:
        self._matrix = matrix
        if dtype == torch.bfloat16:
            rows += -rows % _EVEN
        self._whole = matrix.new_empty((rows, len(matrix)), dtype=torch.float32)
        same = dtype == torch.float32
        self._low = self._whole if same else torch.empty_like(self._whole, dtype=dtype)

    def logits(self, hidden: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """Of the rows of a chunk, in 32 bits."""
        low = self._low[: len(hidden)]
        if bias is None:
            torch.mm(hidden, self._matrix.T, out=low)
        else:
            torch.addmm(bias.to(low.dtype), hidden, self._matrix.T, out=low)
        whole = self._whole[: len(hidden)]
        return whole if self._low is self._whole else whole.copy_(low)

    def slope(self, whole: torch.Tensor, filler: int) -> torch.Tensor:
        """The slopes of a chunk as they are multiplied, with `filler` rows of zeros below."""
        low = self._low[: len(whole) + filler]
        if self._low is not self._whole:
            low[: len(whole)].copy_(whole)
        low[len(whole) :].zero_()
        return low


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
