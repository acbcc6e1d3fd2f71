"""Lean steps are the Trainer's steps, bit for bit, and leave nothing on the model."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.utils import clip_grad_norm_
from transformers import GPT2Config, GPT2LMHeadModel, PrinterCallback, TrainerCallback
from transformers import TrainingArguments as Arguments

from easymodel_nb.metrics.perplexity import eval_mode
from easymodel_nb.train.batches.layout import Layout
from easymodel_nb.train.batches.orders import Given
from easymodel_nb.train.lean import _clipped
from easymodel_nb.train.plan import BatchPlan, HeadPlan
from easymodel_nb.train.planning import Chooser
from easymodel_nb.train.tally import Clock, SummedLoss
from easymodel_nb.train.tasks.generation import Generation
from easymodel_nb.train.tasks.task import Context, Example
from easymodel_nb.train.trainer import LeanTrainer
from easymodel_nb.workflow.document import FinetuneData

WORDS, STEPS, ROWS, MICRO = 50, 4, 3, 2


class _Measures(TrainerCallback):
    """Reads the model in eval mode after the second step, as a measuring point does."""

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        if state.global_step == 2:
            with eval_mode(kwargs["model"]), torch.no_grad():
                kwargs["model"](torch.ones(1, 3, dtype=torch.long))


def _trained(folder: Path, *, lean: bool, frozen: bool = False) -> tuple[Any, SummedLoss]:
    torch.manual_seed(0)
    sizes: dict[str, Any] = {"n_layer": 1, "n_head": 2, "n_embd": 8, "n_positions": 32}
    ends: dict[str, Any] = {"bos_token_id": 1, "eos_token_id": 2}
    model: Any = GPT2LMHeadModel(GPT2Config(vocab_size=WORDS, **sizes, **ends))  # with dropout
    model.transformer.wpe.weight.requires_grad = not frozen
    task = Generation(Context(Chooser(FinetuneData()), None, None))  # type: ignore[arg-type]
    ids = torch.randint(3, WORDS, (STEPS * MICRO * ROWS, 9)).tolist()
    arguments = Arguments(
        output_dir=str(folder), per_device_train_batch_size=ROWS, max_steps=STEPS, use_cpu=True,
        gradient_accumulation_steps=MICRO, learning_rate=0.01, report_to="none", seed=1,
        disable_tqdm=True, remove_unused_columns=False, save_strategy="no", logging_strategy="no",
    )  # fmt: skip
    loss = SummedLoss()
    trainer = LeanTrainer(
        task,
        Clock(),
        HeadPlan(at="targets"),
        Layout(task, model, BatchPlan()),
        Given([list(range(start, start + ROWS)) for start in range(0, len(ids), ROWS)]),
        model=model,
        args=arguments,
        train_dataset=[Example(row, [-100, *row[1:]]) for row in ids],
        compute_loss_func=loss,
        callbacks=[_Measures()],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.lean = lean
    trainer.train()
    return model, loss


@pytest.mark.parametrize("frozen", [False, True])
def test_lean_steps_are_the_trainer_s_own_bit_for_bit(tmp_path: Path, *, frozen: bool) -> None:
    plain, first = _trained(tmp_path / "plain", lean=False, frozen=frozen)
    lean, second = _trained(tmp_path / "lean", lean=True, frozen=frozen)
    assert first.since_line.mean() == second.since_line.mean()
    for name, weight in plain.state_dict().items():
        assert torch.equal(weight, lean.state_dict()[name]), name
    assert "zero_grad" not in vars(lean)
    assert all(weight.grad is None for weight in lean.parameters())


def test_a_step_walks_through_no_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    walks: list[str] = []
    for name in ("train", "zero_grad", "named_parameters"):
        whole = getattr(GPT2LMHeadModel, name)

        def counted(self: Any, *args: Any, _n: str = name, _w: Any = whole, **kwargs: Any) -> Any:
            walks.append(_n)
            return _w(self, *args, **kwargs)

        monkeypatch.setattr(GPT2LMHeadModel, name, counted)
    counts = []
    for steps in (4, 8):
        monkeypatch.setattr(f"{__name__}.STEPS", steps)
        walks.clear()
        _trained(tmp_path / str(steps), lean=True)
        counts.append(sorted(walks))
    assert counts[0] == counts[1]


def weights(size: float, odd: float | None = None) -> list[torch.nn.Parameter]:
    """Two with gradients, one without."""
    generator = torch.Generator().manual_seed(0)
    found = [torch.nn.Parameter(torch.ones(shape)) for shape in ((7, 5), (3,), (2,))]
    for weight in found[:2]:
        weight.grad = torch.randn(weight.shape, generator=generator) * size
    if odd is not None and found[1].grad is not None:
        found[1].grad[0] = odd
    return found


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("odd", [None, float("nan"), float("inf")])
@pytest.mark.parametrize("size", [1e-3, 10.0])
def test_clipping_is_that_of_the_library(size: float, odd: float | None, fused: bool) -> None:  # noqa: FBT001
    theirs, ours = weights(size, odd), weights(size, odd)
    optimizers = [torch.optim.AdamW(found, lr=0.1, fused=fused) for found in (theirs, ours)]
    before = [weight.grad._version for weight in ours[:2] if weight.grad is not None]
    norms = clip_grad_norm_(theirs, 1.0), _clipped(ours, 1.0, optimizers[1])
    assert torch.equal(norms[0].nan_to_num(-1.0), norms[1].nan_to_num(-1.0))
    after = [weight.grad._version for weight in ours[:2] if weight.grad is not None]
    assert (before == after) is (odd is None and (fused or size < 1))  # nothing was multiplied
    for optimizer in optimizers:
        optimizer.step()
    for one, other in zip(theirs, ours, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=0, equal_nan=True)
    assert ours[2].grad is None


def test_a_step_is_not_clipped_by_the_norm_of_the_one_before() -> None:
    theirs, ours = weights(10.0), weights(10.0)
    optimizers = [torch.optim.AdamW(found, lr=0.1, fused=True) for found in (theirs, ours)]
    for size in (10.0, 1e-3, float("nan")):
        for found in (theirs, ours):
            for weight, fresh in zip(found[:2], weights(size), strict=False):
                weight.grad = fresh.grad
        clip_grad_norm_(theirs, 1.0)
        _clipped(ours, 1.0, optimizers[1])
        for optimizer in optimizers:
            optimizer.step()
        for one, other in zip(theirs, ours, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-6, atol=0, equal_nan=True)


def test_without_gradients_there_is_no_norm() -> None:
    (alone,) = weights(1.0)[2:]
    optimizer = torch.optim.AdamW([alone], fused=True)
    assert _clipped([alone], 1.0, optimizer) == clip_grad_norm_([alone], 1.0) == 0
