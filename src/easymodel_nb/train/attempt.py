"""One attempt at a run: load, plan, measure, train, save. It imports PyTorch."""

import gc
import importlib.metadata
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from easymodel_nb import environment
from easymodel_nb.errors import StudioError
from easymodel_nb.metrics.memory import free, out_of_memory
from easymodel_nb.runlog.events import StageName, StopReason
from easymodel_nb.runlog.log import read_view
from easymodel_nb.train import (
    budget,
    checkpoints,
    disk,
    fit,
    kept_weights,
    methods,
    planning,
    rescue,
    resuming,
    saving,
)
from easymodel_nb.train.assembly import assemble, torch_device
from easymodel_nb.train.control import Control, Stopped, stoppable, with_ticks
from easymodel_nb.train.last_good import make_whole
from easymodel_nb.train.loop import train
from easymodel_nb.train.measuring import Measurer
from easymodel_nb.train.plan import RunPlan
from easymodel_nb.train.preparation import Preparation, prepare
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.train.resuming import Start

_PACKAGES = ("torch", "transformers", "datasets", "accelerate", "huggingface_hub", "tokenizers")


class Attempt:
    """The steps of one attempt, in order; where memory runs out, of several."""

    def __init__(
        self,
        folder: Path,
        control: Control,
        reporter: Reporter,
        token: Callable[[], str | None],
    ) -> None:
        self.folder, self.control, self.reporter, self.token = folder, control, reporter, token
        self.before = read_view(folder)
        self.request: dict[str, Any] = self.before.request
        self.began = time.monotonic()
        self.device = environment.device(ask_torch=True)
        self.frozen = RunPlan.read(folder)  # None: this attempt makes it
        self.ready: Preparation
        self.model: Any = None

    def run(self) -> None:
        """Train to the end of the log.

        Raises
        ------
        Stopped
            When a stop was asked for before there was anything to keep.

        """
        try:
            plan = self._plan()
            while smaller := self._tried(plan):
                plan = self._smaller(smaller)
        finally:
            self.model = None
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    # ------------------------------------------------------------ loading and planning

    def _plan(self) -> RunPlan:
        """What is trained: as chosen now, or as an attempt before this one has chosen."""
        frozen = self.frozen
        self.ready = prepare(
            self.request if frozen is None else _pinned(self.request, frozen),
            self.token,
            self.control,
            self.reporter,
            device=torch_device(),
            begin=self._choose_threads,
        )
        if frozen is not None:
            resuming.same_data(frozen, self.ready)
            self.ready.chooser.data = frozen.finetune
        self._assemble()
        if frozen is not None:
            architecture = type(methods.bare(self.model)).__name__
            parameters, _ = methods.sizes(self.model)
            resuming.same_model(frozen, architecture, parameters, self.ready.model_node)
            self._limit()
            return self._moved(frozen)
        schedule = self._settle()
        plan = planning.finish(self.folder.name, self.ready, self.model, self.device, schedule)
        plan.write(self.folder)
        return plan

    def _moved(self, plan: RunPlan) -> RunPlan:
        """The plan on this device, where the run began on another one."""
        if plan.device == self.device.name:
            return plan
        moved, told = resuming.moved(plan, self.device)
        self.ready.chooser.data = moved.finetune
        moved.write(self.folder)
        self.reporter.event("warning", problem=told)
        return moved

    def _assemble(self) -> None:
        began = time.monotonic()
        self.model = assemble(self.ready, self.device, self.control, self.reporter)
        self.load_seconds = time.monotonic() - began

    def _settle(self) -> planning.Schedule | None:
        """Find out what fits, where that is worth a few steps, and what the time budget holds."""
        found = fit.settle(
            self.ready,
            self.model,
            self.device,
            self.control,
            self.reporter,
            load_seconds=self.load_seconds,
        )
        limit = self._limit()
        if limit is None or found is None:
            return None
        return budget.schedule(self.ready, found, used=limit.used)

    def _limit(self) -> budget.TimeBudget | None:
        """Let the attempt end in time for its budget, if it has one."""
        minutes = self.ready.chooser.data.time_budget_minutes
        if minutes is None:
            return None
        limit = budget.TimeBudget(minutes, self.folder)
        limit.limit(self.control, self.load_seconds)
        return limit

    def _choose_threads(self, chooser: planning.Chooser) -> None:
        """As many as are free; as many as before, because another number rounds otherwise."""
        if self.device.kind != "cpu":
            return
        known = (self.before.environment or {}).get("threads")
        if self.frozen is not None and known:
            torch.set_num_threads(int(known))
        elif not os.environ.get("OMP_NUM_THREADS"):
            threads, why = self.control.interruptible(planning.free_cores)
            torch.set_num_threads(threads)
            chooser.note("threads", threads, why)

    def _warn(self, plan: RunPlan) -> None:
        node, prepared = plan.node_id, self.ready.prepared
        for problem in self.ready.problems():
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

    # ------------------------------------------------------------ training

    def _tried(self, plan: RunPlan) -> rescue.Smaller | None:
        """Train by the plan to the end; what to try next where memory does not suffice."""
        try:
            self._train(plan)
        except Exception as error:
            if not out_of_memory(error):
                raise
            step = self.reporter.step
        else:
            return None
        # Out here nothing holds the tensors of the failed step any more.
        self.model = None
        free()
        if step is None:  # even measured one by one, the texts of the base model did not fit
            tried = "to measure the base model text by text"
            raise StudioError(rescue.nothing_fits(plan, tried, trained=False))
        return rescue.smaller(plan, step)

    def _smaller(self, found: rescue.Smaller) -> RunPlan:
        """Begin the next attempt, with a plan that needs less."""
        self.reporter.event("warning", problem=found.problem)
        self.reporter.attempt += 1
        self.reporter.step = None
        self.ready.chooser.data = found.plan.finetune
        found.plan.write(self.folder)
        self._assemble()
        return found.plan

    def _train(self, plan: RunPlan) -> None:
        start = resuming.begin(plan, self.reporter, _environment(plan))
        self._warn(plan)
        self._check_room()
        task, prepared = self.ready.task, self.ready.prepared
        measurer = Measurer(task, self.model, prepared, self.control, self.reporter)
        with stoppable(self.model, self.control):
            self._baseline(measurer, plan, start)
        summary: dict[str, Any] = {}
        try:
            with stoppable(self.model, self.control):
                summary = train(
                    task, self.model, plan, prepared, measurer, self.control, self.reporter, start
                )
                step = summary.get("kept_step", plan.max_steps)
                self._last_answers(measurer, plan, start, step)
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
        written = disk.written(self.ready.chooser.data.method, *methods.sizes(self.model))
        told = checkpoints.check_room(self.folder, written.model_bytes, written.checkpoint_bytes)
        if told is not None:
            self.reporter.event("warning", problem=told)

    # ------------------------------------------------------------ measuring and saving

    def _baseline(self, measurer: Measurer, plan: RunPlan, start: Start) -> None:
        if 0 not in start.measured:
            total = measurer.texts(whole=True)
            said = "Measuring the base model"
            self.reporter.stage("baseline", said, total=total, unit="texts")
            self.reporter.event("epoch", step=0, epoch=0, analytics=measurer.baseline())
        if 0 not in start.sampled:
            self._answers("baseline", "base", measurer, 0, plan)

    def _last_answers(self, measurer: Measurer, plan: RunPlan, start: Start, step: int) -> None:
        """Answers of the trained model; a want of memory costs them, not the model."""
        if step in start.sampled:
            return
        try:
            self._answers("evaluating", "trained", measurer, step, plan)
        except Exception as error:
            if not out_of_memory(error):
                raise
        else:
            return
        free()
        self.reporter.warn(
            "memory.answers",
            "The trained model has too little memory left to write its answers; it is saved "
            "without them. A smaller batch size or max length leaves more.",
            node=plan.node_id,
        )

    def _answers(
        self, stage: StageName, which: str, measurer: Measurer, step: int, plan: RunPlan
    ) -> None:
        total = plan.sample_prompts
        if total:
            what = "Writing answers" if self.ready.task.writes else "Labelling samples"
            said = f"{what} with the {which} model"
            self.reporter.stage(stage, said, total=total, unit="texts")
            epoch = round(step / plan.steps_per_epoch, 4)
            measurer.sample(step=step, epoch=int(epoch) if epoch.is_integer() else epoch)

    def _stopped(self, reason: StopReason, steps: int, plan: RunPlan, kept: dict[str, Any]) -> None:
        """Keep what was trained, when there is something and it is not broken."""
        path = None
        summary = {**kept, "steps": steps, "of_steps": plan.max_steps}
        if steps > 0:
            whole = make_whole(self.model, self.folder, plan, steps)
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
            lambda: saving.save(self.model, self.ready.tokenizer, self.folder),
            self.reporter.heartbeat,
        )
        for code, message in saved.notes:
            self.reporter.warn(code, message, node=self.ready.node)
        return saved.path


def _pinned(request: dict[str, Any], plan: RunPlan) -> dict[str, Any]:
    """The request with the revisions that were found: a repository may have moved on."""
    pinned = dict(request)
    for node, revision in (("model", plan.model.revision), ("dataset", plan.dataset.revision)):
        if revision and "data" in request[node]:
            data = {**request[node]["data"], "revision": revision}
            pinned[node] = {**request[node], "data": data}
    return pinned


def _environment(plan: RunPlan) -> dict[str, Any]:
    return {
        "easymodel": environment.version(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{name: importlib.metadata.version(name) for name in _PACKAGES},
        "device": plan.device,
        "threads": torch.get_num_threads(),
        "seed": plan.finetune.seed,
        "data_fingerprint": plan.dataset.fingerprint,
        "model_revision": plan.model.revision,
        "dataset_revision": plan.dataset.revision,
        "world_size": 1,
    }
