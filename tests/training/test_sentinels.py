"""Runs that go wrong for real: told or ended with the reason, and NaN is never called finished."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_runs import small
from transformers import AutoModelForCausalLM

from easymodel_nb import builtin
from easymodel_nb.metrics.perplexity import IGNORED
from easymodel_nb.runlog.run import Run
from easymodel_nb.train.api import train
from easymodel_nb.train.callbacks import checkpoints
from easymodel_nb.train.finite import broken_weight
from easymodel_nb.train.tally import SummedLoss
from easymodel_nb.train.tasks.generation import Generation
from easymodel_nb.widgets.cards import card

SHORT = {"subset_size": 24, "eval_size": 8, "epochs": 6, "max_length": 32}  # 3 steps an epoch


def run_of(**finetune: Any) -> Run:
    (run,) = train(small(**SHORT | finetune))
    return run


def signs(run: Run) -> dict[str, Any]:
    return {w.code: w for w in run.view.warnings if w.code.startswith("sentinel.")}


def changed_loss(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[torch.Tensor, int], torch.Tensor]
) -> None:
    """Change the loss of each training batch; they are counted from 1."""
    real, batches = SummedLoss.__call__, [0]

    def loss(self: SummedLoss, total: torch.Tensor, *args: Any) -> torch.Tensor:
        batches[0] += 1
        return real(self, change(total, batches[0]), *args)

    monkeypatch.setattr(SummedLoss, "__call__", loss)


def test_a_learning_rate_that_is_far_too_high():
    """The weights become NaN by themselves.

    The decay of the weights makes them a hundred times as large each step, on any machine.
    """
    run = run_of(learning_rate=10, scheduler="constant", epochs=20, weight_decay=10)
    view = run.view
    assert (view.status, view.reason) == ("stopped", "sentinel"), view.detail
    assert view.summary["steps"] < view.max_steps
    problem = signs(run)["sentinel.nan"]
    assert (problem.severity, problem.node, problem.field) == ("error", "f1", "learning_rate")
    assert problem.fix is not None
    assert [c.value for c in problem.fix.set or []] == [1.0]
    assert str(card(view, []).reason).startswith(problem.message)
    if run.model_path is not None:  # a checkpoint of the first epochs was still whole
        model = AutoModelForCausalLM.from_pretrained(run.model_path)
        assert broken_weight(model) is None


def test_what_the_last_whole_checkpoint_holds_is_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checkpoints, "SECONDS", 0)  # one a step
    changed_loss(monkeypatch, lambda loss, batch: loss * (math.nan if batch == 6 else 1))
    run = run_of()
    view = run.view
    assert (view.status, view.reason) == ("stopped", "sentinel"), view.detail
    assert view.summary["kept_step"] == 5
    assert view.summary["steps"] == 6
    assert view.summary["kept_epoch"] == pytest.approx(5 / 3, abs=1e-3)
    assert "step 5" in signs(run)["sentinel.kept"].message
    assert run.model_path is not None
    saved = load_file(run.model_path / "model.safetensors")
    (last,) = (c["path"] for c in view.checkpoints if c["step"] == 5)
    kept = load_file(run.folder / last / "model.safetensors")
    assert all(torch.equal(saved[name], kept[name]) for name in kept)
    assert all(torch.isfinite(weight).all() for weight in saved.values())
    assert max(c["step"] for c in view.checkpoints) == 5  # none of broken weights


def test_nothing_is_kept_where_no_checkpoint_is_whole(monkeypatch: pytest.MonkeyPatch):
    changed_loss(monkeypatch, lambda loss, _: loss * math.inf)
    run = run_of()
    assert (run.status, run.view.reason) == ("stopped", "sentinel")
    assert run.model_path is None
    assert run.view.checkpoints == []
    assert [p.epoch for p in run.view.points] == [0]  # nothing is measured with it


def test_it_breaks_in_the_very_last_step(monkeypatch: pytest.MonkeyPatch):
    changed_loss(monkeypatch, lambda loss, batch: loss * (math.nan if batch == 3 else 1))
    run = run_of(epochs=1)
    assert (run.status, run.view.reason) == ("stopped", "sentinel")
    assert run.model_path is None


def test_a_loss_of_exactly_0(monkeypatch: pytest.MonkeyPatch):
    changed_loss(monkeypatch, lambda loss, _: loss * 0)
    run = run_of()
    assert (run.status, run.view.reason) == ("stopped", "sentinel")
    assert signs(run)["sentinel.zero"].field == "target_field"
    assert run.view.step < run.view.max_steps


def test_every_label_masked(monkeypatch: pytest.MonkeyPatch):
    real = Generation.collate

    def masked(task: Generation, examples: Any) -> Any:
        batch = real(task, examples)
        return {**batch, "labels": torch.full_like(batch["labels"], IGNORED)}

    monkeypatch.setattr(Generation, "collate", masked)
    run = run_of()
    assert (run.status, run.view.reason) == ("stopped", "sentinel"), run.view.detail
    problem = signs(run)["sentinel.masked"]
    assert "masked" in problem.message
    assert problem.field == "target_field"
    assert {line.loss for line in run.view.curve} == {None}  # a loss of nothing is no number
    assert run.model_path is not None  # its weights are whole: 0 / 0 did not reach them


def test_gradients_that_explode_once(monkeypatch: pytest.MonkeyPatch):
    changed_loss(monkeypatch, lambda loss, batch: loss * (1e6 if batch == 14 else 1))
    run = run_of()
    assert run.status == "finished", run.view.detail
    problem = signs(run)["sentinel.gradients"]
    assert "step 14" in problem.message
    assert problem.field == "learning_rate"


def test_nothing_improves():
    run = run_of(learning_rate=1e-9)
    assert run.status == "finished"
    problem = signs(run)["sentinel.flat"]
    assert problem.fix is not None
    assert [c.value for c in problem.fix.set or []] == [1e-8]
    assert "may be too low" in problem.message


def test_a_model_folder_with_broken_weights(tmp_path: Path):
    source = builtin.path("tiny-gpt2")
    for path in source.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    file = tmp_path / "model.safetensors"
    weights = load_file(file)
    name = next(name for name in weights if name.endswith("mlp.c_fc.weight"))
    weights[name][0, 0] = math.nan
    save_file(weights, file, metadata={"format": "pt"})
    (run,) = train(small(model=str(tmp_path)))
    problem = run.view.problem
    assert run.status == "failed"
    assert problem is not None
    assert (problem.code, problem.node, problem.field) == ("model.broken", "m1", "source")
    assert name in problem.message
    assert run.view.points == []


def test_an_ordinary_run_is_told_nothing():
    assert signs(run_of(epochs=4)) == {}
