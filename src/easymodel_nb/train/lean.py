"""Steps without what the Trainer does for cases that a run is not: walks through all modules.

Of a small model's step they were a seventh: `train()`, `zero_grad()`, the norm's and the flops'
walks. Where weights are sharded, or another library steps, everything is as the Trainer has it.
"""

from typing import Any

import torch
from torch.nn.utils import clip_grad_norm_
from transformers import Trainer

_WHOLE = {"NO", "MULTI_CPU", "MULTI_GPU"}  # of accelerate: each process holds all weights


class LeanSteps(Trainer):
    """The Trainer's step, with the weights it is about looked up once."""

    lean = True
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
        with self.compute_loss_context_manager():
            loss: Any = self.compute_loss(model, inputs, num_items_in_batch=num_items_in_batch)
        del inputs
        self.accelerator.backward(loss)
        return loss.detach()

    def _adopt(self, model: Any) -> None:
        model.train()
        self._model = model
        self._weights = [weight for weight in model.parameters() if weight.requires_grad]
        model.zero_grad = self._forget_gradients  # the loop calls it after each step

    def _forget_gradients(self, set_to_none: bool = True) -> None:  # noqa: ARG002, FBT001, FBT002
        for weight in self._weights:
            weight.grad = None

    def _clip_grad_norm(self, model: Any) -> Any:
        if self._model is not model:
            return super()._clip_grad_norm(model)  # type: ignore[no-untyped-call]
        if self.accelerator.scaler is not None:
            self.accelerator.unscale_gradients()
        return clip_grad_norm_(self._weights, self.args.max_grad_norm)
