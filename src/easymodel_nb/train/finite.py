"""Whether weights are numbers at all: one look at each of them, one wait for the device."""

from typing import Any

import torch


def broken_weight(model: Any, *, learned_only: bool = False) -> str | None:
    """The name of the first weight that holds a NaN or an infinity, or None.

    With `learned_only` those that training cannot change are passed over.
    """
    names: list[str] = []
    peaks: list[torch.Tensor] = []
    for name, weight in model.named_parameters():
        if (
            weight.is_floating_point()
            and weight.numel()
            and (weight.requires_grad or not learned_only)
        ):
            names.append(name)
            # The largest magnitude: NaN and infinity come through, and no mask is made.
            peaks.append(torch.linalg.vector_norm(weight.detach(), torch.inf).float())
    if not peaks:
        return None
    whole = torch.isfinite(torch.stack(peaks)).tolist()
    return next((name for name, good in zip(names, whole, strict=True) if not good), None)
