"""The base model inside a model with adapters: the same weights, the adapters switched off."""

from typing import Any

from easymodel_nb.train import methods


class Frozen:
    """Answers as the base model does, at no memory; everything else is the model's own."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        """One forward pass without the adapters."""
        with self._model.disable_adapter():
            return self._model(*inputs, **named)


def scorer_of(model: Any, tokenizer: Any) -> tuple[tuple[Any, Any] | None, str]:
    """The frozen base as (model, tokenizer), or None and why there is none."""
    if bool(getattr(model.config, "is_encoder_decoder", False)):
        return None, "An encoder-decoder cannot judge text: offline judges alone."
    if not methods.is_adapted(model):
        return None, (
            "Full fine-tuning changes the base model, so it cannot judge beside: offline judges "
            "alone. With LoRA it would."
        )
    return (Frozen(model), tokenizer), ""
