"""The training loop of a run: what is called between its steps, and what comes of them."""

from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, TrainerCallback

from easymodel_nb.runlog.log import RunReader
from easymodel_nb.train.batches.layout import Layout, batches, sizing
from easymodel_nb.train.callbacks.answering import Answering
from easymodel_nb.train.callbacks.checkpoints import Checkpoints, Keeps, load_weights
from easymodel_nb.train.callbacks.deadline import Deadline
from easymodel_nb.train.callbacks.early_stopping import EarlyStopping
from easymodel_nb.train.callbacks.reports import Reports
from easymodel_nb.train.callbacks.sentinels import Sentinels
from easymodel_nb.train.control import Control, Stopped
from easymodel_nb.train.distributed.together import Agreeing, Arriving, ignore_unused, leading
from easymodel_nb.train.distributed.world import World, together
from easymodel_nb.train.embedding.rows import used_rows
from easymodel_nb.train.measuring import Measurer
from easymodel_nb.train.plan import RunPlan
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.train.resuming import Start
from easymodel_nb.train.tally import Clock, SummedLoss, memory_bytes
from easymodel_nb.train.tasks.task import Prepared, Task
from easymodel_nb.train.trainer import LeanTrainer, half_on_cpu, trainer_arguments


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
