"""Fused operations give what the model's own code gives, and only while a step is computed."""

from types import MethodType
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  its usual name
import transformers as tf
from transformers import activations
from transformers.models.gemma.modeling_gemma import GemmaRMSNorm
from transformers.models.llama.modeling_llama import LlamaRMSNorm
from transformers.models.t5.modeling_t5 import T5LayerNorm

from easymodel_nb.train.fused import Fused
from tests.unit.families import CAUSAL, ENCODERS, made

ACTIVATIONS: dict[str, Any] = {
    "gelu_new": activations.NewGELUActivation,
    "gelu_fast": activations.FastGELUActivation,
    "gelu_accurate": activations.AccurateGELUActivation,
    "quick_gelu": activations.QuickGELUActivation,
    "gelu_python": lambda: activations.GELUActivation(use_gelu_python=True),
    "gelu_python_tanh": lambda: activations.GELUTanh(use_gelu_tanh_python=True),
}
NORMS: dict[str, Any] = {
    "llama": lambda: LlamaRMSNorm(96, eps=1e-5),
    "t5": lambda: T5LayerNorm(96),
}
KINDS = [torch.float32, torch.bfloat16]


def learned(module: Any, rows: torch.Tensor) -> list[torch.Tensor]:
    """What comes out, and the gradients of the rows and of the module's weights."""
    module.zero_grad()
    rows = rows.detach().requires_grad_()
    out = module(rows)
    generator = torch.Generator().manual_seed(1)
    out.backward(torch.randn(out.shape, generator=generator).to(out.dtype))
    assert rows.grad is not None
    weights = [weight.grad.clone() for weight in module.parameters() if weight.grad is not None]
    return [out.detach(), rows.grad, *weights]


def rows_of(kind: torch.dtype) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return (torch.randn(3, 1000, 96, generator=generator) * 3).to(kind)


def close(plain: list[torch.Tensor], fused: list[torch.Tensor], kind: torch.dtype) -> None:
    assert len(plain) == len(fused)
    near = 1e-5 if kind is torch.float32 else 3e-2
    for one, other in zip(plain, fused, strict=True):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        assert (one.float() - other.float()).abs().max() <= near * one.float().abs().max()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [*ACTIVATIONS, *NORMS])
def test_it_gives_the_same_forwards_and_backwards(name: str, kind: torch.dtype) -> None:
    torch.manual_seed(0)
    module = (ACTIVATIONS | NORMS)[name]()
    for weight in module.parameters():
        torch.nn.init.normal_(weight)
    plain, fused = learned(module, rows_of(kind)), Fused(module)
    assert len(fused) == 1
    with fused():
        assert "forward" in module.__dict__
        close(plain, learned(module, rows_of(kind)), kind)
    assert "forward" not in module.__dict__


def test_a_norm_reads_any_rows() -> None:
    norm = LlamaRMSNorm(8)
    norm.weight.requires_grad_(requires_grad=False)
    rows = torch.randn(2, 5, 3, 8).transpose(1, 2)  # as Qwen 3 norms each head
    for some in (rows, rows[:0], torch.zeros(2, 8), rows[..., 0, :]):
        plain = learned(norm, some)
        with Fused(norm)():
            for one, other in zip(plain, learned(norm, some), strict=True):
                torch.testing.assert_close(one, other)
    mixed = T5LayerNorm(8).to(torch.bfloat16)  # computed as its class does
    plain = learned(mixed, torch.ones(2, 8))
    with Fused(mixed)():
        assert torch.equal(plain[0], learned(mixed, torch.ones(2, 8))[0])


class Other(activations.NewGELUActivation):
    """What a user made of it."""


def test_what_is_not_known_exactly_is_left_alone() -> None:
    patched = activations.NewGELUActivation()
    patched.forward = MethodType(lambda _, x: x, patched)
    whole = torch.nn.ModuleList(
        [
            Other(),
            patched,
            GemmaRMSNorm(8),  # adds one to its weight
            activations.GELUActivation(),  # one operation already
            activations.GELUTanh(),
            torch.nn.LayerNorm(8),
        ]
    )
    assert len(Fused(whole)) == 0


def test_what_means_something_else_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activations.NewGELUActivation, "forward", lambda _, x: F.relu(x))
    assert len(Fused(activations.NewGELUActivation())) == 0


def test_who_listens_is_heard_and_nothing_is_left_behind() -> None:
    model = torch.nn.Sequential(activations.NewGELUActivation(), LlamaRMSNorm(8))
    seen: list[int] = []
    for module in model:  # as a stop looks for its time at each layer
        module.register_forward_pre_hook(lambda *_: seen.append(0))
        module.register_forward_hook(lambda *_: seen.append(1))
        module.register_full_backward_hook(lambda *_: seen.append(2))
    fused = Fused(model)
    assert (len(fused), seen) == (2, [])

    def fail() -> None:
        with fused():
            assert all("forward" in module.__dict__ for module in model)
            model(torch.ones(2, 8, requires_grad=True)).sum().backward()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert seen == [0, 1, 0, 1, 2, 2]
    assert not any("forward" in module.__dict__ for module in model)


def test_who_patches_later_is_left_alone() -> None:
    module = activations.NewGELUActivation()
    fused = Fused(module)
    module.forward = MethodType(lambda _, x: x, module)
    with fused():
        assert torch.equal(module(torch.ones(2)), torch.ones(2))
    assert "forward" in module.__dict__


def losses(model: Any, fused: Any) -> list[float]:
    steps, found = torch.optim.AdamW(model.parameters(), lr=1e-3), []
    generator = torch.Generator().manual_seed(0)
    for _ in range(6):
        ids = torch.randint(3, 61, (4, 17), generator=generator)
        answers = {"decoder_input_ids": ids} if model.config.is_encoder_decoder else {}
        with fused():
            logits = model(input_ids=ids, **answers).logits
            loss = F.cross_entropy(logits.flatten(0, -2), ids.flatten())
            loss.backward()
        steps.step()
        steps.zero_grad()
        found.append(float(loss.detach()))
    return found


SEQ2SEQ = {
    "t5": lambda: tf.T5Config(
        vocab_size=61, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4, dropout_rate=0.0,
        decoder_start_token_id=0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("checkpointed", [False, True])
@pytest.mark.parametrize(("family", "known"), [("gpt2", 2), ("llama", 5), ("qwen3", 9), ("t5", 12)])
def test_a_training_learns_the_same(family: str, known: int, *, checkpointed: bool) -> None:
    class Off:
        def __call__(self) -> Any:
            return torch.enable_grad()

    found = []
    for way in (Off, Fused):
        if family == "t5":
            model = made(SEQ2SEQ[family](), tf.AutoModelForSeq2SeqLM)
        else:
            model = made(CAUSAL[family](), tf.AutoModelForCausalLM)
        if checkpointed:
            model.gradient_checkpointing_enable()
        chosen = Off() if way is Off else Fused(model)
        if isinstance(chosen, Fused):
            assert len(chosen) == known
        found.append(losses(model, chosen))
    assert found[1] == pytest.approx(found[0], rel=1e-4)
    assert found[0][-1] != found[0][0]


def test_a_model_without_any_is_as_it_was() -> None:
    assert len(Fused(made(ENCODERS["bert"](), tf.AutoModelForTokenClassification))) == 0
