"""One attempt at a run: load, plan, measure, train, save. It imports PyTorch."""

import gc
import importlib.metadata
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoTokenizer

from easymodel_nb import environment
from easymodel_nb.errors import Problem, StudioError, problem_error
from easymodel_nb.runlog.events import StageName, StopReason
from easymodel_nb.runlog.log import RunReader
from easymodel_nb.runlog.run import Run
from easymodel_nb.train import drawing, planning, roles, sources, splits, tasks
from easymodel_nb.train.control import Control, Stopped, stoppable, with_ticks
from easymodel_nb.train.data.fingerprint import fingerprint
from easymodel_nb.train.data.open import open_dataset
from easymodel_nb.train.loop import train
from easymodel_nb.train.measuring import Measurer
from easymodel_nb.train.plan import DatasetPlan, ModelPlan, RunPlan
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.train.tasks.task import Context, Task
from easymodel_nb.workflow.document import DatasetData, FinetuneData, ModelData

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
        node = self.request["node"]["id"]
        data = _parse(FinetuneData, self.request["node"])
        dataset_data = _parse(DatasetData, self.request["dataset"])
        dataset_node = self.request["dataset"]["id"]
        with _placed(dataset_node):
            tables = open_dataset(dataset_data, self.token(), self.control, self.reporter, data)
            train_name = splits.train_split(tables, dataset_data)
            train_table = splits.split_table(tables.splits, train_name, "train_split")
        with _placed(self.request["model"].get("id", node)):
            model_folder = self._model_folder()
            config = self._load_tokenizer(model_folder.path)
        chooser = planning.Chooser(data)
        for guess in tables.guesses:
            chooser.note(guess.field, guess.value, guess.reason)
        device = environment.device(ask_torch=True)
        self._choose_threads(chooser, device)
        positions = planning.positions(config, self.tokenizer)
        planning.fit_to_model(chooser, positions)
        context = Context(
            chooser=chooser,
            control=self.control,
            reporter=self.reporter,
            config=config,
            tokenizer=self.tokenizer,
            device=_torch_device(),
        )
        with _placed(node):
            self.task = tasks.create(data.task, context)
            self.task.check_model()
            self._warn_of_no_end()
            self.reporter.stage("preparing", "Choosing rows and columns")
            self._choose_roles(context, train_table)
            with _placed(dataset_node):
                chosen = splits.choose_splits(tables, dataset_data, context.roles)
            planning.note_splits(chooser, chosen)
            context.train_split = chosen.train
            drawn = drawing.draw(
                chosen.train,
                chosen.evaluation,
                context.roles,
                chooser.data,
                dataset_data,
                dataset_node=dataset_node,
                tick=self._tick,
            )
            self.task.read(drawn.train, drawn.evaluation)
        with _placed(self.request["model"].get("id", node)):
            self._load_model(model_folder)
        parameters = sum(p.numel() for p in self.model.parameters())
        planning.fill_training(
            chooser,
            rates=self.task.rates,
            parameters=parameters,
            device=device,
            rows=train_table.num_rows,
        )
        with _placed(node):
            prepared = self.task.prepare(drawn.train, drawn.evaluation, self.model)
        plan = planning.finish(
            run_id=self.folder.name,
            request=self.request,
            chooser=chooser,
            model=ModelPlan(
                source=self.request["model"].get("data", {}).get("source", ""),
                run_of=self.request["model"].get("run_of"),
                name=model_folder.name,
                kind=model_folder.kind,
                path=str(model_folder.path),
                revision=model_folder.revision,
                architecture=type(self.model).__name__,
                parameters=parameters,
                positions=positions,
            ),
            dataset=DatasetPlan(
                source=dataset_data.source,
                name=tables.name,
                kind=tables.kind,
                revision=tables.revision,
                fingerprint=fingerprint(drawn.train),
                train_split=train_name,
                eval_split=chosen.eval_name,
                train_rows=prepared.train_rows,
                eval_rows=prepared.eval_rows,
                dropped_rows=drawn.dropped_rows + prepared.dropped_rows,
                duplicate_rows=drawn.duplicates,
                overlap_rows=drawn.overlap,
            ),
            prepared=prepared,
            device=device,
        )
        plan.write(self.folder)
        self.reporter.event(
            "run_started",
            attempt=self.reporter.attempt,
            plan=plan,
            environment=_environment(plan),
        )
        told = StudioError(tables.notes).at(dataset_node).problems
        self._warn(plan, [*told, *chosen.problems, *drawn.problems, *prepared.notes], prepared)
        return plan, prepared

    def _choose_threads(self, chooser: planning.Chooser, device: environment.Device) -> None:
        if device.kind == "cpu" and not os.environ.get("OMP_NUM_THREADS"):
            threads, why = self.control.interruptible(planning.free_cores)
            torch.set_num_threads(threads)
            chooser.note("threads", threads, why)

    def _model_folder(self) -> sources.ModelFolder:
        request = self.request["model"]
        if "run_of" not in request:
            return sources.open_model(
                _parse(ModelData, request), self.token(), self.control, self.reporter
            )
        self.reporter.stage("loading", "Opening the model of the run before")
        run = Run(self.folder.parent / str(request["run"]))
        if run.status != "finished" or run.model_path is None:
            raise problem_error(
                "run.no_model",
                "The run this one starts from has no trained model. Train that node first.",
                field="model",
            )
        return sources.ModelFolder(run.model_path, f"run {run.id}", "run")

    def _load_tokenizer(self, path: Path) -> Any:
        try:
            config = AutoConfig.from_pretrained(path)
            self.tokenizer = AutoTokenizer.from_pretrained(path)
        except (OSError, ValueError) as error:
            raise problem_error(
                "model.unreadable",
                f"The model's tokenizer or config cannot be read: {str(error).rstrip('.')}. "
                "Download or save the model again, or choose another.",
                field="source",
            ) from error
        return config

    def _warn_of_no_end(self) -> None:
        if self.task.writes and self.tokenizer.eos_token_id is None:
            self.reporter.warn(
                "tokenizer.no_eos",
                "The model's tokenizer has no end token, so the model cannot learn where an "
                "answer ends.",
            )

    def _load_model(self, folder: sources.ModelFolder) -> None:
        self.reporter.stage("loading", f"Loading {folder.name}")
        try:
            self.model = self.control.interruptible(
                lambda: self.task.load_model(folder.path), tick=self.reporter.heartbeat
            )
        except torch.OutOfMemoryError:
            raise
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise problem_error(
                "model.unreadable",
                f"The weights of {folder.name} cannot be loaded: {str(error).rstrip('.')}. "
                "Download or save the model again, or choose another.",
                field="source",
            ) from error

    def _choose_roles(self, context: Context, train: pa.Table) -> None:
        chooser = context.chooser
        context.roles = roles.choose(train, chooser.data)
        for field, column, why in context.roles.reasons:
            chooser.set(field, column, why)

    def _tick(self) -> None:
        self.control.check()
        self.reporter.heartbeat()

    def _warn(self, plan: RunPlan, problems: list[Problem], prepared: Any) -> None:
        node = plan.node_id
        for problem in StudioError(problems).at(node).problems:
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


@contextmanager
def _placed(node: str) -> Iterator[None]:
    try:
        yield
    except StudioError as error:
        raise error.at(node) from error


def _parse(model: type[Any], node: dict[str, Any]) -> Any:
    return model.model_validate(node.get("data", {}))


def _torch_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


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
