"""How the batches of one run are drawn, laid out, and computed."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from easymodel_nb.train.batches import orders
from easymodel_nb.train.batches.attention import Attending
from easymodel_nb.train.batches.documents import DOCUMENTS
from easymodel_nb.train.batches.flat import flatten
from easymodel_nb.train.batches.orders import Batches, Sizes, Sizing
from easymodel_nb.train.batches.padded import Batch
from easymodel_nb.train.batches.pooling import side_by_side
from easymodel_nb.train.fused import Fused
from easymodel_nb.train.plan import BatchPlan, RunPlan
from easymodel_nb.train.tasks.task import Task

ORDERS: dict[str, type[Batches]] = {
    "alike": orders.Alike,
    "shuffled": orders.Shuffled,
    "budgeted": orders.Budgeted,
}


def sizing(plan: RunPlan) -> Sizing:
    """The rows of the run's batches and steps."""
    data = plan.finetune
    return Sizing.of(data.batch_size, data.gradient_accumulation, plan.drawn_together)


def batches(plan: BatchPlan, sizes: Sizes, how: Sizing, seed: int) -> Batches:
    """The batches of a run, epoch by epoch."""
    return ORDERS[plan.order](sizes, how, seed)


class Layout:
    """The layout of a plan, for one model."""

    def __init__(self, task: Task, model: Any, plan: BatchPlan, *, half: bool = False) -> None:
        self.plan = plan
        self.half = half  # a CPU computes in bf16: batches are filled up to few sizes
        self._task, self._model = task, model
        self._attending = Attending(model) if plan.layout == "flat" else None
        self._fused = Fused(model)

    def collate(self, examples: Sequence[Any]) -> Batch:
        """The batch of these examples, as it reaches the device."""
        batch = self._task.collate(examples)
        if self._attending is not None:
            return flatten(
                batch,
                self.plan.first_position,
                evenly=self.half,
                padding_id=self._task.padding_id,
            )
        if self.plan.mask == "where needed" and bool(batch["attention_mask"].all()):
            del batch["attention_mask"]
        return batch

    def tokens(self, batch: Batch) -> int:
        """Tokens of its rows, without padding."""
        if DOCUMENTS in batch:
            return int(batch[DOCUMENTS].total)
        mask = batch.get("attention_mask")
        return int(batch["input_ids"].numel() if mask is None else mask.sum())

    def inputs(self, batch: Batch) -> Batch:
        """What of it the model is given, with the labels."""
        if self.plan.mask == "never":
            batch.pop("attention_mask", None)
        return batch

    @contextmanager
    def computing(self) -> Iterator[None]:
        """While a batch is computed, forwards and backwards."""
        with ExitStack() as stack:
            stack.enter_context(self._fused())
            if self._attending is not None:
                stack.enter_context(self._attending())
                if self._task.answers_rows:
                    stack.enter_context(side_by_side(self._model))
            yield
