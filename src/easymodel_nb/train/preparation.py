"""Everything before the weights: data, columns, rows, tokenizer, token ids.

A run, the audit and the fit check all begin with this, so that what the audit shows is what
a run trains on. It needs no weights, and nothing here trains.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from easymodel_nb.errors import Problem, StudioError, problem_error
from easymodel_nb.runlog.adapters import holds_adapters_alone
from easymodel_nb.runlog.run import Run
from easymodel_nb.train import (
    drawing,
    feasible,
    methods,
    planning,
    roles,
    saving,
    sources,
    splits,
    tasks,
)
from easymodel_nb.train.control import Control
from easymodel_nb.train.data.open import open_dataset
from easymodel_nb.train.data.reading import DatasetTables
from easymodel_nb.train.drawing import Drawn
from easymodel_nb.train.embedding.used import Ids, ids_of
from easymodel_nb.train.hub.large import TooLarge
from easymodel_nb.train.lengths import lengths_of
from easymodel_nb.train.planning import Chooser
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.train.sources import ModelFolder
from easymodel_nb.train.splits import Splits
from easymodel_nb.train.tasks.task import Context, Prepared, Task
from easymodel_nb.trust import loading, permits, questions
from easymodel_nb.workflow.document import DatasetData, FinetuneData, ModelData

_M = TypeVar("_M", bound=BaseModel)


@dataclass(frozen=True)
class Preparation:
    """What is known of a run before its weights are read."""

    request: dict[str, Any]
    dataset: DatasetData
    tables: DatasetTables
    splits: Splits
    drawn: Drawn
    model_folder: ModelFolder
    positions: int | None  # tokens the model can read at once, if it says
    chooser: Chooser  # .data is the node with every value chosen so far
    task: Task
    prepared: Prepared
    unfit: list[Problem]  # settings that do not fit this model and these rows

    @property
    def node(self) -> str:
        """The finetune node."""
        return str(self.request["node"]["id"])

    @property
    def model_node(self) -> str:
        """The node where what is wrong with the model belongs."""
        return str(self.request["model"].get("id", self.node))

    @property
    def dataset_node(self) -> str:
        """The node where what is wrong with the data belongs."""
        return str(self.request["dataset"]["id"])

    @property
    def tokenizer(self) -> Any:
        """The tokenizer, with what the task needs and it lacked."""
        return self.task.context.tokenizer

    @property
    def config(self) -> Any:
        """The model's config."""
        return self.task.context.config

    @cached_property
    def lengths(self) -> list[int]:
        """Tokens of each training example, counted once."""
        return lengths_of(self.prepared.train)

    @cached_property
    def used_ids(self) -> Ids:
        """The distinct tokens of the training examples, found once."""
        return ids_of(self.prepared.train, self.task.padding_id)

    def problems(self) -> list[Problem]:
        """What the user should know of the data, each on its node; not what was accepted."""
        accepted = self.chooser.data.accept
        return [p for p in self.found() if p.severity != "ask" or p.code not in accepted]

    def found(self) -> list[Problem]:
        """Everything that is to be said of the data, each on its node."""
        told = StudioError(self.tables.notes).at(self.dataset_node).problems
        found = [*told, *self.splits.problems, *self.drawn.problems, *self.prepared.notes]
        found += self.unfit
        return StudioError(found).at(self.node).problems


def prepare(
    request: dict[str, Any],
    token: Callable[[], str | None],
    control: Control,
    reporter: Reporter,
    *,
    device: str = "cpu",
    begin: Callable[[Chooser], None] = lambda _: None,
    weights: bool = True,
    limit: int | None = None,
) -> Preparation:
    """Open the data and the tokenizer, choose columns and rows, and tokenise them.

    `device` is where the weights will go, `begin` notes what was chosen before. Calls
    `control.check()` and tells `reporter` as it goes. Without `weights` those of a model on the
    Hub stay there.

    Raises
    ------
    TooLarge
        When data of more than `limit` bytes would have to be downloaded.
    StudioError
        On the node and the field to mend, when this cannot be trained.
    Stopped
        When a stop was asked for.

    """
    node = request["node"]["id"]
    data = parse(FinetuneData, request["node"])
    dataset = parse(DatasetData, request["dataset"])
    dataset_node = request["dataset"]["id"]
    with placed(dataset_node):
        tables = open_dataset(dataset, token(), control, reporter, data, limit=limit)
        train_name = splits.train_split(tables, dataset)
        train_table = splits.split_table(tables.splits, train_name, "train_split")
    with placed(request["model"].get("id", node)):
        folder = _model_folder(request, token, control, reporter, weights=weights)
        config, tokenizer = _load_tokenizer(folder)
    chooser = Chooser(data)
    if folder.permit.code is not None and folder.permit.origin is not None:
        chooser.note("trust_remote_code", True, _whose_code(folder))  # noqa: FBT003
    for guess in tables.guesses:
        chooser.note(guess.field, guess.value, guess.reason)
    begin(chooser)
    positions = planning.positions(config, tokenizer)
    planning.fit_to_model(chooser, positions)
    context = Context(
        chooser=chooser,
        control=control,
        reporter=reporter,
        config=config,
        tokenizer=tokenizer,
        device=device,
        permit=folder.permit,
    )

    def tick() -> None:
        control.check()
        reporter.heartbeat()

    with placed(node):
        task = tasks.create(data.task, context)
        task.check_model()
        for problem in StudioError(methods.check(task)).at(node).problems:
            reporter.event("warning", problem=problem)
        _warn_of_no_end(task, reporter)
        reporter.stage("preparing", "Choosing rows and columns")
        context.roles = roles.choose(train_table, chooser.data)
        for field, column, why in context.roles.reasons:
            chooser.set(field, column, why)
        with placed(dataset_node):
            chosen = splits.choose_splits(tables, dataset, context.roles)
        planning.note_splits(chooser, chosen)
        context.train_split = chosen.train
        drawn = drawing.draw(
            chosen.train,
            chosen.evaluation,
            context.roles,
            chooser.data,
            dataset,
            dataset_node=dataset_node,
            tick=tick,
        )
        task.ready_tokenizer()
        task.read(drawn.train, drawn.evaluation)
        prepared = task.prepare(drawn.train, drawn.evaluation)
        unfit = feasible.problems(
            data,
            positions=positions,
            examples=len(prepared.train),
            eval_rows=prepared.eval_rows,
        )
        if errors := [problem for problem in unfit if problem.severity == "error"]:
            raise StudioError(errors)
        per_epoch = planning.steps_per_epoch(chooser.data, len(prepared.train))
        feasible.settle(chooser, per_epoch * data.epochs)
    return Preparation(
        request=request,
        dataset=dataset,
        tables=tables,
        splits=chosen,
        drawn=drawn,
        model_folder=folder,
        positions=positions,
        chooser=chooser,
        task=task,
        prepared=prepared,
        unfit=unfit,
    )


@contextmanager
def placed(node: str) -> Iterator[None]:
    """Put what goes wrong meanwhile on a node."""
    try:
        yield
    except TooLarge:
        raise
    except StudioError as error:
        raise error.at(node) from error


def parse(model: type[_M], node: dict[str, Any]) -> _M:
    """What a node of a request holds."""
    return model.model_validate(node.get("data", {}))


def _model_folder(
    request: dict[str, Any],
    token: Callable[[], str | None],
    control: Control,
    reporter: Reporter,
    *,
    weights: bool,
) -> ModelFolder:
    model = request["model"]
    if "run_of" not in model:
        found = sources.open_model(
            parse(ModelData, model), token(), control, reporter, weights=weights
        )
        return _permitted(found, reporter.home)
    reporter.stage("loading", "Opening the model of the run before")
    run = Run(reporter.home / "runs" / str(model["run"]))
    if run.status != "finished" or run.model_path is None:
        raise problem_error(
            "run.no_model",
            "The run this one starts from has no trained model. Train that node first.",
            field="model",
        )
    path = run.model_path
    if holds_adapters_alone(path):
        path = saving.merged_of(run.folder) or run.folder / saving.MERGED
        if not path.is_dir():
            saving.merge(run.folder, path, control, reporter.sentence)
    permit = permits.permit_of_run(run.folder, path, run.plan)
    return ModelFolder(path, f"run {run.id}", "run", permit=permit)


def _permitted(found: ModelFolder, home: Path) -> ModelFolder:
    """The folder with what the user allowed it; asks (by refusing) for what it cannot do without.

    Raises
    ------
    StudioError
        When its code or its pickles were not allowed.

    """
    repo, commit = (found.name, found.revision) if found.kind == "hub" else (None, None)
    questions.refuse_code(home, found.path, repo, commit)
    return replace(found, permit=permits.permit(home, found.path, repo, commit))


def _whose_code(folder: ModelFolder) -> str:
    origin, files = folder.permit.origin, folder.permit.code or {}
    said = f"{', '.join(sorted(files))} of {origin.named if origin else folder.name}"
    return f"Python code of the model runs, as you allowed: {said}."


def _load_tokenizer(folder: ModelFolder) -> tuple[Any, Any]:
    try:
        config = loading.config(folder.path, folder.permit)
        return config, loading.tokenizer(folder.path, folder.permit)
    except (OSError, ValueError) as error:
        raise problem_error(
            "model.unreadable",
            f"The model's tokenizer or config cannot be read: {str(error).rstrip('.')}. "
            "Download or save the model again, or choose another.",
            field="source",
        ) from error


def _warn_of_no_end(task: Task, reporter: Reporter) -> None:
    if task.writes and task.context.tokenizer.eos_token_id is None:
        reporter.warn(
            "tokenizer.no_eos",
            "The model's tokenizer has no end token, so the model cannot learn where an "
            "answer ends.",
        )
