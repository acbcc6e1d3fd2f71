"""What transformers computes operation by operation, as one operation: for steps alone.

An activation that is written down as seven operations reads and writes its rows seven times, and
more often backwards; of a GPT-2's step on a processor this was a quarter. The same formula in one
operation differs by rounding. Outside steps the model is as it was: what is measured, saved and
answered is computed by the code that everybody runs.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  its usual name
from transformers import activations

from easymodel_nb.train.rms_norm import rms_norm

Forward = Callable[[torch.Tensor], torch.Tensor]

_QUICK = 1.702
_NEAR = 1e-5  # how far numbers about 1 may come out apart: rounding


def _tanh_gelu(x: torch.Tensor) -> torch.Tensor:
    return F.gelu(x, approximate="tanh")


def _gelu(x: torch.Tensor) -> torch.Tensor:
    return F.gelu(x)


def _quick_gelu(x: torch.Tensor) -> torch.Tensor:
    return F.silu(x * _QUICK) * (1 / _QUICK)


_ACTIVATIONS: dict[str, Forward] = {
    "NewGELUActivation": _tanh_gelu,
    "FastGELUActivation": _tanh_gelu,
    "AccurateGELUActivation": _tanh_gelu,
    "GELUTanh": _tanh_gelu,  # written down by hand if asked to
    "GELUActivation": _gelu,  # the same
    "QuickGELUActivation": _quick_gelu,
}


class Fused:
    """Lets a model compute by fused operations while a step is computed, forwards and backwards.

    Only modules of classes that are known exactly, and only where the class gives the same on a
    few numbers: another version of transformers may mean something else by a name.
    """

    def __init__(self, model: Any) -> None:
        tried: dict[tuple[type, Any], bool] = {}
        self._known: list[tuple[Any, Forward]] = []
        for module in model.modules():
            forward = _activation(module) or _norm(module)
            if forward is None or not _untouched(module):
                continue
            # One of each class and epsilon speaks for all.
            key = type(module), getattr(module, "variance_epsilon", None)
            if key not in tried:
                tried[key] = _same(module, forward)
            if tried[key]:
                self._known.append((module, forward))

    def __len__(self) -> int:
        return len(self._known)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Meanwhile; afterwards each module computes as its class does."""
        taken = [(module, forward) for module, forward in self._known if _untouched(module)]
        try:
            for module, forward in taken:
                module.__dict__["forward"] = forward
            yield
        finally:
            for module, forward in taken:
                if module.__dict__.get("forward") is forward:
                    del module.__dict__["forward"]


def _activation(module: torch.nn.Module) -> Forward | None:
    kind = type(module)
    known = _ACTIVATIONS.get(kind.__name__)
    if known is None or getattr(activations, kind.__name__, None) is not kind:
        return None
    # These two have their formula in an attribute; a function of PyTorch is one operation already.
    by_hand = not hasattr(module, "act") or getattr(module.act, "__self__", None) is module
    return known if by_hand else None


def _norm(module: Any) -> Forward | None:
    """T5's and Llama's norm and their kin, on a processor and in 32 bits."""
    kind, epsilon = type(module), getattr(module, "variance_epsilon", None)
    named = kind.__name__.endswith(("RMSNorm", "LayerNorm"))
    if not (named and kind.__module__.startswith("transformers.models.")):
        return None
    if not isinstance(epsilon, float) or [name for name, _ in module.named_parameters()] != [
        "weight"
    ]:
        return None
    if not _plain(module.weight) or module.weight.dim() != 1:
        return None

    def forward(rows: torch.Tensor) -> torch.Tensor:
        if _plain(rows) and _plain(module.weight):
            return rms_norm(rows, module.weight, epsilon)
        found: torch.Tensor = kind.forward(module, rows)
        return found

    return forward


def _plain(x: torch.Tensor) -> bool:
    return x.device.type == "cpu" and x.dtype == torch.float32


def _untouched(module: torch.nn.Module) -> bool:
    """Whether nobody patched it. Who listens by a hook, as a stop does, is heard in both ways."""
    return "forward" not in module.__dict__ and not hasattr(module, "_hf_hook")


def _same(module: Any, forward: Forward) -> bool:
    """Whether its class gives the same, on rows of usual and of tiny numbers."""
    weight = getattr(module, "weight", None)
    size = 64 if weight is None else len(weight)
    rows = (
        torch.linspace(-6, 6, 4 * size).view(4, size).sin() * torch.tensor([[6.0, 1, 1e-2, 1e-4]]).T
    )
    try:
        with torch.no_grad(), torch.autocast("cpu", enabled=False):
            own, fused = type(module).forward(module, rows), forward(rows)  # no hook is told
    except Exception:  # noqa: BLE001  it wants more than rows
        return False
    same_kind = isinstance(own, torch.Tensor) and own.dtype == fused.dtype
    return bool(same_kind and torch.allclose(own, fused, rtol=_NEAR, atol=_NEAR))
