"""The training loop: the transformers Trainer with our batches, loss and measuring points."""

import math
import shutil
import time
from pathlib import Path
from typing import Any

import psutil
import torch
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from easymodel_nb.train import planning
from easymodel_nb.train.batching import LikeLengths
from easymodel_nb.train.control import Control, Stopped
from easymodel_nb.train.measuring import Measurer
from easymodel_nb.train.plan import RunPlan
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.train.tasks.task import Prepared, Task

_CHECKPOINT_SECONDS = 600
_SMOOTH_SECONDS = 0.25


class _Tally:
    """Sums of loss and tokens, kept on the device until they are asked for."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._nll: torch.Tensor | None = None
        self._targets: torch.Tensor | None = None

    def add(self, nll: torch.Tensor, targets: torch.Tensor) -> None:
        self._nll = nll if self._nll is None else self._nll + nll
        self._targets = targets if self._targets is None else self._targets + targets

    def mean(self) -> float | None:
        """The token-weighted mean since the last clear."""
        if self._nll is None or self._targets is None:
            return None
        return float(self._nll) / max(1, int(self._targets))


class _Loss:
    """The task's summed loss, divided by the targets of the whole optimizer step."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self.since_line, self.recent = _Tally(), _Tally()

    def __call__(
        self, outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        total, count = self._task.loss(outputs, labels), self._task.targets(labels)
        for tally in (self.since_line, self.recent):
            tally.add(total.detach().double(), count)
        return total / (
            num_items_in_batch if num_items_in_batch is not None else count.clamp(min=1)
        )


class _Clock:
    """Seconds spent in training steps alone, without measuring and saving."""

    def __init__(self) -> None:
        self.steps_seconds = 0.0
        self.tokens = 0
        self._began: float | None = None

    def start(self) -> None:
        self._began = time.monotonic()

    def pause(self) -> None:
        if self._began is not None:
            self.steps_seconds += time.monotonic() - self._began
            self._began = None

    @property
    def seconds(self) -> float:
        running = time.monotonic() - self._began if self._began is not None else 0.0
        return self.steps_seconds + running

    @property
    def tokens_per_second(self) -> float | None:
        return self.tokens / self.seconds if self.seconds > 0 and self.tokens else None


class _Callback(TrainerCallback):
    """Reports steps, measures at the planned points, and ends the training when asked."""

    def __init__(
        self,
        plan: RunPlan,
        loss: _Loss,
        clock: _Clock,
        measurer: Measurer,
        control: Control,
        reporter: Reporter,
    ) -> None:
        self._plan = plan
        self._loss = loss
        self._clock = clock
        self._measurer = measurer
        self._control = control
        self._reporter = reporter
        self._lines = set(planning.progress_steps(plan.max_steps))
        self._points = set(plan.eval_steps)
        self._pending: int | None = None
        self._measuring: list[float] = []
        self._checkpointed = time.monotonic()
        self._shown = 0.0

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        self._training(round(state.epoch or 0) + 1)

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        self._clock.start()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        self._clock.pause()
        if self._control.stopping:
            control.should_training_stop = True
            return
        step = state.global_step
        if step in self._lines or step in self._points:
            self._pending = step
            control.should_log = True  # on_log then brings the gradient norm
        if time.monotonic() - self._checkpointed > _CHECKPOINT_SECONDS:
            control.should_save = True
        self._live(state)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:  # noqa: ARG002
        if self._pending != state.global_step:  # the Trainer's own summary at the end
            return
        step, self._pending = state.global_step, None
        if step in self._lines:
            self._reporter.event(
                "progress",
                **self._numbers(state),
                loss=self._loss.since_line.mean(),
                epochs=self._plan.epochs,
                grad_norm=(logs or {}).get("grad_norm"),
                learning_rate=(logs or {}).get("learning_rate"),
            )
            self._loss.since_line.clear()
        if step in self._points:
            self._measure(step)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        self._checkpointed = time.monotonic()
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
        path = folder.relative_to(self._reporter.folder).as_posix()
        self._reporter.event("checkpoint", step=state.global_step, path=path, bytes=size)

    def _training(self, epoch: int) -> None:
        epoch = min(epoch, self._plan.epochs)
        self._reporter.stage(
            "training",
            f"Training, epoch {epoch} of {self._plan.epochs}",
            total=self._plan.max_steps,
            unit="steps",
        )

    def _live(self, state: Any) -> None:
        if time.monotonic() - self._shown < _SMOOTH_SECONDS and state.global_step > 1:
            return
        self._shown = time.monotonic()
        numbers = self._numbers(state)
        loss = self._loss.recent.mean()
        self._loss.recent.clear()
        self._reporter.live(**numbers, loss=loss)
        self._reporter.advance(state.global_step)

    def _numbers(self, state: Any) -> dict[str, Any]:
        return {
            "step": state.global_step,
            "max_steps": self._plan.max_steps,
            "epoch": round(state.global_step / self._plan.steps_per_epoch, 4),
            "tokens_per_second": self._clock.tokens_per_second,
            "seconds_left": self._seconds_left(state.global_step),
            "memory_bytes": memory_bytes(),
        }

    def _seconds_left(self, step: int) -> float | None:
        if step < 1:
            return None
        training = self._clock.seconds / step * (self._plan.max_steps - step)
        points = sum(point > step for point in self._points)
        measuring = sum(self._measuring) / len(self._measuring) if self._measuring else 0.0
        return training + points * measuring

    def _measure(self, step: int) -> None:
        epoch = step / self._plan.steps_per_epoch
        whole = step % self._plan.steps_per_epoch == 0
        where = f"after epoch {round(epoch)}" if whole else f"within epoch {math.ceil(epoch)}"
        self._reporter.stage(
            "evaluating",
            f"Measuring {where}",
            total=self._measurer.texts(whole=whole),
            unit="texts",
        )
        began = time.monotonic()
        analytics = self._measurer.measure(whole=whole)
        self._measuring.append(time.monotonic() - began)
        self._reporter.event(
            "epoch",
            step=step,
            epoch=round(epoch) if whole else round(epoch, 4),
            analytics=analytics,
        )
        if not whole:
            self._training(math.ceil(epoch))


class _LeanTrainer(Trainer):
    def __init__(self, task: Task, clock: _Clock, **kwargs: Any) -> None:
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
    loss, clock = _Loss(task), _Clock()
    arguments = _arguments(plan, reporter.folder)
    trainer = _LeanTrainer(
        task,
        clock,
        model=model,
        args=arguments,
        train_dataset=prepared.train,
        data_collator=task.collate,
        compute_loss_func=loss,
        callbacks=[_Callback(plan, loss, clock, measurer, control, reporter)],
    )
    trainer.remove_callback(PrinterCallback)
    _warn_of_full_disk(trainer, model, reporter)
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


def _arguments(plan: RunPlan, folder: Path) -> TrainingArguments:
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


def _warn_of_full_disk(trainer: Trainer, model: Any, reporter: Reporter) -> None:
    """Checkpoints (weights and two optimizer moments, three at once) need room; else do without."""
    need = 3 * 3 * sum(p.numel() * p.element_size() for p in model.parameters())
    free = shutil.disk_usage(reporter.folder).free
    if need > free:
        trainer.args.save_strategy = "no"
        reporter.warn(
            "disk.checkpoints",
            f"No checkpoints are written: they need {need / 1e9:.1f} GB and {free / 1e9:.1f} GB "
            "are free. A run that is cut off starts again.",
        )


def memory_bytes() -> int:
    """Peak memory on the GPU, or the resident memory of this process."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    return int(psutil.Process().memory_info().rss)
