"""The training loop: the transformers Trainer with our batches, loss and measuring points."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import DataLoader
from transformers import PrinterCallback, TrainerCallback, TrainingArguments

from easymodel_nb.runlog.log import RunReader
from easymodel_nb.train.batches.layout import Layout, batches, sizing
from easymodel_nb.train.batches.orders import Batches
from easymodel_nb.train.callbacks.answering import Answering
from easymodel_nb.train.callbacks.checkpoints import (
    Checkpoints,
    Keeps,
    load_weights,
    random_states,
)
from easymodel_nb.train.callbacks.deadline import Deadline
from easymodel_nb.train.callbacks.early_stopping import EarlyStopping
from easymodel_nb.train.callbacks.reports import Reports
from easymodel_nb.train.callbacks.sentinels import Sentinels
from easymodel_nb.train.control import Control, Stopped
from easymodel_nb.train.distributed.shares import Idle, dealt, unsharded
from easymodel_nb.train.distributed.together import (
    Agreeing,
    Arriving,
    counted,
    ignore_unused,
    leading,
)
from easymodel_nb.train.distributed.world import World, together
from easymodel_nb.train.embedding.rows import used_rows
from easymodel_nb.train.lean import LeanSteps
from easymodel_nb.train.measuring import Measurer
from easymodel_nb.train.objective.objective import Objective
from easymodel_nb.train.plan import HeadPlan, RunPlan
from easymodel_nb.train.precision import in_bf16
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.train.resuming import Start
from easymodel_nb.train.tally import Clock, SummedLoss, memory_bytes
from easymodel_nb.train.tasks.task import Prepared, Task

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


def train(
    task: Task,
    model: Any,
    plan: RunPlan,
    prepared: Prepared,
    measurer: Measurer,
    control: Control,
    reporter: Reporter,
    start: Start | None = None,
) -> dict[str, Any]:
    """Train in place, from the first step or from where `start` says, and return a summary.

    Raises
    ------
    Stopped
        When a stop was asked for; the model then holds the weights of the last whole step.

    """
    start = start or Start()
    loss, clock = SummedLoss(), Clock()
    keepers: dict[str, Keeps] = {"loss": loss, "clock": clock}
    checkpoints = Checkpoints(plan, reporter, keepers)
    early = EarlyStopping(plan, model, reporter)
    sentinels = Sentinels(plan, model, control, reporter)
    world = together()
    _share_out(model, start.found.path if start.found is not None else None)
    trainer = _trainer(
        task,
        model,
        plan,
        prepared,
        loss,
        clock,
        reporter.folder,
        [
            *([Arriving(world)] if world is not None else []),
            Deadline(control),
            Reports(
                plan,
                loss,
                clock,
                measurer,
                control,
                reporter,
                measured=start.measured,
                watchers=[sentinels, early],
            ),
            early,
            Answering(task, model, prepared, reporter.folder, control),
            checkpoints,
            sentinels,  # the last: its word holds
            *([Agreeing(world)] if world is not None else []),
        ],
    )
    trainer.checkpoints, trainer.stop_asked = checkpoints, lambda: control.stop("signal")
    if start.found is not None:
        checkpoints.restore(start.found)
    view = RunReader(reporter.folder).view()
    for watcher in (sentinels, early):
        watcher.recall(view, start.found.step if start.found is not None else 0)
    try:
        with leading(world):
            trainer.train(resume_from_checkpoint=str(start.found.path) if start.found else None)
            trainer.end()
        sentinels.finish(trainer.state.global_step)
    except Stopped as stop:
        checkpoints.last(trainer)
        steps = trainer.state.global_step
        raise Stopped(stop.reason, steps=steps, kept=early.restore(steps)) from None
    return {
        **early.restore(trainer.state.global_step),
        "steps": trainer.state.global_step,
        "training_seconds": round(clock.seconds, 3),
        "tokens": clock.tokens,
        "tokens_per_second": clock.tokens_per_second,
        "memory_bytes": memory_bytes(),
    }


def follow(
    world: World,
    task: Task,
    model: Any,
    plan: RunPlan,
    prepared: Prepared,
    folder: Path,
    checkpoint: Path | None,
) -> None:
    """Take part in the training that another process leads, from the first step or `checkpoint`.

    `folder` is for what the Trainer may write, which nobody reads.

    Raises
    ------
    Left
        When the leader ends it before its last step.

    """
    loss, clock = SummedLoss(), Clock()
    _share_out(model, checkpoint)
    trainer = _trainer(task, model, plan, prepared, loss, clock, folder, [Agreeing(world)])
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint is not None else None)
    trainer.end()


def _share_out(model: Any, checkpoint: Path | None) -> None:
    """Let each process train a part of the leader's model, where it was started so."""
    world = together()
    if world is None or not world.sharding:
        return
    from easymodel_nb.train.distributed.sharding import Shards  # noqa: PLC0415  seldom needed

    if world.leads and checkpoint is not None:
        load_weights(model, checkpoint)
    world.shards = Shards(world, model)


def _trainer(
    task: Task,
    model: Any,
    plan: RunPlan,
    prepared: Prepared,
    loss: SummedLoss,
    clock: Clock,
    folder: Path,
    callbacks: list[TrainerCallback],
) -> LeanTrainer:
    world, head = together(), plan.head
    if world is not None and world.shards is not None:
        model = world.shards.model
        # Chunks of logits need the last layer's weights outside of its forward pass.
        head = head.model_copy(update={"rows": None})
    trainer = LeanTrainer(
        task,
        clock,
        head,
        Layout(task, model, plan.batches, half=half_on_cpu(plan)),
        batches(plan.batches, task.sizes(prepared.train), sizing(plan), plan.finetune.seed),
        model=model,
        args=trainer_arguments(plan, folder),
        train_dataset=prepared.train,
        compute_loss_func=loss,
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.used = used_rows(task, model, plan.embedding, prepared.train)
    if world is not None:
        if world.shards is None:
            ignore_unused(trainer.model, task, prepared.train[0])
        torch.manual_seed(plan.finetune.seed + world.rank)  # each its own dropout
    return trainer


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
