"""One attempt at a run: load, plan, measure, train, save. It imports PyTorch."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.metrics.memory import free, out_of_memory
from easymodel_nb.runlog.events import StopReason
from easymodel_nb.runlog.log import read_view
from easymodel_nb.train import (
    checkpoints,
    disk,
    kept_weights,
    methods,
    rescue,
    resuming,
    saving,
)
from easymodel_nb.train.control import Control, Stopped, stoppable, with_ticks
from easymodel_nb.train.distributed import following
from easymodel_nb.train.distributed.world import here
from easymodel_nb.train.fitting.memory import give_back
from easymodel_nb.train.last_good import make_whole
from easymodel_nb.train.loop import train
from easymodel_nb.train.measuring import Measurer
from easymodel_nb.train.opening import Opening, surroundings
from easymodel_nb.train.plan import RunPlan
from easymodel_nb.train.reporter import Reporter


class Attempt:
    """The steps of one attempt, in order; where memory runs out, of several."""

    def __init__(
        self,
        folder: Path,
        control: Control,
        reporter: Reporter,
        token: Callable[[], str | None],
    ) -> None:
        self.folder, self.control, self.reporter = folder, control, reporter
        self.opened = Opening(folder, control, reporter, token)
        self.began = time.monotonic()

    def run(self) -> None:
        """Train to the end of the log.

        Raises
        ------
        Stopped
            When a stop was asked for before there was anything to keep.

        """
        try:
            plan = self.opened.plan()
            while smaller := self._tried(plan):
                plan = self._smaller(smaller)
        finally:
            self.opened.model = None
            give_back()

    # ------------------------------------------------------------ training

    def _tried(self, plan: RunPlan) -> rescue.Smaller | None:
        """Train by the plan to the end; what to try next where memory does not suffice."""
        try:
            self._train(plan)
        except Exception as error:
            if isinstance(error, StudioError) and error.problems[0].code == rescue.TOGETHER:
                raise StudioError(self._next_time(plan)) from error
            if not out_of_memory(error):
                raise
            step = self.reporter.step
        else:
            return None
        # Out here nothing holds the tensors of the failed step any more.
        self.opened.model = None
        free()
        if step is None:  # even measured one by one, the texts of the base model did not fit
            tried = "to measure the base model text by text"
            raise StudioError(rescue.nothing_fits(plan, tried, trained=False))
        return rescue.smaller(plan, step)

    def _next_time(self, plan: RunPlan) -> Problem:
        """Freeze a plan that needs less, for when the run is resumed; what to say."""
        found = rescue.smaller(plan, self.reporter.step or 0, resumed=True)
        found.plan.write(self.folder)
        return found.problem.model_copy(update={"code": rescue.TOGETHER, "severity": "error"})

    def _smaller(self, found: rescue.Smaller) -> RunPlan:
        """Begin the next attempt, with a plan that needs less."""
        self.reporter.event("warning", problem=found.problem)
        self.reporter.attempt += 1
        self.reporter.step = None
        self.opened.ready.chooser.data = found.plan.finetune
        found.plan.write(self.folder)
        self.opened.assemble()
        return found.plan

    def _train(self, plan: RunPlan) -> None:
        start = resuming.begin(plan, self.reporter, surroundings(plan))
        world = here()
        if world is not None:
            following.begin(world, plan, start, self.folder)
        self._warn(plan)
        self._check_room()
        model, ready = self.opened.model, self.opened.ready
        task, prepared = ready.task, ready.prepared
        measurer = Measurer(ready, model, plan, self.control, self.reporter)
        measurer.recall(read_view(self.folder))
        with stoppable(model, self.control):
            if 0 not in start.measured:
                measurer.base()
        summary: dict[str, Any] = {}
        try:
            with stoppable(model, self.control, steps=world is None):
                with world.training() if world is not None else nullcontext():
                    summary = train(
                        task, model, plan, prepared, measurer, self.control, self.reporter, start
                    )
                measurer.last(summary.get("kept_step", plan.max_steps))
        except Stopped as stop:
            # Known once the training has ended.
            steps, kept = summary.get("steps", stop.steps), summary or stop.kept
            self._stopped(stop.reason, steps, plan, kept)
            return
        self.control.end_in(None)  # what is left of a time budget is there for saving
        path = self._save()
        summary["seconds"] = round(time.monotonic() - self.began, 3)
        if self.control.stopping:  # while it was saved: what was asked is kept, and so is the model
            reason = self.control.reason
            self.reporter.event("run_stopped", reason=reason, summary=summary, model_path=path)
            return
        self.reporter.event("run_finished", summary=summary, model_path=path)
        kept_weights.clear(self.folder)

    def _check_room(self) -> None:
        """Room for the model and its checkpoints, before any time is spent."""
        written = disk.written(
            self.opened.ready.chooser.data.method, *methods.sizes(self.opened.model)
        )
        told = checkpoints.check_room(self.folder, written.model_bytes, written.checkpoint_bytes)
        if told is not None:
            self.reporter.event("warning", problem=told)

    def _warn(self, plan: RunPlan) -> None:
        node, prepared = plan.node_id, self.opened.ready.prepared
        for problem in self.opened.ready.problems():
            self.reporter.event("warning", problem=problem)
        if prepared.dropped_rows:
            self.reporter.warn(
                "rows.unusable",
                f"{prepared.dropped_rows:,} more rows gave nothing to learn and were left out.",
                node=node,
            )
        if prepared.cut_rows:
            self.reporter.warn(
                "rows.cut",
                f"{prepared.cut_rows:,} of {prepared.train_rows:,} rows are longer than "
                f"{plan.finetune.max_length} tokens and were cut.",
                node=node,
                field="max_length",
            )

    # ------------------------------------------------------------ saving

    def _stopped(self, reason: StopReason, steps: int, plan: RunPlan, kept: dict[str, Any]) -> None:
        """Keep what was trained, when there is something and it is not broken."""
        path = None
        summary = {**kept, "steps": steps, "of_steps": plan.max_steps}
        if steps > 0:
            whole = make_whole(self.opened.model, self.folder, plan, steps)
            if whole is not None:
                if whole != steps:
                    epoch = round(whole / plan.steps_per_epoch, 4)
                    summary |= {"kept_step": whole, "kept_epoch": epoch}
                    self.reporter.warn(
                        "sentinel.kept",
                        f"What is saved as the model are the weights of step {whole:,}, from the "
                        "last checkpoint: those of the last step are no numbers.",
                        node=plan.node_id,
                    )
                path = self._save()
        self.reporter.event("run_stopped", reason=reason, summary=summary, model_path=path)

    def _save(self) -> str:
        """Save to the end, also after a stop: nothing that was trained is lost."""
        self.reporter.stage("saving", "Saving the model and its tokenizer")
        saved = with_ticks(
            lambda: saving.save(self.opened.model, self.opened.ready.tokenizer, self.folder),
            self.reporter.heartbeat,
        )
        for code, message in saved.notes:
            self.reporter.warn(code, message, node=self.opened.ready.node)
        return saved.path
