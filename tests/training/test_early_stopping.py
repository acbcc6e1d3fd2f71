"""Early stopping in real runs: the model that is saved is the one of the best epoch."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from small_runs import Ear, ended, small

from easymodel_nb.measured import Measured
from easymodel_nb.runlog.run import Run
from easymodel_nb.train.api import train
from easymodel_nb.train.callbacks import early_stopping
from easymodel_nb.train.callbacks.early_stopping import EarlyStopping
from easymodel_nb.train.kept_weights import FOLDER, KeptWeights
from easymodel_nb.train.manager import RunManager
from easymodel_nb.widgets.cards import card

SHORT = {"subset_size": 24, "eval_size": 8, "max_length": 32, "epochs": 7}  # 3 steps an epoch
JUDGED = [9.0, 7.0, 8.0, 8.5, 5.0, 5.0, 5.0]  # epoch 2 is the best when patience ends
Weights = dict[str, torch.Tensor]


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> dict[int, Weights]:
    """The epochs are judged as JUDGED says; what the model learned by each of them."""
    by_epoch: dict[int, Weights] = {}
    real = EarlyStopping._judge

    def judge(found: EarlyStopping, step: int, analytics: Any) -> bool:
        epoch, within = divmod(step, 3)
        if epoch and not within:
            trained = found._model.named_parameters()
            by_epoch[epoch] = {n: w.detach().clone() for n, w in trained if w.requires_grad}
            value = Measured(value=JUDGED[epoch - 1])
            monkeypatch.setattr(early_stopping, "measured_at", lambda *_: value)
        return real(found, step, analytics)

    monkeypatch.setattr(EarlyStopping, "_judge", judge)
    return by_epoch


def run_of(**finetune: Any) -> Run:
    (run,) = train(small(**SHORT | finetune))
    return run


def test_the_best_epoch_is_what_is_saved(judged: dict[int, Weights]):
    run = run_of(early_stopping=2)
    view = run.view
    assert view.status == "finished", view.detail
    summary = view.summary
    assert (summary["stopped_early"], summary["kept_epoch"], summary["kept_step"]) == (True, 2, 6)
    assert (summary["steps"], view.max_steps) == (12, 21)
    assert [p.epoch for p in view.points if float(p.epoch).is_integer()] == [0, 1, 2, 3, 4]
    assert run.model_path is not None
    saved = load_file(run.model_path / "model.safetensors")
    assert all(torch.equal(saved[name], judged[2][name]) for name in saved)
    assert not torch.equal(judged[2]["transformer.wte.weight"], judged[4]["transformer.wte.weight"])
    assert view.samples[-1]["epoch"] == 2  # the answers are of the model that is kept
    assert not (run.folder / FOLDER).exists()
    assert "epoch 2 is kept" in (card(view, []).headline or "")


def test_of_adapters_only_the_adapters(judged: dict[int, Weights], monkeypatch: pytest.MonkeyPatch):
    kept: list[tuple[int, int]] = []
    real = KeptWeights.keep

    def keep(found: KeptWeights, step: int) -> None:
        real(found, step)
        (file,) = (found._root / f"step-{step}").glob("*.safetensors")
        kept.append((step, len(load_file(file))))

    monkeypatch.setattr(KeptWeights, "keep", keep)
    run = run_of(early_stopping=2, method="lora", lora_rank=4)
    assert run.status == "finished", run.view.detail
    assert run.view.summary["kept_epoch"] == 2
    assert kept == [(3, len(judged[1])), (6, len(judged[2]))]
    assert all("lora_" in name for name in judged[2])
    assert run.model_path is not None
    saved = load_file(run.model_path / "adapter" / "adapter_model.safetensors")
    learned = {name.replace(".default.", "."): weight for name, weight in judged[2].items()}
    assert saved.keys() == learned.keys()
    assert all(torch.equal(saved[name], weight) for name, weight in learned.items())


def test_a_stopped_run_keeps_its_best_epoch_and_goes_on_exactly(
    judged: dict[int, Weights], manager: RunManager
):
    """Stopped after epoch 3 and resumed: the same end as without."""
    ear = Ear()
    ear.when(lambda e: e.type == "epoch" and e.epoch == 3, manager.stop)
    (run,) = manager.submit(small(**SHORT | {"early_stopping": 2}), on_event=ear)
    assert ear.wait(ended).type == "run_stopped"
    manager.wait(run.id, timeout=60)
    assert run.view.summary["kept_epoch"] == 2
    assert run.model_path is not None
    saved = load_file(run.model_path / "model.safetensors")
    assert all(torch.equal(saved[name], judged[2][name]) for name in saved)
    before = dict(judged)
    manager.resume(run.id)
    view = manager.wait(run.id, timeout=120).view
    assert view.status == "finished", view.detail
    assert view.summary["kept_epoch"] == 2
    assert view.summary["steps"] == 12
    saved = load_file(Path(run.model_path) / "model.safetensors")
    assert all(torch.equal(saved[name], before[2][name]) for name in saved)


def test_by_its_own_numbers():
    """Whatever the numbers are: the kept epoch is the one of the lowest perplexity."""
    run = run_of(early_stopping=1, learning_rate=3e-2, epochs=5)
    view = run.view
    assert view.status == "finished", view.detail
    rows = [row for row in run.metric_rows() if row["epoch"] > 0]
    best = min(rows, key=lambda row: row["perplexity.validation"])
    assert view.summary["kept_epoch"] == best["epoch"]
    assert view.summary["stopped_early"] == (len(rows) < 5)
    assert len(rows) in {5, best["epoch"] + 1}
