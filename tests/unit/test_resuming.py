"""What an attempt begins with: the device it is on, and the answers that still count."""

from pathlib import Path

import pytest

from easymodel_nb.environment import Device
from easymodel_nb.train import precision
from easymodel_nb.train.analytics.store import SAMPLES, keep
from easymodel_nb.train.checkpoints import identity
from easymodel_nb.train.plan import Choice, DatasetPlan, ModelPlan, RunPlan
from easymodel_nb.train.resuming import moved, unfit
from easymodel_nb.workflow.document import FinetuneData


def plan(**finetune: object) -> RunPlan:
    return RunPlan(
        run_id="r1",
        node_id="f1",
        request={},
        task="generation",
        method="full",
        finetune=FinetuneData(**finetune),
        model=ModelPlan(
            source="m", name="m", kind="local", path="m", architecture="GPT2", parameters=9
        ),
        dataset=DatasetPlan(
            source="d", name="d", kind="local", fingerprint="x", train_split="train",
            train_rows=9, eval_rows=1,
        ),
        epochs=1,
        train_examples=9,
        steps_per_epoch=3,
        max_steps=3,
        eval_steps=[3],
        sample_prompts=1,
        max_new_tokens=4,
        device="Tesla T4",
        choices=[Choice(field="precision", value="bf16", reason="Tesla T4 computes in it")],
    )  # fmt: skip


def test_a_run_that_moves_to_another_device_says_so_and_keeps_its_checkpoints(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(precision, "bf16_slowdown", lambda: 60.0)
    began = plan(precision="bf16")
    there, told = moved(began, Device(kind="cpu", name="this CPU", memory_bytes=1))
    assert (there.finetune.precision, there.device) == ("fp32", "this CPU")
    assert [choice.value for choice in there.choices] == ["fp32"]
    assert "began on Tesla T4 and goes on with this CPU, in 32 bits instead of bf16" in told.message
    assert identity(there) == identity(began)
    there, _ = moved(began, Device(kind="cuda", name="L4", memory_bytes=1))
    assert there.finetune.precision == "bf16"


def test_checkpoints_belong_to_what_the_steps_depend_on():
    began = plan(batch_size=8)
    smaller = plan(batch_size=4, gradient_accumulation=2, gradient_checkpointing=True)
    assert identity(smaller) == identity(began)
    assert identity(plan(batch_size=8, learning_rate=1.0)) != identity(began)
    assert identity(plan(batch_size=8, seed=1)) != identity(began)
    other = began.model_copy(update={"run_id": "r2"})
    assert identity(other) != identity(began)


def test_answers_of_later_steps_and_torn_ones_go(tmp_path: Path):
    path = tmp_path / SAMPLES
    lines = [f'{{"step": {step}, "text": "\u2028 {step}"}}\n' for step in (0, 0, 5, 10)]
    torn = '{"step": 5, "text": "\u00fc'.encode()[:-1]  # within a letter
    path.write_bytes("".join(lines).encode() + torn)
    keep(tmp_path, {0, 5})
    assert path.read_text(encoding="utf-8") == "".join(lines[:3])
    keep(tmp_path / "nowhere", {0})


@pytest.mark.parametrize(("slowdown", "kept"), [(60.0, False), (0.2, True)])
def test_a_run_in_bf16_goes_on_so_where_the_cpu_is_good_at_it(
    slowdown: float, *, kept: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(precision, "bf16_slowdown", lambda: slowdown)
    cpu = Device(kind="cpu", name="this CPU", memory_bytes=1)
    began = plan(precision="bf16")
    assert unfit(began, cpu) is not kept
    there, told = moved(began, cpu)
    assert there.finetune.precision == ("bf16" if kept else "fp32")
    assert ("in 32 bits" in told.message) is not kept
    assert unfit(plan(precision="fp16"), cpu)
    assert not unfit(plan(precision="fp32"), cpu)
