"""Where a run computes logits: found out on its own model and rows, never taken on trust.

A few short rows go through the model in both ways. Only where loss and gradients are the same is
anything left out; everything below the last layer is the same in both.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from easymodel_nb.metrics.memory import out_of_memory
from easymodel_nb.metrics.perplexity import eval_mode
from easymodel_nb.train.fitting.memory import free_bytes
from easymodel_nb.train.objective.head import head_of
from easymodel_nb.train.objective.objective import Objective
from easymodel_nb.train.plan import HeadPlan
from easymodel_nb.train.preparation import Preparation
from easymodel_nb.train.tasks.task import Task

CHUNK = 256  # targets: more are no faster, fewer read the weights too often
EVERYWHERE, TARGETS = HeadPlan(), HeadPlan(at="targets")
_SHARE = 0.25  # of free memory that logits may take on a GPU, where chunks cost time
_COPIES = 4  # of the logits, in 32 bits: themselves, their softmax, the gradients of both
_ROWS = 4  # that are tried
_NEAR = 1e-3  # of the loss and of the gradients' norms: rounding
_NEAR_IN_16_BITS = 3e-2


@dataclass(frozen=True)
class Tried:
    """What a batch gave: the loss, and the gradients at the last layer."""

    loss: float
    targets: int
    reached: torch.Tensor  # the gradient of what reaches the layer, (rows, width, hidden size)
    weights: tuple[float, ...]  # norm and sums of the gradients of the layer's weights


def choose(ready: Preparation, model: Any) -> HeadPlan:
    """Note where logits are computed, and why; the model stays as it is."""
    chooser, rows = ready.chooser, ready.prepared.train
    most = min(chooser.data.batch_size, len(rows)) * chooser.data.max_length
    plan, why = find(ready.task, model, rows, targets=most)
    if why:
        said = "everywhere" if plan.at == "everywhere" else "only where something is learned"
        chooser.note("logits", said + (f", {plan.rows} at once" if plan.rows else ""), why)
    chooser.head = plan
    return plan


def find(task: Task, model: Any, rows: Sequence[Any], *, targets: int) -> tuple[HeadPlan, str]:
    """The cheapest way that gives the loss and the gradients of the plain one, and why it is it.

    `rows` are training examples, `targets` is how many a batch holds at most.
    """
    head = head_of(model)
    batch = _short(task, rows, model.device)
    if head is None or task.learned(batch["labels"]) is None:
        return EVERYWHERE, ""  # a head of a few classes
    if not task.targets(batch["labels"]):
        return EVERYWHERE, "the first rows have nothing to learn to try another way with"
    words = int(getattr(head, "out_features", 0) or 0)
    try:
        with eval_mode(model):
            plain = _tried(task, model, batch, EVERYWHERE)
            for plan in _ways(model, head, batch, words, targets):
                if _same(plain, _tried(task, model, batch, plan)):
                    return plan, _why(plan, words)
    except Exception as error:
        if out_of_memory(error):
            raise
        return EVERYWHERE, f"{type(model).__name__} lets nothing be left out: {error}"
    return EVERYWHERE, "what is left out changes the loss of this model"


def _why(plan: HeadPlan, words: int) -> str:
    tried = "the same loss and gradients as everywhere, tried on the first rows"
    if plan.rows is None:
        return tried
    return f"{tried}; in chunks, because {words:,} logits a target take much memory"


def _short(task: Task, rows: Sequence[Any], device: Any) -> dict[str, torch.Tensor]:
    """A few rows of different lengths as one batch."""
    chosen = [rows[place] for place in range(min(_ROWS, len(rows)))]
    return {name: value.to(device) for name, value in task.collate(chosen).items()}


def _ways(
    model: Any, head: Any, batch: dict[str, torch.Tensor], words: int, targets: int
) -> list[HeadPlan]:
    """What is tried in turn."""
    chunks = _chunks(model, head, batch)
    if chunks is None:
        return [TARGETS]
    if model.device.type == "cpu":
        return [chunks, TARGETS]
    much = targets * words * 4 * _COPIES > _SHARE * free_bytes()
    return [chunks, TARGETS] if much else [TARGETS]


def _chunks(model: Any, head: Any, batch: dict[str, torch.Tensor]) -> HeadPlan | None:
    """The plan with chunks; None where the layer or what follows it is not known."""
    plain = type(head) is torch.nn.Linear and head.weight.is_floating_point()
    if not plain or hasattr(head, "_hf_hook"):  # sharded or moved about by accelerate
        return None
    seen: list[torch.Tensor] = []
    handle = head.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    try:
        with torch.no_grad():
            logits = model(**inputs).logits.flatten().float()
    finally:
        handle.remove()
    before = seen[-1].flatten().float()
    plan = HeadPlan(at="targets", rows=CHUNK)
    if torch.equal(before, logits):
        return plan
    cap = getattr(model.config.get_text_config(), "final_logit_softcapping", None)
    if cap and torch.allclose(cap * (before / cap).tanh(), logits, rtol=_NEAR, atol=1e-5):
        return plan.model_copy(update={"softcap": float(cap)})
    scale = float((before.double() @ logits.double()) / (before.double() @ before.double()))
    if torch.allclose(before * scale, logits, rtol=_NEAR, atol=1e-5):
        return plan.model_copy(update={"scale": scale})
    return None


def _tried(task: Task, model: Any, batch: dict[str, torch.Tensor], plan: HeadPlan) -> Tried:
    """Loss and gradients at the last layer; nothing below it is computed backwards."""
    head = head_of(model)
    leaves: list[torch.Tensor] = []

    def cut_off(_: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        leaves.append(inputs[0].detach().requires_grad_())
        return (leaves[-1], *inputs[1:])

    handle = head.register_forward_pre_hook(cut_off)
    try:
        with torch.enable_grad():
            loss, count = Objective(task, model, plan)(model, dict(batch))
            weights = [weight for weight in head.parameters() if weight.requires_grad]
            found = torch.autograd.grad(loss / count, [leaves[-1], *weights])
    finally:
        handle.remove()
    sums = tuple(
        value
        for gradient in found[1:]
        for value in (float(gradient.norm()), float(gradient.sum()), float(gradient.abs().max()))
    )
    return Tried(float(loss.detach()), int(count), found[0], sums)


def _same(plain: Tried, other: Tried) -> bool:
    """Whether both are equal up to rounding; what is no number equals nothing."""
    most = _NEAR if plain.reached.dtype == torch.float32 else _NEAR_IN_16_BITS

    def near(left: float, right: float, size: float) -> bool:
        return math.isfinite(left) and abs(left - right) <= most * max(size, 1e-12)

    norm = float(plain.reached.norm())
    apart = float((plain.reached - other.reached).norm())
    weights = len(plain.weights) == len(other.weights) and all(
        near(left, right, plain.weights[place - place % 3])
        for place, (left, right) in enumerate(zip(plain.weights, other.weights, strict=True))
    )
    return (
        near(plain.loss, other.loss, abs(plain.loss))
        and plain.targets == other.targets
        and near(norm, norm + apart, norm)
        and weights
    )
