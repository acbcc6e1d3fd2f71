"""The training loop: the transformers Trainer with our batches, loss and measuring points."""

import math
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, Trainer, TrainingArguments

from easymodel_nb.train.batching import LikeLengths
from easymodel_nb.train.callbacks.checkpoints import Checkpoints, room_for_checkpoints
from easymodel_nb.train.callbacks.reports import Reports
from easymodel_nb.train.control import Control, Stopped
from easymodel_nb.train.measuring import Measurer
from easymodel_nb.train.plan import RunPlan
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.train.tally import Clock, SummedLoss, memory_bytes
from easymodel_nb.train.tasks.task import Prepared, Task


class LeanTrainer(Trainer):
    """The Trainer of a run and of its fit check: our order of batches, our count of targets."""

    def __init__(self, task: Task, clock: Clock, **kwargs: Any) -> None:
        self._task = task
        self._clock = clock
        super().__init__(**kwargs)

    def _get_train_sampler(self, train_dataset: Any = None) -> LikeLengths:
        rows: Any = train_dataset if train_dataset is not None else self.train_dataset
        lengths = [len(example) for example in rows]
        return LikeLengths(lengths, self.args.per_device_train_batch_size, self.args.seed)

    def floating_point_ops(self, inputs: Any) -> int:  # noqa: ARG002
        return 0  # nobody reads it, and it walks all modules at each step

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: Any) -> Any:
        samples, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        self._clock.tokens += sum(int(batch["attention_mask"].sum()) for batch in samples)
        items = sum(self._task.targets(batch["labels"]) for batch in samples)
        return samples, items.to(device) if isinstance(items, torch.Tensor) else None


def train(
    task: Task,
    model: Any,
    plan: RunPlan,
    prepared: Prepared,
    measurer: Measurer,
    control: Control,
    reporter: Reporter,
) -> dict[str, Any]:
    """Train in place and return a summary.

    Raises
    ------
    Stopped
        When a stop was asked for; the model then holds the weights of the last whole step.

    """
    loss, clock = SummedLoss(task), Clock()
    arguments = trainer_arguments(plan, reporter.folder)
    trainer = LeanTrainer(
        task,
        clock,
        model=model,
        args=arguments,
        train_dataset=prepared.train,
        data_collator=task.collate,
        compute_loss_func=loss,
        callbacks=[
            Reports(plan, loss, clock, measurer, control, reporter),
            Checkpoints(reporter),
        ],
    )
    trainer.remove_callback(PrinterCallback)
    if not room_for_checkpoints(model, reporter):
        trainer.args.save_strategy = "no"
    try:
        trainer.train()
        control.check()
    except Stopped as stop:
        raise Stopped(stop.reason, steps=trainer.state.global_step) from None
    return {
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
        learning_rate=data.learning_rate or 0.0,
        weight_decay=data.weight_decay,
        lr_scheduler_type=data.scheduler,
        warmup_steps=math.ceil(data.warmup_ratio * plan.max_steps),
        max_grad_norm=1.0,
        logging_strategy="no",
        eval_strategy="no",
        save_strategy="epoch",
        save_total_limit=2,
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
