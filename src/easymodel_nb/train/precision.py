"""In which precision a device computes, and why."""

import time
from contextlib import nullcontext
from functools import cache
from typing import Any

from easymodel_nb import environment

_SIDES = (256, 512)  # of the square matrices a CPU is tried with; the first alone if bf16 loses
_GOOD = 0.7  # of the time in 32 bits: what lies around the products takes longer
_TIMES = 5


def choose(wanted: str, device: environment.Device) -> tuple[str, str] | None:
    """What is used instead of `wanted` on this device, and why; None where it is used itself."""
    if wanted == "auto":
        return _usual(device)
    if wanted == "fp32":
        return None
    if device.kind == "cuda":
        lacking = wanted == "bf16" and not _gpu_has_bfloat16()
        return ("fp16", f"{device.name} has no bfloat16") if lacking else None
    if wanted == "fp16":
        why = "gradients are kept in range for fp16 on NVIDIA GPUs alone"
        return "fp32", f"{why}, not on the {device.kind.upper()}"
    slower = bf16_slowdown() if device.kind == "cpu" else 0.0
    if slower > 1:
        return "fp32", f"bf16 was tried and takes {slower:.2g} times as long on this CPU"
    return None


def worth_trying(wanted: str, device: environment.Device) -> bool:
    """Whether bf16 may be faster where nothing was asked for; `precision_tried` finds out."""
    return wanted == "auto" and device.kind == "cpu" and bf16_slowdown() < _GOOD


def _usual(device: environment.Device) -> tuple[str, str]:
    if device.kind != "cuda":
        return "fp32", f"the {device.kind.upper()} computes in 32 bits"
    if _gpu_has_bfloat16():
        return "bf16", f"{device.name} computes in bfloat16"
    return "fp16", f"{device.name} has no bfloat16"


def _gpu_has_bfloat16() -> bool:
    import torch  # noqa: PLC0415

    return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def measuring(kind: str, device: str) -> Any:
    """While the base model is measured: on a GPU as the trained one is, inside its Trainer.

    What a CPU measures has 32 bits, whatever its steps are computed in.
    """
    import torch  # noqa: PLC0415

    half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(kind)
    return torch.autocast(device, half) if half is not None and device == "cuda" else nullcontext()


def in_bf16() -> Any:
    """While a CPU computes products in bf16, with weights and all else in 32 bits."""
    import torch  # noqa: PLC0415

    return torch.autocast("cpu", torch.bfloat16)


@cache
def bf16_slowdown() -> float:
    """How many times as long as in fp32 this CPU takes for a product of matrices in bf16.

    Some CPUs have instructions for it, others take 60 times as long.
    """
    for side in _SIDES:
        found = _slowdown(side)
        if found > 1:
            break
    return found


def _slowdown(side: int) -> float:
    import torch  # noqa: PLC0415

    def seconds(dtype: torch.dtype) -> float:
        left = torch.ones(side, side, dtype=dtype)
        began = time.perf_counter()
        torch.mm(left, left)
        return time.perf_counter() - began

    # In turns, and the fastest of each: the first warms up, and a busy machine may hold one up.
    taken = [(seconds(torch.bfloat16), seconds(torch.float32)) for _ in range(_TIMES)]
    return min(half for half, _ in taken) / max(1e-9, min(whole for _, whole in taken))
