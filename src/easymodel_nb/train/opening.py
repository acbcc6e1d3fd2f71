"""What an attempt begins with: rows, model and plan, made now or frozen by an attempt before.

A run that is resumed keeps its plan: the same request is prepared again, and rows and model must
be those it began with.
"""

import importlib.metadata
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from easymodel_nb import environment
from easymodel_nb.runlog.log import read_view
from easymodel_nb.train import budget, fit, methods, planning, resuming, taking
from easymodel_nb.train.assembly import assemble, torch_device
from easymodel_nb.train.control import Control
from easymodel_nb.train.cores import free_cores
from easymodel_nb.train.distributed.planned import on_processes
from easymodel_nb.train.plan import RunPlan
from easymodel_nb.train.preparation import Preparation, prepare
from easymodel_nb.train.reporter import Reporter

_PACKAGES = (
    "torch",
    "transformers",
    "datasets",
    "accelerate",
    "peft",
    "huggingface_hub",
    "tokenizers",
)


class Opening:
    """Prepares and plans one attempt; afterwards it holds what was prepared, and the model."""

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
        self.device = environment.device(ask_torch=True)
        self.frozen = RunPlan.read(folder)  # None: this attempt makes it
        self.load_seconds = 0.0
        self.ready: Preparation
        self.model: Any = None

    def plan(self) -> RunPlan:
        """What is trained: as chosen now, or as an attempt before this one has chosen.

        Raises
        ------
        StudioError
            When this cannot be trained, or is no longer what the run began with.
        Stopped
            When a stop was asked for.

        """
        frozen = self.frozen
        if not self._warm():
            self.ready = prepare(
                self.request if frozen is None else pinned(self.request, frozen),
                self.token,
                self.control,
                self.reporter,
                device=torch_device(),
                begin=self._choose_threads,
            )
            if frozen is not None:
                resuming.same_data(frozen, self.ready)
                self.ready.chooser.data = frozen.finetune
        if self.model is None:
            self.assemble()
        if frozen is not None:
            architecture = type(methods.bare(self.model)).__name__
            parameters, _ = methods.sizes(self.model)
            resuming.same_model(frozen, architecture, parameters, self.ready.model_node)
            self._limit()
            return self._moved(frozen)
        schedule = self._settle()
        plan = planning.finish(self.folder.name, self.ready, self.model, self.device, schedule)
        plan = on_processes(plan)
        plan.write(self.folder)
        return plan

    def _warm(self) -> bool:
        """Begin with what was made ready before, where it is just what would be prepared now."""
        found = taking.take(self.request, self.frozen, self.control, self.reporter)
        if found is None:
            return False
        self.ready = taking.begun(found, self.request, self._choose_threads)
        self.model, self.load_seconds = found.model, found.load_seconds
        return True

    def _moved(self, plan: RunPlan) -> RunPlan:
        """The plan on this device, where the run began on another one."""
        now = on_processes(plan)
        if now is not plan:
            plan = now
            plan.write(self.folder)
        if plan.device == self.device.name and not resuming.unfit(plan, self.device):
            return plan
        moved, told = resuming.moved(plan, self.device)
        self.ready.chooser.data = moved.finetune
        moved.write(self.folder)
        self.reporter.event("warning", problem=told)
        return moved

    def assemble(self) -> None:
        """Read the weights and make them ready for the method."""
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
            threads, why = self.control.interruptible(free_cores)
            torch.set_num_threads(threads)
            chooser.note("threads", threads, why)
        else:
            chooser.note("threads", torch.get_num_threads(), "OMP_NUM_THREADS says so")


def pinned(request: dict[str, Any], plan: RunPlan) -> dict[str, Any]:
    """The request with the revisions that were found: a repository may have moved on."""
    pinned = dict(request)
    for node, revision in (("model", plan.model.revision), ("dataset", plan.dataset.revision)):
        if revision and "data" in request[node]:
            data = {**request[node]["data"], "revision": revision}
            pinned[node] = {**request[node], "data": data}
    return pinned


def surroundings(plan: RunPlan) -> dict[str, Any]:
    """Versions, device and data: what else an attempt's numbers depend on."""
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
        "world_size": plan.processes,
    }
