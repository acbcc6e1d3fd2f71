"""Open values are filled with a reason; where the model is measured and reported."""

import math
import os
import time
from typing import Literal, get_args

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.environment import Device
from easymodel_nb.train import cores, planning, precision
from easymodel_nb.train.planning import Chooser
from easymodel_nb.train.splits import Splits
from easymodel_nb.train.tasks.generation import Generation
from easymodel_nb.workflow.document import FinetuneData, Scheduler

CPU = Device(kind="cpu", name="CPU, 2 cores", memory_bytes=1)
EPOCHS, STEPS = st.integers(1, 30), st.integers(1, 5000)


@given(EPOCHS, STEPS)
def test_measured_at_every_epoch_and_at_least_six_times_in_all(epochs: int, per_epoch: int):
    steps = planning.measured_steps(epochs, per_epoch)
    assert steps == sorted(set(steps))
    assert {epoch * per_epoch for epoch in range(1, epochs + 1)} <= set(steps)
    assert 1 <= steps[0] <= steps[-1] == epochs * per_epoch
    wanted = min(planning.MIN_POINTS, 1 + epochs * per_epoch)  # step 0 is one more
    assert 1 + len(steps) >= wanted
    if epochs >= planning.MIN_POINTS - 1:
        assert len(steps) == epochs  # enough without points in between


@given(st.integers(1, 1_000_000))
def test_progress_lines_are_chosen_by_step_number_alone(max_steps: int):
    if max_steps > 20_000:
        max_steps = 20_000 + max_steps % 1000
    steps = list(planning.progress_steps(max_steps))
    every = max(1, math.ceil(max_steps / 300))
    assert steps == sorted({1, max_steps, *range(every, max_steps + 1, every)})
    assert len(steps) <= 302


def filled(parameters: int = 3_500_000, device: Device = CPU, **data: object) -> Chooser:
    chooser = Chooser(FinetuneData(**data))
    planning.fill_training(
        chooser, rates=Generation.rates, parameters=parameters, device=device, rows=77
    )
    return chooser


def test_what_is_open_is_filled_and_every_choice_has_a_reason():
    chooser = filled(subset_size=None)
    data = chooser.data
    assert (data.subset_size, data.learning_rate, data.precision, data.gradient_checkpointing) == (
        77, 1e-3, "fp32", False,
    )  # fmt: skip
    assert {choice.field for choice in chooser.choices} == {
        "subset_size", "learning_rate", "precision", "gradient_checkpointing",
    }  # fmt: skip
    assert all(choice.reason for choice in chooser.choices)


def test_what_the_user_chose_is_kept():
    given_: dict[str, object] = {"subset_size": 5, "learning_rate": 3e-4, "precision": "fp32"}
    given_["gradient_checkpointing"] = True
    chooser = filled(**given_)
    assert chooser.choices == []
    assert chooser.data == FinetuneData(**given_)


@pytest.mark.parametrize(("slowdown", "used"), [(60.0, "fp32"), (0.5, "bf16")])
def test_bf16_on_a_cpu_is_tried_and_not_believed(
    slowdown: float, used: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(precision, "bf16_slowdown", lambda: slowdown)
    chooser = filled(precision="bf16")
    assert chooser.data.precision == used
    reasons = [c.reason for c in chooser.choices if c.field == "precision"]
    assert ["60 times" in reason for reason in reasons] == ([True] if used == "fp32" else [])


def test_how_much_slower_bf16_is_was_measured():
    assert precision.bf16_slowdown() > 0


@pytest.mark.parametrize(("kind", "device", "half"), [
    ("bf16", "cuda", "bfloat16"), ("fp16", "cuda", "float16"), ("fp32", "cuda", None),
    ("bf16", "cpu", None),
])  # fmt: skip
def test_the_base_model_is_measured_as_the_trained_one_is(
    kind: str, device: str, half: str | None, monkeypatch: pytest.MonkeyPatch
):
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr("torch.autocast", lambda *names: asked.append(tuple(map(str, names))))
    precision.measuring(kind, device)
    assert asked == ([(device, f"torch.{half}")] if half else [])


@pytest.mark.parametrize("kind", ["cpu", "mps"])
def test_fp16_needs_a_gpu_of_nvidia(kind: Literal["cpu", "mps"]):
    device = Device(kind=kind, name="it", memory_bytes=1)
    chooser = filled(device=device, precision="fp16")
    assert chooser.data.precision == "fp32"
    (reason,) = [c.reason for c in chooser.choices if c.field == "precision"]
    assert "fp16" in reason


@pytest.mark.parametrize("wanted", ["auto", "bf16"])
@pytest.mark.parametrize("has", [True, False])
def test_a_gpu_computes_in_bfloat16_where_it_can(
    wanted: str, *, has: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(precision, "_gpu_has_bfloat16", lambda: has)
    chooser = filled(device=Device(kind="cuda", name="T4", memory_bytes=1), precision=wanted)
    assert chooser.data.precision == ("bf16" if has else "fp16")


@pytest.mark.parametrize("scheduler", get_args(Scheduler))
def test_the_libraries_know_every_scheduler_of_the_document(scheduler: str):
    from torch import nn, optim
    from transformers import get_scheduler

    optimizer = optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0)
    steps = get_scheduler(scheduler, optimizer, num_warmup_steps=2, num_training_steps=10)
    rates = []
    for _ in range(10):
        rates.append(steps.get_last_lr()[0])
        optimizer.step()
        steps.step()
    assert max(rates) == 1.0
    assert (rates[-1] < 1.0) == (not scheduler.startswith("constant"))


@given(st.integers(1, 10**12), st.integers(1, 10**12))
def test_larger_models_learn_at_smaller_rates(small: int, large: int):
    small, large = sorted((small, large))
    rates = [filled(parameters=p).data.learning_rate or 0 for p in (small, large)]
    assert rates[0] >= rates[1] > 0


def test_no_text_is_longer_than_the_model():
    chooser = Chooser(FinetuneData(max_length=512))
    planning.fit_to_model(chooser, 1024)
    planning.fit_to_model(chooser, None)
    assert (chooser.data.max_length, chooser.choices) == (512, [])
    planning.fit_to_model(chooser, 128)
    assert chooser.data.max_length == 128
    assert "128 positions" in chooser.choices[0].reason


def test_the_splits_and_why():
    chooser = Chooser(FinetuneData())
    table = pa.table({"text": ["a", "b"]})
    planning.note_splits(chooser, Splits("train", table, None, None, "its name", "no other"))
    planning.note_splits(chooser, Splits("all", table, "test", table, None, "its name"))
    said = [(c.field, c.value, c.reason) for c in chooser.choices]
    assert said == [
        ("train_split", "train", "its name"),
        ("eval_split", None, "no other"),
        ("eval_split", "test", "its name"),
    ]


@pytest.mark.parametrize("busy", [0.0, 0.4, 0.6, 1.0])
def test_only_cores_that_nobody_keeps_busy_are_used(monkeypatch: pytest.MonkeyPatch, busy: float):
    # In ten seconds: what all cores did, of which this process did one.
    seen = iter([cores.Look(0.0, 0.0, 0.0), cores.Look(10.0, 10.0 * cpus() * busy + 1, 1.0)])
    monkeypatch.setattr(cores, "_last", [])
    monkeypatch.setattr(cores, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(cores, "look", lambda: next(seen))
    threads, reason = cores.free_cores()
    assert threads >= 1
    assert f"{threads} of" in reason
    if busy == 1:
        assert threads == 1


def test_a_load_that_was_looked_at_before_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    waited: list[float] = []
    monkeypatch.setattr(cores.time, "sleep", waited.append)
    monkeypatch.setattr(cores, "_last", [cores.look()._replace(at=time.monotonic() - 2)])
    cores.free_cores()
    assert waited == [0.0]
    monkeypatch.setattr(cores, "_last", [])
    cores.free_cores()
    assert waited[1] > 0


def cpus() -> int:
    """Of the machine."""
    return os.cpu_count() or 1
