"""One attempt at a run: load, plan, measure, train, save. It imports PyTorch."""

import gc
import importlib.metadata
import os
import platform
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from easymodel_nb import environment
from easymodel_nb.runlog.events import StageName, StopReason
from easymodel_nb.runlog.log import RunReader
from easymodel_nb.train import planning
from easymodel_nb.train.assembly import assemble, torch_device
from easymodel_nb.train.control import Control, Stopped, stoppable, with_ticks
from easymodel_nb.train.loop import train
from easymodel_nb.train.measuring import Measurer
from easymodel_nb.train.plan import RunPlan
from easymodel_nb.train.preparation import Preparation, prepare
from easymodel_nb.train.reporter import Reporter

if TYPE_CHECKING:
    from easymodel_nb.train.tasks.task import Task

_PACKAGES = ("torch", "transformers", "datasets", "accelerate", "huggingface_hub", "tokenizers")


class Attempt:
    """The steps of one attempt, in order."""

    def __init__(
        self,
        folder: Path,
        control: Control,
        reporter: Reporter,
        token: Callable[[], str | None],
    ) -> None:
        self.folder, self.control, self.reporter, self.token = folder, control, reporter, token
        self.request: dict[str, Any] = RunReader(folder).view().request
        self.began = time.monotonic()
        self.task: Task
        self.model: Any = None
        self.tokenizer: Any = None

    def run(self) -> None:
        """Train to the end of the log.

        Raises
        ------
        Stopped
            When a stop was asked for before there was anything to keep.

        """
        try:
            self._run()
        finally:
            self.model = None
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def _run(self) -> None:
        plan, prepared = self._plan()
        measurer = Measurer(self.task, self.model, prepared, self.control, self.reporter)
        with stoppable(self.model, self.control):
            self._baseline(measurer, plan)
        summary: dict[str, Any] = {}
        try:
            with stoppable(self.model, self.control):
                summary = train(
                    self.task, self.model, plan, prepared, measurer, self.control, self.reporter
                )
                self._answers("evaluating", "trained", measurer, plan.max_steps, plan)
        except Stopped as stop:
            steps = summary.get("steps", stop.steps)  # known once the training has ended
            self._stopped(stop.reason, steps, plan)
            return
        path = self._save()
        summary["seconds"] = round(time.monotonic() - self.began, 3)
        if self.control.stopping:  # while it was saved: what was asked is kept, and so is the model
            reason = self.control.reason
            self.reporter.event("run_stopped", reason=reason, summary=summary, model_path=path)
            return
        self.reporter.event("run_finished", summary=summary, model_path=path)

    # ------------------------------------------------------------ loading and planning

    def _plan(self) -> tuple[RunPlan, Any]:
        device = environment.device(ask_torch=True)
        ready = prepare(
            self.request,
            self.token,
            self.control,
            self.reporter,
            device=torch_device(),
            begin=lambda chooser: self._choose_threads(chooser, device),
        )
        self.task, self.tokenizer = ready.task, ready.tokenizer
        self.model = assemble(ready, device, self.control, self.reporter)
        plan = planning.finish(self.folder.name, ready, self.model, device)
        plan.write(self.folder)
        self.reporter.event(
            "run_started",
            attempt=self.reporter.attempt,
            plan=plan,
            environment=_environment(plan),
        )
        self._warn(plan, ready)
        return plan, ready.prepared

    def _choose_threads(self, chooser: planning.Chooser, device: environment.Device) -> None:
        if device.kind == "cpu" and not os.environ.get("OMP_NUM_THREADS"):
            threads, why = self.control.interruptible(planning.free_cores)
            torch.set_num_threads(threads)
            chooser.note("threads", threads, why)

    def _warn(self, plan: RunPlan, ready: Preparation) -> None:
        node, prepared = plan.node_id, ready.prepared
        for problem in ready.problems():
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

    # ------------------------------------------------------------ measuring and saving

    def _baseline(self, measurer: Any, plan: RunPlan) -> None:
        self.reporter.stage(
            "baseline",
            "Measuring the base model",
            total=measurer.texts(whole=True),
            unit="texts",
        )
        self.reporter.event("epoch", step=0, epoch=0, analytics=measurer.baseline())
        self._answers("baseline", "base", measurer, 0, plan)

    def _answers(
        self, stage: StageName, which: str, measurer: Any, step: int, plan: RunPlan
    ) -> None:
        total = plan.sample_prompts
        if total:
            what = "Writing answers" if self.task.writes else "Labelling samples"
            said = f"{what} with the {which} model"
            self.reporter.stage(stage, said, total=total, unit="texts")
            measurer.sample(step=step, epoch=step // plan.steps_per_epoch)

    def _stopped(self, reason: StopReason, steps: int, plan: RunPlan) -> None:
        """Keep what was trained, when there is something."""
        path = None
        summary: dict[str, Any] = {"steps": steps, "of_steps": plan.max_steps}
        if steps > 0:
            path = self._save()
        self.reporter.event("run_stopped", reason=reason, summary=summary, model_path=path)

    def _save(self) -> str:
        """Save to the end, also after a stop: nothing that was trained is lost."""
        self.reporter.stage("saving", "Saving the model and its tokenizer")
        part, final = self.folder / "model.part", self.folder / "model"

        def save() -> None:
            shutil.rmtree(part, ignore_errors=True)
            self.model.save_pretrained(part)
            self.tokenizer.save_pretrained(part)

        with_ticks(save, self.reporter.heartbeat)
        shutil.rmtree(final, ignore_errors=True)
        part.rename(final)
        return "model"


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
