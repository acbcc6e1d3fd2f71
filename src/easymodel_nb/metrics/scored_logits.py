"""Logits where something is scored, and nowhere else.

The head of a language model is a product with the whole vocabulary: of a small model it is most of
the arithmetic, of any the largest tensor. What is padding or prompt needs none of it.
"""

from typing import Any


def logits_where(model: Any, where: Any, **inputs: Any) -> Any:
    """Logits of the marked places of one forward.

    Parameters
    ----------
    model
        A transformers model with a language head, or one wrapped by peft.
    where
        Booleans (rows, width), as wide as what the head reads (for an encoder-decoder its
        targets), on the model's device.
    inputs
        What the model is called with, without labels.

    Returns
    -------
    torch.Tensor
        (marked places, vocabulary), row by row from the left. They are the model's own, with
        whatever it does to its logits after the head.

    """
    head = model.get_output_embeddings()
    if head is None:
        return model(**inputs).logits[where]

    def keep(_: Any, read: tuple[Any, ...]) -> tuple[Any, ...] | None:
        if not read or read[0].shape[:-1] != where.shape:
            return None  # a model that reads something else there is left alone
        return (read[0][where].unsqueeze(0), *read[1:])

    hook = head.register_forward_pre_hook(keep)
    try:
        logits = model(**inputs).logits
    finally:
        hook.remove()
    return logits[where] if logits.shape[:-1] == where.shape else logits[0]


def token_nll(logits: Any, targets: Any) -> Any:
    """Negative log-likelihood of each target, in nats and 32 bits.

    Parameters
    ----------
    logits
        (n, vocabulary), the largest tensor there is: what is made of it exists for a few at once.
    targets
        (n,) of token ids.

    Returns
    -------
    torch.Tensor
        (n,): log of the sum of exp(logits), less the logit of the target.

    """
    import torch  # noqa: PLC0415
    from torch.nn.functional import cross_entropy  # noqa: PLC0415

    rows = 64 if logits.device.type == "cpu" else 2_048
    found = [
        cross_entropy(some.float(), right, reduction="none")
        for some, right in zip(logits.split(rows), targets.split(rows), strict=True)
    ]
    return torch.cat(found)
