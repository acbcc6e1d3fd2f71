"""Real steps on the user's own longest rows: what they take of time and memory.

The run's own Trainer takes them, with its loss, optimizer, precision and checkpointing, at a
learning rate of 0: every kernel runs and every buffer is allocated, and the weights stay as they
are, so that a run may measure its own model before it trains it.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, TrainerCallback

from easymodel_nb.metrics.perplexity import eval_mode
from easymodel_nb.train.batches.layout import Layout
from easymodel_nb.train.batches.orders import Given
from easymodel_nb.train.control import Control, stoppable
from easymodel_nb.train.distributed.runner import count
from easymodel_nb.train.embedding.rows import used_rows
from easymodel_nb.train.engine import settings_restored
from easymodel_nb.train.fitting.measurement import Setting
from easymodel_nb.train.fitting.memory import Peak, give_back
from easymodel_nb.train.plan import RunPlan
from easymodel_nb.train.preparation import Preparation
from easymodel_nb.train.tally import Clock, SummedLoss
from easymodel_nb.train.tasks.task import Task
from easymodel_nb.train.trainer import LeanTrainer, half_on_cpu, trainer_arguments
from easymodel_nb.train.untouched import untouched

LONG_STEPS = 2  # the first warms up, the second is timed
_ANSWERS, _NEW_TOKENS = 16, 4  # answers are written 32 at a time and more, rather faster


class _Stopwatch(TrainerCallback):
    """Seconds of forward and backward passes, and of the optimizer, step by step."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self.passes: list[float] = []
        self.optimizer: list[float] = []
        self._began = 0.0

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Start."""
        self._control.check()
        self._began = now()

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """The passes are done. What is no number must not reach the weights, also at rate 0."""
        self.passes.append(now() - self._began)
        for group in kwargs["optimizer"].param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    weight.grad.nan_to_num_(0.0, 0.0, 0.0)
        self._began = now()

    def on_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """The optimizer is done."""
        self.optimizer.append(now() - self._began)


class Steps:
    """What the steps took: seconds of one batch of each kind, bytes above the start."""

    def __init__(self, passes: list[float], optimizer: list[float], micro: int, peak: int) -> None:
        self.long_seconds = passes[LONG_STEPS - 1] / micro
        self.typical_seconds = passes[LONG_STEPS] / micro
        self.optimizer_seconds = optimizer[LONG_STEPS - 1]
        self.peak = peak


def take(
    ready: Preparation,
    model: Any,
    plan: RunPlan,
    setting: Setting,
    long: list[Any],
    typical: list[Any],
    control: Control,
    peak: Peak,
) -> Steps:
    """Two steps on the longest rows and one on typical ones; the model stays as it was.

    `peak` holds what they took, also where they failed.

    Raises
    ------
    MemoryError, torch.OutOfMemoryError, RuntimeError
        When the memory runs out; `memory.ran_out` knows them. Nothing is left behind.
    Stopped
        When a stop was asked for.

    """
    task = ready.task
    micro = min(2, setting.gradient_accumulation)  # the second batch adds to standing gradients
    rows, end = [*long, *typical], len(long) + len(typical)
    steps = [list(range(len(long)))] * LONG_STEPS + [list(range(len(long), end))]
    order = Given([rows for rows in steps for _ in range(micro)])
    finetune = plan.finetune.model_copy(update=setting.model_dump())
    stopwatch = _Stopwatch(control)
    with tempfile.TemporaryDirectory() as folder, settings_restored(), _unseen(model):
        arguments = trainer_arguments(
            plan.model_copy(update={"finetune": finetune, "max_steps": LONG_STEPS + 1}),
            Path(folder),
        )
        arguments.per_device_train_batch_size = len(long)
        arguments.gradient_accumulation_steps = micro
        arguments.max_steps = LONG_STEPS + 1
        arguments.learning_rate = 0.0
        arguments.lr_scheduler_type = "constant"
        arguments.warmup_steps = 0
        arguments.save_strategy = "no"
        trainer, beside = None, []
        _read_all(model)
        try:
            with peak, peak.guard(model), stoppable(model, control):
                beside = _buckets(model) if count(ready.request) > 1 else []
                trainer = LeanTrainer(
                    task,
                    Clock(),
                    plan.head,
                    Layout(task, model, plan.batches, half=half_on_cpu(plan)),
                    order,
                    model=model,
                    args=arguments,
                    train_dataset=rows,
                    compute_loss_func=SummedLoss(),
                    callbacks=[stopwatch],
                )
                trainer.remove_callback(PrinterCallback)
                trainer.used = used_rows(task, model, plan.embedding, ready.prepared.train)
                trainer.train()
        finally:
            beside.clear()
            if trainer is not None:
                _release(trainer, model)
    return Steps(stopwatch.passes, stopwatch.optimizer, micro, peak.bytes)


def _buckets(model: Any) -> list[torch.Tensor]:
    """As much as DistributedDataParallel holds: each gradient once more, to be sent."""
    trained = (weight for weight in model.parameters() if weight.requires_grad)
    return [torch.empty_like(weight).zero_() for weight in trained]


def _release(trainer: Any, model: Any) -> None:
    """Nothing of the optimizer stays, and the model's forward is its own again."""
    trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False)
    trainer.accelerator.free_memory()
    trainer.optimizer = trainer.lr_scheduler = trainer.model_wrapped = None
    trainer.callback_handler.optimizer = trainer.callback_handler.lr_scheduler = None
    trainer.callback_handler.train_dataloader = None


@contextmanager
def _unseen(model: Any) -> Iterator[None]:
    """Nothing of the steps is left, in the model or in memory."""
    try:
        with untouched(model):
            yield
    finally:
        give_back()


def _read_all(model: Any) -> None:
    """Read every weight once: one that is mapped from a file takes memory only from then on."""
    if model.device.type == "cpu":
        with torch.no_grad():
            for weight in model.parameters():
                weight.sum()


# ------------------------------------------------------------ what measuring takes


def forward_seconds(task: Task, model: Any, rows: Sequence[Any]) -> float:
    """One pass over the rows as measuring makes it, without gradients."""
    batch = {name: value.to(model.device) for name, value in task.collate(rows).items()}
    batch.pop("labels", None)
    with torch.no_grad(), eval_mode(model):
        return _second(lambda: model(**batch))


def token_seconds(task: Task, model: Any, prepared: Any) -> float | None:
    """One more token of each of 16 answers; None where this task writes nothing."""
    from easymodel_nb.train.generate import generate  # noqa: PLC0415

    samples = list(getattr(prepared, "samples", ()))[:_ANSWERS]
    if not (task.writes and samples):
        return None
    limit = min(_NEW_TOKENS, prepared.max_new_tokens or _NEW_TOKENS)
    tokenizer = task.context.tokenizer
    taken = _second(lambda: generate(model, tokenizer, samples, limit, lambda _: None))
    return taken / limit


def _second(work: Callable[[], Any]) -> float:
    """Seconds of the second time."""
    work()
    began = now()
    work()
    return now() - began


def now() -> float:
    """This moment in seconds, once the device has done what it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    elif torch.backends.mps.is_available():
        torch.mps.synchronize()
    return time.monotonic()
