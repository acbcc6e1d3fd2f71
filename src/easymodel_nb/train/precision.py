"""In which precision a device computes, and why."""

import time
from functools import cache

from easymodel_nb import environment

_SIDE = 256  # of the square matrices a CPU is tried with: a millisecond where it is good at it
_TIMES = 3


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


def _usual(device: environment.Device) -> tuple[str, str]:
    if device.kind != "cuda":
        return "fp32", f"the {device.kind.upper()} computes in 32 bits"
    if _gpu_has_bfloat16():
        return "bf16", f"{device.name} computes in bfloat16"
    return "fp16", f"{device.name} has no bfloat16"


def _gpu_has_bfloat16() -> bool:
    import torch  # noqa: PLC0415

    return bool(torch.cuda.is_bf16_supported(including_emulation=False))


@cache
def bf16_slowdown() -> float:
    """How many times as long as in fp32 this CPU takes for a product of matrices in bf16.

    Some CPUs have instructions for it, others take 60 times as long.
    """
    import torch  # noqa: PLC0415

    def seconds(dtype: torch.dtype) -> float:
        left = torch.ones(_SIDE, _SIDE, dtype=dtype)
        least = float("inf")
        for _ in range(_TIMES):  # the first one warms up, and a busy machine may hold one up
            began = time.perf_counter()
            torch.mm(left, left)
            least = min(least, time.perf_counter() - began)
        return least

    return seconds(torch.bfloat16) / max(1e-9, seconds(torch.float32))
