"""Which epoch is the best, when patience ends, and where its weights are kept."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from easymodel_nb.measured import Measured
from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.runlog.log import new_run
from easymodel_nb.runlog.view import EpochPoint, RunView
from easymodel_nb.train import checkpoints, kept_weights
from easymodel_nb.train.callbacks.early_stopping import EarlyStopping
from easymodel_nb.train.kept_weights import KeptWeights
from easymodel_nb.train.plan import RunPlan
from easymodel_nb.train.reporter import Unlogged
from easymodel_nb.workflow.document import FinetuneData

STEPS = 10  # an epoch


class Small(torch.nn.Module):
    """A model that tells its epochs apart."""

    def __init__(self) -> None:
        super().__init__()
        self.learned = torch.nn.Parameter(torch.zeros(3))
        self.frozen = torch.nn.Parameter(torch.ones(2), requires_grad=False)

    def at(self, step: int) -> None:
        with torch.no_grad():
            self.learned.fill_(step)

    @property
    def step(self) -> int:
        return int(self.learned[0])


@pytest.fixture
def reporter(tmp_path: Path) -> Unlogged:
    return Unlogged(tmp_path, new_run(tmp_path))


def point(task: str, value: float | None) -> Analytics:
    measured = Measured(value=value) if value is not None else Measured.missing("not this time")
    if task in {"generation", "seq2seq"}:
        return Analytics(perplexity={"validation": measured}, task={"loss": Measured(value=1.0)})
    names = {"classification": "macro_f1", "token_classification": "f1", "tags": "accuracy"}
    more = {"macro_f1": Measured(value=0.5)} if task == "tags" else {}
    return Analytics(task={**more, names[task]: measured})


def watch(reporter: Unlogged, task: str, patience: int | None, epochs: int = 9) -> Any:
    name = "token_classification" if task == "tags" else task
    data = FinetuneData(task=name, early_stopping=patience, epochs=epochs)
    plan = RunPlan.model_construct(
        node_id="f1", task=name, finetune=data, steps_per_epoch=STEPS, max_steps=STEPS * epochs
    )
    model = Small()
    return SimpleNamespace(model=model, stopping=EarlyStopping(plan, model, reporter))


def go(found: Any, task: str, values: list[float | None], first: int = 1) -> int:
    """Train until it stops; the epoch it stopped after, or the last."""
    for epoch, value in enumerate(values, first):
        step = epoch * STEPS
        found.model.at(step)
        found.stopping.point(step - 3, epoch - 0.3, point(task, 0.0))  # within an epoch: no say
        found.stopping.point(step, epoch, point(task, value))
        control = SimpleNamespace(should_training_stop=False)
        found.stopping.on_log(None, None, control)
        found.stopping.on_epoch_end(None, None, control)
        if control.should_training_stop:
            return epoch
    return first + len(values) - 1


@pytest.mark.parametrize(
    ("task", "values", "patience", "stops", "kept"),
    [
        ("generation", [9, 8, 7, 7.5, 7.2, 6], 2, 5, 3),  # perplexity: lower is better
        ("seq2seq", [9, 9.5, 8, 9, 9], 2, 5, 3),
        ("classification", [0.2, 0.5, 0.4, 0.3, 0.9], 2, 4, 2),  # F1: higher is better
        ("token_classification", [0.5, 0.5, 0.6], 1, 2, 1),  # the first of equals
        ("tags", [0.9, 0.8, 0.7], 1, 2, 1),  # parts of speech: accuracy
        ("generation", [9, 8, 7], 5, 3, 3),  # never
        ("generation", [9, None, None, 5], 2, 3, 1),  # not measured is not better
        ("generation", [None, None, 9, 10], 1, 4, 3),  # nothing to judge by yet
    ],
)
def test_the_best_epoch_and_when_it_ends(
    reporter: Unlogged,
    task: str,
    values: list[float | None],
    patience: int,
    stops: int,
    kept: int,
):
    found = watch(reporter, task, patience)
    assert go(found, task, values) == stops
    summary = found.stopping.restore(stops * STEPS)
    assert (summary["kept_epoch"], summary["kept_step"]) == (kept, kept * STEPS)
    assert summary["stopped_early"] == (stops < len(values) or found.stopping.over)
    assert found.model.step == kept * STEPS
    assert found.model.frozen.tolist() == [1, 1]


def test_nobody_asked_for_it(reporter: Unlogged):
    found = watch(reporter, "generation", None)
    assert go(found, "generation", [1, 2, 3, 4, 5]) == 5
    assert found.stopping.restore(50) == {}
    assert found.model.step == 50
    assert not (reporter.folder / kept_weights.FOLDER).exists()


def test_patience_that_ends_with_the_run_is_no_early_stop(reporter: Unlogged):
    found = watch(reporter, "generation", 2, epochs=4)
    go(found, "generation", [9, 8, 9, 9])
    assert found.stopping.restore(40)["stopped_early"] is False
    assert found.model.step == 20


def before(values: list[float]) -> RunView:
    return RunView(
        points=[
            EpochPoint(step=n * STEPS, epoch=n, analytics=point("generation", v))
            for n, v in enumerate(values)
        ]
    )


@pytest.mark.parametrize("cut", [1, 2, 3, 4])
def test_an_interrupted_run_goes_on_as_if_it_had_not_been(reporter: Unlogged, cut: int):
    values = [9.0, 7.0, 8.0, 8.0, 8.0]
    first = watch(reporter, "generation", 3)
    go(first, "generation", values[:cut])
    again = watch(reporter, "generation", 3)  # another process: it has the log and the disk
    again.stopping.recall(before([20.0, *values[:cut]]), cut * STEPS)
    assert go(again, "generation", values[cut:], cut + 1) == 5
    assert again.stopping.restore(50)["kept_epoch"] == 2
    assert again.model.step == 20


def test_going_back_to_an_older_checkpoint_finds_the_best_of_its_time(reporter: Unlogged):
    go(watch(reporter, "generation", 3), "generation", [9, 7, 6])
    again = watch(reporter, "generation", 3)
    again.stopping.recall(before([20.0, 9.0, 7.0, 6.0]), 2 * STEPS)  # epoch 3 does not count
    again.stopping.restore(3 * STEPS)
    assert again.model.step == 20


def test_weights_that_went_with_their_process_are_told(reporter: Unlogged):
    found = watch(reporter, "generation", 2)
    found.stopping.recall(before([20.0, 9.0, 7.0]), 20)
    assert [w.code for w in reporter.warnings] == ["early_stopping.lost"]
    assert go(found, "generation", [8, 9, 10], 3) == 5
    assert found.stopping.restore(50)["kept_epoch"] == 3


def test_only_what_is_trained_is_kept_and_no_more_than_two(reporter: Unlogged):
    found = watch(reporter, "generation", 2)
    go(found, "generation", [9, 8, 7, 6])
    root = reporter.folder / kept_weights.FOLDER
    assert sorted(p.name for p in root.iterdir()) == ["step-30", "step-40"]
    assert all(p.stat().st_size < 200 for p in root.rglob("*.safetensors"))
    kept_weights.clear(reporter.folder)
    assert not root.exists()


def test_without_room_on_the_disk_they_are_kept_in_memory(
    reporter: Unlogged, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(checkpoints, "room", lambda _: 10)
    model = Small()
    weights = KeptWeights(model, reporter)
    for step in (10, 20):
        model.at(step)
        weights.keep(step)
    assert weights.place == "memory"
    assert [w.code for w in reporter.warnings] == ["early_stopping.memory"]  # once
    assert (weights.has(10), weights.has(20)) == (False, True)
    model.at(99)
    weights.restore(20)
    assert model.step == 20


def test_a_disk_that_fills_up_while_they_are_written(
    reporter: Unlogged, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept_weights, "save_weights", full)
    model = Small()
    model.at(10)
    weights = KeptWeights(model, reporter)
    weights.keep(10)
    model.at(99)
    weights.restore(10)
    assert model.step == 10
    assert "No space left" in reporter.warnings[0].message
