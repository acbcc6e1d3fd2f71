"""A model that is tried and handed on as if nobody had touched it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def untouched(model: Any) -> Iterator[None]:
    """Give a model back its mode, its buffers and its checkpointing, without gradients."""
    training = model.training
    checkpointing = checkpoints(model)
    cached = getattr(model.config, "use_cache", None)
    buffers = {name: buffer.detach().clone() for name, buffer in model.named_buffers()}
    try:
        yield
    finally:
        model.zero_grad(set_to_none=True)
        model.train(training)
        if checkpoints(model) and not checkpointing:
            _without_checkpoints(model)
        if cached is not None:
            model.config.use_cache = cached
        with torch.no_grad():
            for name, buffer in model.named_buffers():
                if name in buffers:
                    buffer.copy_(buffers[name])


def checkpoints(model: Any) -> bool:
    """Whether the model computes activations twice to save memory."""
    # The new name is asked first: the old one warns where it is going to leave.
    for name in ("is_activation_checkpointing", "is_gradient_checkpointing"):
        if (found := getattr(model, name, None)) is not None:
            return bool(found)
    return False


def _without_checkpoints(model: Any) -> None:
    for name in ("activation_checkpointing_disable", "gradient_checkpointing_disable"):
        if (disable := getattr(model, name, None)) is not None:
            disable()
            return
