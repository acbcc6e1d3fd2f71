"""What a method needs and this machine lacks: told before anything is loaded."""

from collections.abc import Iterator
from importlib.util import find_spec

from easymodel_nb import environment
from easymodel_nb.errors import FieldChange, Fix, Problem
from easymodel_nb.workflow.document import FinetuneData


def method_problems(data: FinetuneData, device: environment.Device) -> list[Problem]:
    """Why this device cannot train by this method; on no node yet, the field is `method`.

    Imports neither torch nor bitsandbytes. A device that is not known for certain is not
    refused: the run looks again.
    """
    return list(_qlora(device)) if data.method == "qlora" else []


def _qlora(device: environment.Device) -> Iterator[Problem]:
    if device.kind != "cuda":
        if device.known:
            yield _refused(
                "method.needs_gpu",
                "QLoRA keeps the base model in 4 bits, which bitsandbytes computes on NVIDIA GPUs, "
                f"and this machine has none (it has: {device.name}). Use LoRA, which trains the "
                "same adapters on any device.",
            )
        return
    if find_spec("bitsandbytes") is None:
        yield _refused(
            "method.needs_package",
            "QLoRA needs the package bitsandbytes, which is not installed. Install it with: "
            "pip install bitsandbytes, and restart the kernel; or use LoRA, which needs more "
            "memory but nothing else.",
        )


def _refused(code: str, message: str) -> Problem:
    fix = Fix(label="Use LoRA", set=[FieldChange(node="", field="method", value="lora")])
    return Problem(code=code, message=message, field="method", fix=fix)
