"""The training loop: the transformers Trainer with our batches, loss and measuring points."""

import math
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, Trainer, TrainingArguments

from easymodel_nb.runlog.log import RunReader
from easymodel_nb.train.batching import LikeLengths
from easymodel_nb.train.callbacks.answering import Answering
from easymodel_nb.train.callbacks.checkpoints import Checkpoints, Keeps, load_weights
from easymodel_nb.train.callbacks.deadline import Deadline
from easymodel_nb.train.callbacks.early_stopping import EarlyStopping
from easymodel_nb.train.callbacks.reports import Reports
from easymodel_nb.train.callbacks.sentinels import Sentinels
from easymodel_nb.train.control import Control, Stopped
from easymodel_nb.train.measuring import Measurer
from easymodel_nb.train.plan import RunPlan
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.train.resuming import Start
from easymodel_nb.train.tally import Clock, SummedLoss, memory_bytes
from easymodel_nb.train.tasks.task import Prepared, Task


class LeanTrainer(Trainer):
    """The Trainer of a run and of its fit check: our order of batches, our count of targets."""

    checkpoints: Checkpoints | None = None  # None: none is written
    drawn_together: int | None = None  # None: a batch

    def __init__(self, task: Task, clock: Clock, **kwargs: Any) -> None:
        self._task = task
        self._clock = clock
        super().__init__(**kwargs)

    def _get_train_sampler(self, train_dataset: Any = None) -> LikeLengths:
        rows: Any = train_dataset if train_dataset is not None else self.train_dataset
        lengths = [len(example) for example in rows]
        together = self.drawn_together or self.args.per_device_train_batch_size
        return LikeLengths(lengths, together, self.args.seed)

    def floating_point_ops(self, inputs: Any) -> int:  # noqa: ARG002
        """None are counted."""
        return 0  # nobody reads it, and it walks all modules at each step

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: Any) -> Any:
        """The batches of a step, and how many targets the task counts in them."""
        samples, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        self._clock.fetched = sum(int(batch["attention_mask"].sum()) for batch in samples)
        items = sum(self._task.targets(batch["labels"]) for batch in samples)
        return samples, items.to(device) if isinstance(items, torch.Tensor) else None

    def _save_checkpoint(self, model: Any, trial: Any) -> None:  # noqa: ARG002
        if self.checkpoints is not None:
            self.checkpoints.write(self)

    def write_states(self, folder: Path) -> None:
        """Optimizer, scheduler, scaler and counts, in the Trainer's own files."""
        self._save_optimizer_and_scheduler(str(folder))
        self._save_scaler(str(folder))
        self.state.save_to_json(str(folder / "trainer_state.json"))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
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
    loss, clock = SummedLoss(task), Clock()
    keepers: dict[str, Keeps] = {"loss": loss, "clock": clock}
    checkpoints = Checkpoints(plan, reporter, keepers)
    arguments = trainer_arguments(plan, reporter.folder)
    early = EarlyStopping(plan, model, reporter)
    sentinels = Sentinels(plan, model, control, reporter)
    trainer = LeanTrainer(
        task,
        clock,
        model=model,
        args=arguments,
        train_dataset=prepared.train,
        data_collator=task.collate,
        compute_loss_func=loss,
        callbacks=[
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
        ],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.checkpoints, trainer.drawn_together = checkpoints, plan.drawn_together
    if start.found is not None:
        checkpoints.restore(start.found)
    view = RunReader(reporter.folder).view()
    for watcher in (sentinels, early):
        watcher.recall(view, start.found.step if start.found is not None else 0)
    try:
        trainer.train(resume_from_checkpoint=str(start.found.path) if start.found else None)
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
        logging_strategy="no",
        eval_strategy="no",
        save_strategy="no",  # callbacks.checkpoints says when
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        logging_nan_inf_filter=False,  # the filter waits for the GPU at each micro-step
        dataloader_pin_memory=cuda,
        use_cpu=not cuda and not torch.backends.mps.is_available(),
        bf16=data.precision == "bf16",
        fp16=data.precision == "fp16",
        gradient_checkpointing=bool(data.gradient_checkpointing),
        seed=data.seed,
        data_seed=data.seed,
    )
    arguments._n_gpu = min(1, arguments.n_gpu)  # noqa: SLF001  one GPU: DataParallel changes the loss
    return arguments
