"""Memory reckoned from sizes: the least a model needs, and about the most a run takes."""

import math
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from easymodel_nb.train.distributed.runner import count as processes
from easymodel_nb.train.embedding.choosing import expected
from easymodel_nb.train.embedding.rows import idle_weights
from easymodel_nb.train.preparation import Preparation

_FULL = 16  # bytes a weight: itself, its gradient, two moments of AdamW, each in 32 bits
_SENT = 4  # the gradient once more, where several processes send it to each other
_STATE = 12  # of them, where it is trained: beside itself
_FROZEN = {"lora": 4, "qlora": 1}  # the base alone; four bits are half a byte, with their scales
_UNFUSED = 2  # times the activations of the formula: many models keep steps of their functions
_LOGITS = 4  # copies in 32 bits: themselves, their softmax, the gradients of both


def least_bytes(ready: Preparation) -> int | None:
    """Bytes without any activation; None where the files do not tell."""
    count = weights(Path(ready.model_folder.path))
    if count is None:
        return None
    method = ready.chooser.data.method
    if method in _FROZEN:
        return count * _FROZEN[method]
    sent = _SENT if processes(ready.request) > 1 else 0
    return count * (_FULL + sent) - _STATE * _idle(ready)


def _idle(ready: Preparation) -> int:
    """Weights of tokens that no training row holds, as the model's shapes tell."""
    try:
        model = ready.task.empty_model()
    except (ValueError, RuntimeError, AttributeError, ImportError, TypeError, KeyError):
        return 0  # what is wrong with the model is said where it is loaded
    return idle_weights(model, expected(ready, model))


def weights(folder: Path) -> int | None:
    """How many numbers the safetensors files of a model folder hold."""
    files = sorted(folder.glob("model*.safetensors"))
    if not files:
        return None
    total = 0
    try:
        for path in files:
            with safe_open(path, framework="pt") as file:
                shapes = (file.get_slice(name).get_shape() for name in file.keys())  # noqa: SIM118
                total += sum(math.prod(shape) for shape in shapes)
    except (OSError, SafetensorError):
        return None
    return total


def most_bytes(ready: Preparation, model: Any) -> int | None:
    """About the most that steps on full batches take; None where the config does not tell.

    It looks at no row, so that a run that is small for its device pays nothing for the answer.

    Activations of a transformer layer: 34 s b h + 5 a s^2 b bytes in 16 bits (Korthikanti et al.
    2022, "Reducing Activation Recomputation in Large Transformer Models", equation 2), here for
    32 bits; s tokens, b rows, h hidden size, a heads. An encoder-decoder has twice the layers.
    """
    config, data = ready.config, ready.chooser.data
    hidden = getattr(config, "hidden_size", None)
    layers = getattr(config, "num_hidden_layers", None)
    heads = getattr(config, "num_attention_heads", None)
    if not (isinstance(hidden, int) and isinstance(layers, int) and isinstance(heads, int)):
        return None
    longest = data.max_length
    rows = min(data.batch_size, len(ready.prepared.train))
    if getattr(config, "is_encoder_decoder", False):
        layers *= 2
    activations = _UNFUSED * 2 * layers * rows * (34 * longest * hidden + 5 * heads * longest**2)
    words = getattr(config, "vocab_size", 0) if ready.task.writes else 0
    together = min(rows * longest, ready.chooser.head.rows or rows * longest)
    logits = 4 * _LOGITS * together * words
    held = sum(int(weight.nbytes) for weight in model.parameters())
    copies = 4 if processes(ready.request) > 1 else 3  # gradient, two moments, and what is sent
    trained = copies * sum(int(w.nbytes) for w in model.parameters() if w.requires_grad)
    trained -= _STATE * idle_weights(model, ready.chooser.embedding)
    return held + trained + activations + logits
