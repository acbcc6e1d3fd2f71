"""Steps without what the Trainer does for cases that a run is not: walks through all modules.

Of a small model's step they were a seventh: `train()`, `zero_grad()`, the norm's and the flops'
walks. Where weights are sharded, or another library steps, everything is as the Trainer has it.
"""

from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

import torch
from torch.nn.utils import clip_grad_norm_
from transformers import Trainer

from easymodel_nb.train.embedding.rows import UsedRows

_WHOLE = {"NO", "MULTI_CPU", "MULTI_GPU"}  # of accelerate: each process holds all weights


class LeanSteps(Trainer):
    """The Trainer's step, with the weights it is about looked up once."""

    lean = True
    used: UsedRows | None = None  # None: all rows of the input embedding are trained
    _model: Any = None  # whose weights these are
    _weights: list[torch.nn.Parameter]  # that are trained

    def train(self, *args: Any, **kwargs: Any) -> Any:
        """As the Trainer does; the model's own `zero_grad` is back afterwards."""
        self._model = None
        try:
            return super().train(*args, **kwargs)
        finally:
            if self._model is not None:
                self._model.__dict__.pop("zero_grad", None)
            self._model, self._weights = None, []

    def create_optimizer(self, model: Any = None) -> Any:
        """As the Trainer does; of the input embedding it may have the used rows alone."""
        new = self.optimizer is None
        optimizer = super().create_optimizer(model)
        if new and self.used is not None:
            alone = self.lean and self.accelerator.distributed_type == "NO"
            self.used.adopt(optimizer, alone=alone)
        return optimizer

    def floating_point_ops(self, inputs: Any) -> int:  # noqa: ARG002
        """None are counted."""
        return 0  # nobody reads it, and it walks all modules at each step

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
        """The gradients of one batch."""
        if not (self.lean and self.accelerator.distributed_type in _WHOLE):
            return super().training_step(model, inputs, num_items_in_batch)
        if self._model is not model:
            self._adopt(model)
        elif not model.training:  # it was measured meanwhile
            model.train()
        inputs = self._prepare_inputs(inputs)
        with self.used.computing() if self.used is not None else nullcontext():
            with self.compute_loss_context_manager():
                loss: Any = self.compute_loss(model, inputs, num_items_in_batch=num_items_in_batch)
            del inputs
            self.accelerator.backward(loss)
        return loss.detach()

    def _adopt(self, model: Any) -> None:
        model.train()
        self._model = model
        self._weights = [weight for weight in model.parameters() if weight.requires_grad]
        if self.used is not None:
            self._weights = self.used.trained(self._weights)
        model.zero_grad = self._forget_gradients  # the loop calls it after each step

    def _forget_gradients(self, set_to_none: bool = True) -> None:  # noqa: ARG002, FBT001, FBT002
        for weight in self._weights:
            weight.grad = None

    def _clip_grad_norm(self, model: Any) -> Any:
        if self._model is not model:
            return super()._clip_grad_norm(model)  # type: ignore[no-untyped-call]
        if self.accelerator.scaler is not None:
            self.accelerator.unscale_gradients()
        if self.args.device.type == "cpu":
            return _clipped(self._weights, self.args.max_grad_norm, self._optimizer_alone())
        return clip_grad_norm_(self._weights, self.args.max_grad_norm)

    def _optimizer_alone(self) -> Any:
        """PyTorch's own, without what accelerate puts around it."""
        return getattr(self.optimizer, "optimizer", self.optimizer)


@torch.no_grad()
def _clipped(weights: Iterable[torch.nn.Parameter], most: float, optimizer: Any) -> torch.Tensor:
    """What `clip_grad_norm_` does, but that a fused optimizer divides where it reads a gradient.

    Nothing is multiplied by one; a GPU would have to be waited for to know that it is one.
    """
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    norms = [torch.linalg.vector_norm(gradient) for gradient in gradients]
    norm = torch.linalg.vector_norm(torch.stack(norms)) if norms else torch.tensor(0.0)
    optimizer.grad_scale = None  # as a GradScaler tells it
    if (norm + 1e-6) / most <= 1:
        return norm
    if optimizer.defaults.get("fused") and norm.isfinite():
        optimizer.grad_scale = (norm + 1e-6) / most
    else:  # what is no number shows in the gradients, where callbacks look
        for gradient in gradients:
            gradient.mul_(most / (norm + 1e-6))
    return norm
