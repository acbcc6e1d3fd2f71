"""One run from its request to its end: a plain function over a folder.

It knows no widget, no kernel and no queue. Whatever happens, the log ends with
`run_finished`, `run_stopped` or `run_failed`.
"""

import gc
import importlib.metadata
import os
import platform
import random
import shutil
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from easymodel_nb import environment
from easymodel_nb.errors import FieldChange, Fix, Problem, StudioError, problem_error
from easymodel_nb.runlog.events import Event, StageName, StopReason
from easymodel_nb.runlog.log import RunReader
from easymodel_nb.runlog.run import Run
from easymodel_nb.train import fields, planning, sources
from easymodel_nb.train.control import Control, Stopped, stoppable, with_ticks
from easymodel_nb.train.plan import DatasetPlan, ModelPlan, RunPlan
from easymodel_nb.train.quiet import LogBuffer, quiet
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.workflow.document import DatasetData, FinetuneData, ModelData

_PACKAGES = ("torch", "transformers", "datasets", "accelerate", "huggingface_hub", "tokenizers")
LOG_FILE = "log.txt"


def execute(
    folder: Path,
    control: Control,
    *,
    token: Callable[[], str | None] = lambda: None,
    redact: Callable[[str], str] = lambda text: text,
    on_event: Callable[[Event], None] | None = None,
    buffer: LogBuffer | None = None,
) -> None:
    """Run what line 0 of the folder's log asks for, to its end.

    Never raises: every failure is the log's last line, its traceback redacted.
    """
    reporter = Reporter(folder, on_event=on_event)
    buffer = buffer or LogBuffer(redact)
    try:
        reporter.stage("loading", "Starting PyTorch and Transformers")
        control.interruptible(_import_heavy, tick=reporter.heartbeat)
        with quiet(buffer), _settings_restored():
            _Attempt(folder, control, reporter, token).run()
    except Stopped as stop:
        reporter.event("run_stopped", reason=stop.reason, summary={}, model_path=None)
    except BaseException as error:  # noqa: BLE001  the log must end, whatever happened
        detail = redact(traceback.format_exc())
        reporter.event("run_failed", problem=_problem(error, folder, redact), detail=detail)
    finally:
        (folder / LOG_FILE).write_text("\n".join(buffer.lines()) + "\n", encoding="utf-8")


def _import_heavy() -> None:
    import datasets  # noqa: F401, PLC0415
    from transformers import AutoModelForCausalLM, Trainer  # noqa: F401, PLC0415

    from easymodel_nb.train import loop  # noqa: F401, PLC0415


@contextmanager
def _settings_restored() -> Iterator[None]:
    """Give the process its threads and random states back after the run."""
    import numpy as np  # noqa: PLC0415
    import torch  # noqa: PLC0415

    threads = torch.get_num_threads()
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else None
    deterministic = torch.are_deterministic_algorithms_enabled()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic)
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        torch.set_rng_state(states[2])
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)


class _Attempt:
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
        self.model: Any = None
        self.tokenizer: Any = None

    def run(self) -> None:
        try:
            self._run()
        finally:
            self.model = None
            gc.collect()
            import torch  # noqa: PLC0415

            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def _run(self) -> None:
        from easymodel_nb.train.loop import train  # noqa: PLC0415
        from easymodel_nb.train.measuring import Measurer  # noqa: PLC0415

        plan, prepared = self._plan()
        measurer = Measurer(
            self.model,
            self.tokenizer,
            prepared,
            plan.finetune.max_length,
            plan.finetune.seed,
            self.control,
            self.reporter,
        )
        with stoppable(self.model, self.control):
            self._baseline(measurer, plan)
        summary: dict[str, Any] = {}
        try:
            with stoppable(self.model, self.control):
                summary = train(self.model, plan, prepared, measurer, self.control, self.reporter)
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
            tables = sources.open_dataset(dataset_data, self.token(), self.control, self.reporter)
            train_name = sources.train_split(tables, dataset_data)
            eval_name = sources.eval_split(tables, dataset_data, train_name)
        with _placed(self.request["model"].get("id", node)):
            model_folder = self._model_folder()
            config = self._load_tokenizer(model_folder.path)
            self._load_model(model_folder)
        chooser = planning.Chooser(data)
        device = environment.device(ask_torch=True)
        self._choose_threads(chooser, device)
        planning.note_splits(chooser, dataset_data, train_name, eval_name)
        positions = getattr(config, "max_position_embeddings", None)
        planning.fit_to_model(chooser, positions)
        train_table = tables.splits[train_name]
        parameters = sum(p.numel() for p in self.model.parameters())
        planning.fill_training(
            chooser, parameters=parameters, device=device, rows=train_table.num_rows
        )
        eval_table = tables.splits[eval_name] if eval_name else None
        with _placed(node):
            prepared, drawn = self._prepare(chooser, train_table, eval_table, dataset_data)
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
                fingerprint=sources.fingerprint(drawn),
                train_split=train_name,
                eval_split=eval_name,
                train_rows=prepared.train_rows,
                eval_rows=prepared.eval_rows,
                dropped_rows=prepared.dropped_rows,
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
        self._warn(plan, prepared)
        return plan, prepared

    def _choose_threads(self, chooser: planning.Chooser, device: environment.Device) -> None:
        import torch  # noqa: PLC0415

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
        from transformers import AutoConfig, AutoTokenizer  # noqa: PLC0415

        from easymodel_nb.train.tasks import generation  # noqa: PLC0415

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
        generation.check_model(config)
        if self.tokenizer.eos_token_id is None:
            self.reporter.warn(
                "tokenizer.no_eos",
                "The model's tokenizer has no end token, so the model cannot learn where an "
                "answer ends.",
            )
        return config

    def _load_model(self, folder: sources.ModelFolder) -> None:
        import torch  # noqa: PLC0415
        from safetensors import SafetensorError  # noqa: PLC0415
        from transformers import AutoModelForCausalLM  # noqa: PLC0415

        self.reporter.stage("loading", f"Loading {folder.name}")

        def load() -> Any:
            # The checkpoint's own dtype may be bf16, which this CPU computes 60 times slower.
            model: Any = AutoModelForCausalLM.from_pretrained(folder.path, dtype=torch.float32)
            return model.to(_torch_device())

        try:
            self.model = self.control.interruptible(load, tick=self.reporter.heartbeat)
        except torch.OutOfMemoryError:
            raise
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise problem_error(
                "model.unreadable",
                f"The weights of {folder.name} cannot be loaded: {str(error).rstrip('.')}. "
                "Download or save the model again, or choose another.",
                field="source",
            ) from error

    def _prepare(
        self, chooser: planning.Chooser, train: Any, evaluation: Any, dataset_data: DatasetData
    ) -> tuple[Any, Any]:
        from easymodel_nb.train.tasks import generation  # noqa: PLC0415

        self.reporter.stage("preparing", "Choosing rows and columns")
        roles = fields.choose(train, chooser.data)
        if evaluation is not None:
            fields.choose(evaluation, _named(chooser.data, roles))
        for field, column, why in roles.reasons:
            chooser.set(field, column, why)
        drawn_train, drawn_eval = generation.draw(train, evaluation, chooser.data, dataset_data)
        prepared = generation.prepare(
            drawn_train,
            drawn_eval,
            roles,
            chooser.data,
            self.tokenizer,
            self.control,
            self.reporter,
        )
        if chooser.data.max_new_tokens is None:
            chooser.set(
                "max_new_tokens",
                prepared.max_new_tokens,
                "1.5 times the 95th percentile of the references' length",
            )
        return prepared, drawn_train

    def _warn(self, plan: RunPlan, prepared: Any) -> None:
        node = plan.node_id
        if prepared.dropped_rows:
            self.reporter.warn(
                "rows.dropped",
                f"{prepared.dropped_rows:,} rows had an empty field and were left out.",
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
            "baseline", "Measuring the base model", total=measurer.texts, unit="texts"
        )
        self.reporter.event("epoch", step=0, epoch=0, analytics=measurer.measure())
        self._answers("baseline", "base", measurer, 0, plan)

    def _answers(
        self, stage: StageName, which: str, measurer: Any, step: int, plan: RunPlan
    ) -> None:
        total = plan.sample_prompts
        if total:
            said = f"Writing answers with the {which} model"
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


def _named(data: FinetuneData, roles: fields.Roles) -> FinetuneData:
    """The document with the chosen columns named, to look for them in the evaluation split."""
    return data.model_copy(
        update={
            "text_field": roles.text,
            "prompt_field": roles.prompt,
            "target_field": roles.target,
        }
    )


def _torch_device() -> str:
    import torch  # noqa: PLC0415

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _environment(plan: RunPlan) -> dict[str, Any]:
    import torch  # noqa: PLC0415

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


def _problem(error: BaseException, folder: Path, redact: Callable[[str], str]) -> Problem:
    request = RunReader(folder).view().request
    node = request.get("node", {}).get("id")
    if isinstance(error, StudioError):
        first = error.at(node).problems[0]
        return first.model_copy(update={"message": redact(first.message)})
    text = str(error)
    if isinstance(error, MemoryError) or "out of memory" in text.lower():
        batch = int(request.get("node", {}).get("data", {}).get("batch_size", 8))
        smaller = max(1, batch // 2)
        return Problem(
            code="memory.out",
            message=f"Out of memory. A batch of {batch} rows does not fit on this device; use a "
            "smaller batch size or a shorter max length.",
            node=node,
            field="batch_size",
            fix=Fix(
                label=f"Set batch size to {smaller}",
                set=[FieldChange(node=node or "", field="batch_size", value=smaller)],
            ),
        )
    return Problem(
        code="run.error",
        message=redact(
            f"Training stopped with an error inside {type(error).__name__}: "
            f"{text.splitlines()[0] if text else 'no message'}. Details has the traceback."
        ),
        node=node,
    )
