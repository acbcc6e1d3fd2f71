"""The summed loss of a batch and the count of its targets, computed where targets are.

A language model's last layer is as wide as its vocabulary, and most of what it would compute is
thrown away: prompts and padding have no target. Its input is cut down to the places with one,
in front of the layer, so that whatever the model does to logits afterwards stays the model's.
"""

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  its usual name

from easymodel_nb.train.objective.chunked import summed_nll
from easymodel_nb.train.objective.head import Cut, head_of
from easymodel_nb.train.plan import HeadPlan
from easymodel_nb.train.tasks.task import Task

_ONE = 1  # place that the last layer computes where chunks are computed apart


class Objective:
    """The loss of one run; `plan` says where logits are computed."""

    def __init__(self, task: Task, model: Any, plan: HeadPlan) -> None:
        self._task, self._plan = task, plan
        self._head: Any = None if plan.at == "everywhere" else head_of(model)

    def __call__(
        self, model: Any, batch: dict[str, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Sum of the loss in nats, and what it is to be divided by, each a scalar tensor.

        `model` is called, which may be wrapped by accelerate; `batch` has `labels`.
        """
        self._task.forget()  # a step follows
        labels = batch["labels"]
        inputs = {name: value for name, value in batch.items() if name != "labels"}
        count = self._task.targets(labels)
        learned = None if self._head is None else self._task.learned(labels)
        if learned is None:
            return self._task.loss(model(**inputs), labels), count
        where, targets = learned
        if self._plan.rows is None:
            with Cut(self._head, where):
                logits = model(**inputs).logits
            return F.cross_entropy(logits[0].float(), targets, reduction="sum"), count
        with Cut(self._head, where, leave=_ONE) as cut:
            model(**inputs)
        return summed_nll(cut.hidden, self._head, targets, self._plan, dtype=cut.dtype), count
