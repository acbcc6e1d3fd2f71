"""A run that begins with what is warm is the run it would be cold, and takes it for itself."""

import hashlib
import json
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import Ear, ended, small
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from easymodel_nb.runlog.log import read_view
from easymodel_nb.train import taking, warming
from easymodel_nb.train.analytics import baselines
from easymodel_nb.train.control import Control
from easymodel_nb.train.manager import RunManager
from easymodel_nb.train.reporter import Unlogged
from easymodel_nb.train.requests import asked
from easymodel_nb.train.tasks.task import Task
from easymodel_nb.train.warm import KEEPER
from easymodel_nb.train.warming import make_warm
from easymodel_nb.workflow.document import Workflow

READY = "and its data are ready from before"
LEAST = {"epochs": 1, "subset_size": 24, "eval_size": 8, "max_length": 32}


@pytest.fixture(autouse=True)
def nothing_warm() -> Iterator[None]:
    """Before a test and after it nothing is held."""
    KEEPER.drop()
    yield
    KEEPER.drop()


def request_of(workflow: Workflow, node: str = "f1") -> dict[str, Any]:
    """What a run of the node asks."""
    return next(iter(asked(workflow, [node], None, []))).request


def trained(
    manager: RunManager, workflow: Workflow, at_first_step: Callable[[], None] = lambda: None
) -> tuple[Any, Ear]:
    """A run to its end, and what it told."""
    ear = Ear()
    ear.when(lambda event: event.type == "progress", at_first_step)
    run = manager.submit(workflow, "f1", on_event=ear)[0]
    ear.wait(ended)
    manager.wait(run.id)
    assert run.status == "finished", run.view
    return run, ear


def learned(run: Any) -> dict[str, str]:
    """A digest of each file of the trained model that holds numbers."""
    files = [*run.model_path.glob("*.safetensors")]
    assert files
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def chosen(run: Any) -> dict[str, Any]:
    """The plan, but for what names the run."""
    plan = json.loads((run.folder / "plan.json").read_text())
    return {name: value for name, value in plan.items() if name != "run_id"}


def no_token() -> None:
    """Nobody typed one."""


class Calls:
    """What a warm start need not do, counted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.models = self.texts = self.scored = 0
        load, tokenise = PreTrainedModel.from_pretrained.__func__, PreTrainedTokenizerBase.__call__
        baseline, key = Task.baseline, baselines.key
        self.keyed: list[Any] = []  # what else than model, settings and texts a baseline depends on

        def loading(cls: type, *args: Any, **kwargs: Any) -> Any:
            self.models += 1
            return load(cls, *args, **kwargs)

        def tokenising(tokenizer: Any, *args: Any, **kwargs: Any) -> Any:
            self.texts += 1
            return tokenise(tokenizer, *args, **kwargs)

        def measuring(task: Task, model: Any, prepared: Any, watch: Any) -> Any:
            self.scored += prepared.texts
            return baseline(task, model, prepared, watch)

        monkeypatch.setattr(PreTrainedModel, "from_pretrained", classmethod(loading))
        monkeypatch.setattr(PreTrainedTokenizerBase, "__call__", tokenising)

        def keying(*args: Any) -> str:
            self.keyed.append(args[-1])
            return key(*args)

        monkeypatch.setattr(Task, "baseline", measuring)
        monkeypatch.setattr(baselines, "key", keying)

    def found(self) -> tuple[int, int, int]:
        """Models read, calls of the tokenizer, texts of the base model; then it begins anew."""
        found = self.models, self.texts, self.scored
        self.models = self.texts = self.scored = 0
        return found


@pytest.mark.parametrize(
    "workflow",
    [
        small(**LEAST),
        small(**LEAST, method="lora"),
        small("builtin:intents", **LEAST, task="classification"),
    ],
    ids=["full", "lora", "head"],
)
def test_a_warm_run_is_the_cold_one_bit_for_bit_and_does_nothing_twice(
    manager: RunManager, monkeypatch: pytest.MonkeyPatch, workflow: Workflow
):
    calls, counted = Calls(monkeypatch), list[tuple[int, int, int]]()
    before = torch.get_rng_state()
    cold, told_cold = trained(manager, workflow, lambda: counted.append(calls.found()))
    torch.manual_seed(7)  # what the notebook drew meanwhile changes nothing
    state = torch.get_rng_state()
    assert make_warm(request_of(workflow), manager.home, no_token)
    assert torch.equal(torch.get_rng_state(), state)
    calls.found()
    warm, told = trained(manager, workflow, lambda: counted.append(calls.found()))
    torch.set_rng_state(before)
    models, texts, _ = counted[0]
    assert (models, texts > 1) == (1, True)
    # Read, tokenised and measured: nothing but the references' tokens, for the judges of a run.
    writes = workflow.nodes[2].data.get("task") != "classification"
    assert counted[1] == (0, 1, 0) if writes else counted[1][:2] == (0, 0)
    for others, run in zip(calls.keyed, (cold, warm), strict=False):
        rows = chosen(run)["dataset"]
        assert [rows["fingerprint"], rows["eval_fingerprint"]] in others
    assert any(READY in event.message for event in told.of("stage"))
    assert [e.loss for e in told.of("progress")] == [e.loss for e in told_cold.of("progress")]
    assert learned(warm) == learned(cold)
    assert chosen(warm) == chosen(cold)
    assert [e.problem for e in told.of("warning")] == [e.problem for e in told_cold.of("warning")]
    points = [read_view(run.folder).points for run in (cold, warm)]
    assert [p.analytics.perplexity for p in points[0]] == [
        p.analytics.perplexity for p in points[1]
    ]
    assert KEEPER.key is None


def test_it_is_let_go_of_by_a_run_of_something_else(tmp_path: Path):
    home, reporter = tmp_path, Unlogged(tmp_path, tmp_path)
    assert make_warm(request_of(small(**LEAST)), home, no_token)
    held = KEEPER._held
    assert held is not None
    model, ready = weakref.ref(held.model), weakref.ref(held.ready)
    del held
    other = request_of(small(**(LEAST | {"seed": 3})))
    assert taking.take(other, None, Control(home), reporter) is None
    assert (KEEPER.key, model(), ready()) == (None, None, None)


def test_a_model_that_is_large_for_the_memory_is_read_when_it_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    request = request_of(small(**LEAST))
    monkeypatch.setattr(warming, "free_bytes", lambda: 20_000_000)  # its weights take 14 MB
    assert make_warm(request, tmp_path, no_token)
    held = KEEPER._held
    assert held is not None
    assert held.model is None
    assert held.ready.prepared.train_rows
    KEEPER.drop()
    monkeypatch.setattr(warming, "free_bytes", lambda: 1_000)
    assert not make_warm(request, tmp_path, no_token)
    assert KEEPER.key is None


def test_nothing_is_made_warm_beside_a_run_nor_of_what_cannot_be_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert not make_warm(request_of(small(**LEAST)), tmp_path, no_token, busy=lambda: True)
    with monkeypatch.context() as elsewhere:  # of another home, in this process
        elsewhere.setattr(warming, "training_here", lambda: True)
        assert not make_warm(request_of(small(**LEAST)), tmp_path, no_token)
    broken = small(**LEAST, text_field="no such column")
    assert not make_warm(request_of(broken), tmp_path, no_token)
    assert KEEPER.key is None


def test_what_changes_while_it_is_made_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    rows = tmp_path / "rows.csv"
    rows.write_text("text\n" + "\n".join(f"a line of text, number {n}" for n in range(20)))
    load = warming.assemble

    def loading(*args: Any) -> Any:
        rows.write_text(rows.read_text() + "\nanother line")
        return load(*args)

    monkeypatch.setattr(warming, "assemble", loading)
    workflow = small(str(rows), **LEAST)
    assert not make_warm(request_of(workflow), tmp_path, no_token)
    monkeypatch.setattr(warming, "assemble", load)
    assert make_warm(request_of(workflow), tmp_path, no_token)
