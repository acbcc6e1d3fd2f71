"""The Trainer of a run: transformers' own, with our batches, our loss and our count of targets."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import DataLoader
from transformers import TrainingArguments

from easymodel_nb.train.batches.layout import Layout
from easymodel_nb.train.batches.orders import Batches
from easymodel_nb.train.callbacks.checkpoints import Checkpoints, load_weights, random_states
from easymodel_nb.train.distributed.shares import Idle, dealt, unsharded
from easymodel_nb.train.distributed.together import counted
from easymodel_nb.train.distributed.world import together
from easymodel_nb.train.lean import LeanSteps
from easymodel_nb.train.objective.objective import Objective
from easymodel_nb.train.plan import HeadPlan, RunPlan
from easymodel_nb.train.precision import in_bf16
from easymodel_nb.train.tally import Clock
from easymodel_nb.train.tasks.task import Task

if TYPE_CHECKING:
    from easymodel_nb.train.distributed.sharding import Shards


class LeanTrainer(LeanSteps):
    """The Trainer of a run and of its fit check: our order of batches, our count of targets."""

    checkpoints: Checkpoints | None = None  # None: none is written
    stop_asked: Callable[[], None] = staticmethod(lambda: None)  # another process was
    shards: "Shards | None" = None  # None: this process holds the whole model

    def __init__(
        self,
        task: Task,
        clock: Clock,
        head: HeadPlan,
        layout: Layout,
        order: Batches,
        **kwargs: Any,
    ) -> None:
        self._task = task
        self._clock = clock
        self._layout, self._order = layout, order
        self._objective = Objective(task, kwargs["model"], head)
        self._world = together()  # None: this process trains by itself
        self.whole = kwargs["model"]  # the model to look at and to save
        if self._world is not None and self._world.shards is not None:
            self.shards = self._world.shards
            self.whole = self._world.shards.whole
        collate: Callable[[Sequence[Any]], dict[str, Any]] = layout.collate
        if self._world is not None:
            collate = dealt(collate, self._world.rank, self._world.size)
        first = kwargs["train_dataset"]
        # A step has fewer rows than batches at times, once memory ran out.
        kwargs["data_collator"] = lambda rows: collate(rows) if rows else Idle(collate([first[0]]))
        super().__init__(**kwargs)

    def create_accelerator_and_postprocess(self) -> None:
        """As the Trainer does; a batch is split over processes by us."""
        with self.shards.asked() if self.shards is not None else nullcontext():
            super().create_accelerator_and_postprocess()
        if self.shards is not None:
            self.shards.prepare(self.accelerator)
            self.is_fsdp_enabled = True
        self.accelerator.free_memory = self._nothing_is_held  # once: when training begins
        if self._world is not None:
            unsharded(self.accelerator)

    def _nothing_is_held(self, *objects: Any) -> list[Any]:
        """Collect no garbage before the first step: it takes a quarter of a second in a kernel."""
        del self.accelerator.free_memory  # the accelerator's own again
        return list(objects)

    def create_optimizer(self, model: Any = None) -> Any:
        """As the Trainer does; what is saved of it is whole."""
        new = self.optimizer is None
        optimizer = super().create_optimizer(model)
        if new and self.shards is not None:
            self.shards.watch(optimizer)
        return optimizer

    def get_train_dataloader(self) -> DataLoader[Any]:
        """The batches of an epoch, in their order."""
        rows: Any = self.train_dataset
        loader: DataLoader[Any] = DataLoader(
            rows,
            batch_sampler=self._order,
            collate_fn=self.data_collator,
            pin_memory=self.args.dataloader_pin_memory,
        )
        prepared: DataLoader[Any] = self.accelerator.prepare(loader)
        return prepared

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: Any) -> Any:
        """The batches of a step, and how many targets the task counts in them."""
        samples, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        mine = [batch for batch in samples if not isinstance(batch, Idle)]
        self._clock.fetched = sum(map(self._layout.tokens, mine))
        items = sum((self._task.targets(batch["labels"]) for batch in mine), torch.tensor(0))
        if self._world is not None:
            items, self._clock.fetched, asked = counted(self._world, items, self._clock.fetched)
            if asked:
                self.stop_asked()
        if self._task.answers_rows and self._layout.plan.order == "budgeted":
            # Steps have more short rows or fewer long ones; each row weighs alike all the same.
            items = torch.tensor(self._order.mean_rows)
        return samples, items.to(device) if samples else None

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
        """Forwards and backwards, with the model reading rows as they are laid out."""
        inputs = self._layout.inputs(inputs)
        with self._layout.computing():
            return super().training_step(model, inputs, num_items_in_batch)

    def compute_loss_context_manager(self) -> Any:
        """In what precision a step goes forward."""
        return in_bf16() if self._layout.half else super().compute_loss_context_manager()

    def compute_loss(
        self,
        model: Any,
        inputs: Any,
        return_outputs: bool = False,  # noqa: ARG002, FBT001, FBT002  the Trainer's
        num_items_in_batch: Any = None,
    ) -> Any:
        """What the objective finds; the batch of a process without a row counts for nothing."""
        share: Any = self.compute_loss_func
        share.idle = isinstance(inputs, Idle)
        loss = share(*self._objective(model, inputs), num_items_in_batch)
        # Processes average their gradients, and the targets are counted over all of them.
        return loss * self.accelerator.num_processes if self._world is not None else loss

    def _save_checkpoint(self, model: Any, trial: Any) -> None:  # noqa: ARG002
        others = self._world.gathered(random_states()) if self._world is not None else []
        if self.shards is not None:
            self.shards.gather(states=True)
        if self.checkpoints is not None:
            self.checkpoints.write(self, others)

    def end(self) -> None:
        """All have taken the last step; the leader's model gets its weights."""
        if self.shards is not None:
            self.shards.gather()

    def write_states(self, folder: Path) -> None:
        """Optimizer, scheduler, scaler and counts, in the Trainer's own files."""
        with self._as_one():
            self._save_optimizer_and_scheduler(str(folder))
        self._save_scaler(str(folder))
        self.state.save_to_json(str(folder / "trainer_state.json"))

    @contextmanager
    def _as_one(self) -> Iterator[None]:
        """The Trainer writes and reads an optimizer's state as that of one process, meanwhile."""
        sharded, self.is_fsdp_enabled = self.is_fsdp_enabled, False
        try:
            yield
        finally:
            self.is_fsdp_enabled = sharded

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        with self._as_one():
            super()._load_optimizer_and_scheduler(checkpoint)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        if self.shards is not None:
            return  # it was shared out with these weights
        load_weights(model if model is not None else self.model, Path(resume_from_checkpoint))


def half_on_cpu(plan: RunPlan) -> bool:
    """Whether a CPU computes in bf16: then the steps alone, and what is measured in 32 bits."""
    accelerated = torch.cuda.is_available() or torch.backends.mps.is_available()
    return plan.finetune.precision == "bf16" and not accelerated


def trainer_arguments(plan: RunPlan, folder: Path) -> TrainingArguments:
    """What the Trainer does for this plan; checkpoints go below `folder`."""
    data = plan.finetune
    cuda = torch.cuda.is_available()
    arguments = TrainingArguments(
        output_dir=str(folder / "checkpoints"),
        per_device_train_batch_size=data.batch_size,
        gradient_accumulation_steps=data.gradient_accumulation,
        num_train_epochs=data.epochs,
        max_steps=plan.max_steps if plan.max_steps < plan.steps_per_epoch else -1,
        learning_rate=data.learning_rate or 0.0,
        weight_decay=data.weight_decay,
        lr_scheduler_type=data.scheduler,
        warmup_steps=math.ceil(data.warmup_ratio * plan.max_steps),
        max_grad_norm=1.0,
        optim="adamw_torch" if torch.backends.mps.is_available() else "adamw_torch_fused",
        logging_strategy="no",
        eval_strategy="no",
        save_strategy="no",  # callbacks.checkpoints says when
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        logging_nan_inf_filter=False,  # the filter waits for the GPU at each micro-step
        dataloader_pin_memory=cuda,
        use_cpu=not cuda and not torch.backends.mps.is_available(),
        bf16=data.precision == "bf16" and not half_on_cpu(plan),
        fp16=data.precision == "fp16",
        gradient_checkpointing=bool(data.gradient_checkpointing),
        ddp_find_unused_parameters=False,  # unused ones are found before (distributed.together)
        ddp_broadcast_buffers=False,
        seed=data.seed,
        data_seed=data.seed,
    )
    arguments._n_gpu = min(1, arguments.n_gpu)  # noqa: SLF001  one GPU: DataParallel changes the loss
    return arguments
