"""Runs that train the used rows of an embedding alone are the runs that train all of them."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as tf
from cutting import Cut, cut_within, prepared, told, workflow
from safetensors.torch import load_file

from easymodel_nb import environment
from easymodel_nb.runlog.run import Run
from easymodel_nb.train import fit, methods, planning
from easymodel_nb.train.assembly import assemble
from easymodel_nb.train.callbacks import checkpoints as when
from easymodel_nb.train.control import Control
from easymodel_nb.train.embedding import choosing
from easymodel_nb.train.fitting.sizes import least_bytes, most_bytes
from easymodel_nb.train.manager import RunManager
from easymodel_nb.train.plan import EmbeddingPlan, RunPlan
from easymodel_nb.train.preparation import prepare
from easymodel_nb.train.reporter import Unlogged
from easymodel_nb.train.trainer import LeanTrainer

TASKS = ("classification", "token_classification")
WORDS = 2000  # of the models, whose tokenizers know fewer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = prepared(tmp_path_factory.mktemp("tasks"))
    for task in TASKS:
        _grow(made / task, WORDS)
    return made


def _grow(model: Path, words: int) -> None:
    torch.manual_seed(0)
    loaded = tf.AutoModel.from_pretrained(model)
    loaded.resize_token_embeddings(words)
    loaded.save_pretrained(model)


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint after each step and a line after every third, as in a long, slow run."""
    monkeypatch.setattr(when, "SECONDS", -1.0)
    monkeypatch.setattr(planning, "progress_steps", lambda steps: (1, *range(3, steps + 1, 3)))


def train(manager: RunManager, folder: Path, task: str = "classification", **fields: Any) -> Run:
    (run,) = manager.submit(workflow(folder, task, **fields))
    manager.wait(run.id)
    return run


def plan_of(run: Run) -> RunPlan:
    plan = RunPlan.read(run.folder)
    assert plan is not None
    return plan


def weights(path: Path) -> torch.Tensor:
    found = load_file(path / "model.safetensors")
    return next(w for name, w in found.items() if name.endswith("word_embeddings.weight"))


def states(run: Run) -> list[tuple[int, ...]]:
    """The shapes of what the optimizer knows, in the last checkpoint."""
    last = max(run.folder.glob("checkpoints/*/optimizer.pt"), key=lambda path: path.stat().st_mtime)
    saved = torch.load(last, weights_only=True)["state"].values()
    return [tuple(state["exp_avg"].shape) for state in saved]


@pytest.mark.parametrize(
    ("task", "more"),
    [("classification", {}), ("token_classification", {"early_stopping": 1, "epochs": 6})],
)
def test_a_run_of_used_rows_is_the_run_of_all(
    manager: RunManager,
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    task: str,
    more: dict[str, Any],
):
    run = train(manager, folder, task, weight_decay=0.01, **more)
    plan = plan_of(run)
    used = plan.embedding.rows
    assert run.status == "finished", run.view.detail
    assert used is not None
    assert 5 < used < 40
    choice = next(choice for choice in plan.choices if choice.field == "embedding")
    assert choice.value == f"{used} of 2,000 rows"
    assert "weight decay" in choice.reason
    assert (used, 32) in states(run)
    monkeypatch.setattr(choosing, "_SHARE", 0.0)
    whole = train(manager, folder, task, weight_decay=0.01, **more)
    assert run.view.summary.get("kept_step") == whole.view.summary.get("kept_step")
    assert plan_of(whole).embedding == EmbeddingPlan()
    assert "embedding" not in {choice.field for choice in plan_of(whole).choices}
    assert (WORDS, 32) in states(whole)
    curve, expected = run.view.curve, whole.view.curve
    assert [p.loss for p in curve] == pytest.approx([p.loss for p in expected], rel=1e-4)
    assert [p.grad_norm for p in curve] == pytest.approx([p.grad_norm for p in expected], rel=1e-3)
    one, other = (weights(found.folder / "model") for found in (run, whole))
    assert torch.allclose(one, other, atol=1e-4)
    assert torch.equal(one[WORDS // 2 :], other[WORDS // 2 :])  # shrunk alike
    assert not torch.equal(one[WORDS // 2 :], weights(folder / task)[WORDS // 2 :])


def test_a_token_of_measured_rows_alone_keeps_its_row(manager: RunManager, tmp_path: Path):
    folder = prepared(tmp_path / "tasks")
    _grow(folder / "classification", WORDS)
    held = folder / "classification-data" / "validation.jsonl"
    row = {"text": "red zebra", "label": "dim"}
    held.write_text(held.read_text() + json.dumps(row) + "\n", encoding="utf-8")
    run = train(manager, folder)
    assert run.status == "finished", run.view.detail
    tokenizer = tf.AutoTokenizer.from_pretrained(folder / "classification")
    train_text = (folder / "classification-data" / "train.jsonl").read_text(encoding="utf-8")
    seen = {
        token
        for line in train_text.splitlines()
        for token in tokenizer(json.loads(line)["text"])["input_ids"]
    }
    alone = set(tokenizer(row["text"])["input_ids"]) - seen
    assert alone
    first, last = weights(folder / "classification"), weights(run.folder / "model")
    changed = set((first != last).any(dim=1).nonzero().flatten().tolist())
    assert changed == seen
    assert torch.equal(first[sorted(alone)], last[sorted(alone)])


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("task", TASKS)
def test_a_run_that_was_cut_off_goes_on_with_them(
    manager: RunManager, monkeypatch: pytest.MonkeyPatch, folder: Path, task: str
):
    whole = train(manager, folder, task, weight_decay=0.01)
    with monkeypatch.context() as patched:
        cut_within(patched, 8)
        run = train(manager, folder, task, weight_decay=0.01)
    assert Cut.__name__ in run.view.problem.message
    manager.resume(run.id)
    assert manager.wait(run.id).status == "finished", run.view.detail
    assert run.view.resumed_from == 8
    joined = told(run)
    for part, value in told(whole).items():
        assert joined[part] == value, part


@pytest.mark.usefixtures("often")
def test_a_plan_of_before_goes_on_with_all_rows(
    manager: RunManager, monkeypatch: pytest.MonkeyPatch, folder: Path
):
    with monkeypatch.context() as patched:
        patched.setattr(choosing, "_SHARE", 0.0)
        whole = train(manager, folder)
        cut_within(patched, 8)
        run = train(manager, folder)
    path = run.folder / "plan.json"
    plan = json.loads(path.read_text(encoding="utf-8"))
    del plan["embedding"]
    path.write_text(json.dumps(plan), encoding="utf-8")
    manager.resume(run.id)
    assert manager.wait(run.id).status == "finished", run.view.detail
    assert (WORDS, 32) in states(run)
    assert told(run)["weights"] == told(whole)["weights"]


@pytest.mark.usefixtures("often")
def test_other_tokens_than_it_began_with_are_refused(
    manager: RunManager, monkeypatch: pytest.MonkeyPatch, folder: Path
):
    with monkeypatch.context() as patched:
        cut_within(patched, 8)
        run = train(manager, folder)
    path = run.folder / "plan.json"
    plan = json.loads(path.read_text(encoding="utf-8"))
    plan["embedding"]["ids"] = "another"
    path.write_text(json.dumps(plan), encoding="utf-8")
    manager.resume(run.id)
    assert manager.wait(run.id).status == "failed"
    assert run.view.problem.code == "resume.tokens_changed"
    assert "tokenizer" in run.view.problem.message


@pytest.mark.usefixtures("often")
def test_smaller_batches_after_memory_ran_out(
    manager: RunManager, monkeypatch: pytest.MonkeyPatch, folder: Path
):
    inner, full = LeanTrainer.training_step, list[int]()

    def training_step(self: LeanTrainer, model: Any, inputs: Any, *args: Any) -> Any:
        if self.args.per_device_train_batch_size > 1 and self.state.global_step == 4:
            full.append(self.state.global_step)
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return inner(self, model, inputs, *args)

    monkeypatch.setattr(LeanTrainer, "training_step", training_step)
    run = train(manager, folder)
    assert run.status == "finished", run.view.detail
    assert full == [4]
    assert [event["step"] for event in run.view.resumed] == [4]
    plan = plan_of(run)
    assert plan.finetune.batch_size == 1
    assert (plan.embedding.rows, 32) in states(run)


@pytest.mark.parametrize("all_rows", [False, True])
def test_the_fit_check_measures_them_and_leaves_the_model_as_it_was(
    *, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, all_rows: bool
):
    words, width = 300_000, 32
    folder = prepared(tmp_path / "tasks")
    _grow(folder / "classification", words)
    if all_rows:
        monkeypatch.setattr(choosing, "_SHARE", 0.0)
    device = environment.device(ask_torch=True)
    home = tmp_path / "home"
    reporter, control = Unlogged(home, tmp_path), Control(tmp_path)
    nodes = workflow(folder, "classification").nodes[:3]
    model_node, dataset, node = (n.model_dump(mode="json") for n in nodes)
    request = {"name": "", "node": node, "model": model_node, "dataset": dataset}
    ready = prepare(request, lambda: None, control, reporter)
    least = least_bytes(ready)
    model = assemble(ready, device, control, reporter)
    assert (ready.chooser.embedding.rows is None) is all_rows
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    found = fit.measure(ready, model, device, control, reporter, load_seconds=0.0)
    assert isinstance(found, fit.Measurement)
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, before[name]), name
    embedding = 4 * words * width
    whole = 4 * methods.sizes(model)[0]
    state = found.memory_bytes - whole
    most = most_bytes(ready, model)
    assert least is not None
    assert most is not None
    if all_rows:
        assert state >= 3 * embedding
        assert most >= 4 * embedding
        assert least >= 4 * embedding
    else:
        assert state < 1.5 * embedding
        assert embedding < most < 2 * embedding
        assert embedding < least < 1.5 * embedding
        assert least < found.memory_bytes
