"""The loss and all gradients of each way to compute them, on models of several families."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import peft
import pytest
import torch
from transformers import (
    CohereConfig,
    CohereForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    GraniteConfig,
    GraniteForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

from easymodel_nb.metrics.perplexity import IGNORED
from easymodel_nb.train.batches.padded import pad
from easymodel_nb.train.objective import choosing
from easymodel_nb.train.objective.chunked import summed_nll
from easymodel_nb.train.objective.head import head_of
from easymodel_nb.train.objective.objective import Objective
from easymodel_nb.train.plan import HeadPlan
from easymodel_nb.train.planning import Chooser
from easymodel_nb.train.tasks.generation import Generation
from easymodel_nb.train.tasks.seq2seq import Seq2Seq
from easymodel_nb.train.tasks.task import Context, Example, Task
from easymodel_nb.workflow.document import FinetuneData

WORDS, WIDTH = 97, 16
_SIZES: dict[str, Any] = {
    "vocab_size": WORDS, "hidden_size": WIDTH, "intermediate_size": 2 * WIDTH,
    "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2,
    "max_position_embeddings": 64, "head_dim": 8, "pad_token_id": 0, "bos_token_id": 1,
    "eos_token_id": 2,
}  # fmt: skip


def _gpt2() -> Any:
    sizes: dict[str, Any] = {"n_layer": 2, "n_head": 2, "n_embd": WIDTH, "n_positions": 64}
    ends: dict[str, Any] = {"bos_token_id": 1, "eos_token_id": 2}
    return GPT2LMHeadModel(GPT2Config(vocab_size=WORDS, **sizes, **ends))


def _neox() -> Any:  # its output layer is no copy of its input layer
    return GPTNeoXForCausalLM(GPTNeoXConfig(**_SIZES | {"tie_word_embeddings": False}))


def _gemma2() -> Any:
    config = Gemma2Config(**_SIZES, final_logit_softcapping=0.3, query_pre_attn_scalar=8)
    return Gemma2ForCausalLM(config)


def _t5() -> Any:
    sizes: dict[str, Any] = {"d_model": WIDTH, "d_kv": 8, "d_ff": 32, "num_layers": 2}
    config = T5Config(vocab_size=WORDS, num_heads=2, **sizes | {"decoder_start_token_id": 0})
    return T5ForConditionalGeneration(config)


MODELS: dict[str, Callable[[], Any]] = {
    "gpt2": _gpt2,
    "neox": _neox,
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**_SIZES)),
    "gemma2": _gemma2,
    "granite": lambda: GraniteForCausalLM(GraniteConfig(**_SIZES, logits_scaling=0.2)),
    "cohere": lambda: CohereForCausalLM(CohereConfig(**_SIZES, logit_scale=3.0)),
    "t5": _t5,
}


def _model(family: str) -> Any:
    torch.manual_seed(0)
    model = MODELS[family]()
    with torch.no_grad():  # logits of some size, as a trained model has
        for weight in model.parameters():
            weight.mul_(3.0)
    return model.eval()


def _task(model: Any) -> Task:
    kind: type[Task] = Seq2Seq if model.config.is_encoder_decoder else Generation
    context = Context(Chooser(FinetuneData()), None, None)  # type: ignore[arg-type]
    return kind(context)


def _batch(task: Task, lengths: tuple[int, ...] = (9, 17, 5), prompt: int = 3) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(1)
    rows = [torch.randint(3, WORDS, (length,), generator=generator).tolist() for length in lengths]
    if isinstance(task, Seq2Seq):
        labels = pad([row[: len(row) // 2] for row in rows], IGNORED)
        return {
            "input_ids": pad(rows, 0),
            "attention_mask": pad([[1] * len(row) for row in rows], 0),
            "decoder_input_ids": pad([[0, *row[: len(row) // 2 - 1]] for row in rows], 0),
            "labels": labels,
        }
    return task.collate([Example(row, [IGNORED] * prompt + row[prompt:]) for row in rows])


def _gradients(
    task: Task, model: Any, plan: HeadPlan, batch: dict[str, Any]
) -> tuple[float, int, dict[str, torch.Tensor]]:
    model.zero_grad(set_to_none=True)
    loss, count = Objective(task, model, plan)(model, batch)
    torch.autograd.backward(loss / 7)
    found = {n: w.grad.clone() for n, w in model.named_parameters() if w.grad is not None}
    return float(loss.detach()), int(count), found


def _equal(task: Task, model: Any, plan: HeadPlan, batch: dict[str, Any]) -> None:
    plain, count, wanted = _gradients(task, model, HeadPlan(), batch)
    loss, targets, found = _gradients(task, model, plan, batch)
    assert count == targets
    assert loss == pytest.approx(plain, rel=1e-5)
    assert found.keys() == wanted.keys()
    whole = torch.stack([gradient.norm() for gradient in wanted.values()]).norm()
    for name, gradient in wanted.items():  # some are zero but for rounding: a key's bias
        apart = (found[name] - gradient).norm()
        assert apart <= 1e-4 * gradient.norm() + 1e-6 * whole, name


@pytest.mark.parametrize("family", MODELS)
def test_every_way_that_is_found_has_the_loss_and_the_gradients_of_the_plain_one(
    family: str,
) -> None:
    model = _model(family)
    task = _task(model)
    batch = _batch(task)
    chunks = choosing._chunks(model, head_of(model), batch)
    assert chunks is not None
    assert (chunks.softcap is not None) == (family == "gemma2")
    assert (chunks.scale != 1.0) == (family in {"granite", "cohere"})
    _equal(task, model, HeadPlan(at="targets"), batch)
    for rows in (1, 5, 256):
        _equal(task, model, chunks.model_copy(update={"rows": rows}), batch)


@pytest.mark.parametrize("rows", [None, 4])
def test_a_row_of_documents_side_by_side_is_one_batch_as_well(rows: int | None) -> None:
    model = _model("gpt2")
    task = _task(model)
    flat = _batch(task, (31,))
    flat["position_ids"] = torch.cat([torch.arange(20), torch.arange(11)])[None]
    flat["labels"][0, 20] = IGNORED  # the first of a document has nothing before it
    flat.pop("attention_mask")
    _equal(task, model, HeadPlan(at="targets", rows=rows), flat)


def test_the_last_layer_computes_as_many_rows_as_there_are_targets() -> None:
    model = _model("llama")
    task = _task(model)
    batch = _batch(task)
    seen: list[int] = []
    hook = model.lm_head.register_forward_hook(
        lambda _m, inputs, _o: seen.append(inputs[0].shape[:-1].numel())
    )
    _, count, _ = _gradients(task, model, HeadPlan(at="targets"), batch)
    _gradients(task, model, HeadPlan(), batch)
    hook.remove()
    assert seen == [count, batch["labels"].numel()]


@pytest.mark.parametrize("rows", [None, 4])
def test_a_batch_without_a_target_has_no_loss_and_no_gradient(rows: int | None) -> None:
    model = _model("gpt2")
    task = _task(model)
    batch = _batch(task)
    batch["labels"].fill_(IGNORED)
    loss, count, found = _gradients(task, model, HeadPlan(at="targets", rows=rows), batch)
    assert (loss, count) == (0.0, 0)
    assert not any(gradient.any() for gradient in found.values())


@pytest.mark.parametrize("rows", [None, 4])
@pytest.mark.parametrize("kept", [None, ["lm_head"]])
def test_adapters_learn_the_same(rows: int | None, kept: list[str] | None) -> None:
    model = _model("llama")
    settings: Any = {"r": 2, "target_modules": ["q_proj"], "modules_to_save": kept}
    wrapped: Any = peft.get_peft_model(model, peft.LoraConfig(task_type="CAUSAL_LM", **settings))
    for name, weight in wrapped.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight)
    task = _task(model)
    if kept and rows:  # the layer is a wrapper: no chunks of it
        assert choosing._chunks(wrapped, head_of(wrapped), _batch(task)) is None
        return
    _equal(task, wrapped.eval(), HeadPlan(at="targets", rows=rows), _batch(task))


def test_half_precision_rounds_as_the_plain_loss_does() -> None:
    model = _model("llama")
    task = _task(model)
    batch = _batch(task)
    with torch.autocast("cpu", torch.bfloat16):
        plain, _, wanted = _gradients(task, model, HeadPlan(), batch)
    with torch.autocast("cpu", torch.bfloat16):
        loss, _, found = _gradients(task, model, HeadPlan(at="targets", rows=4), batch)
    assert loss == pytest.approx(plain, rel=1e-2)
    for name, gradient in wanted.items():
        apart = (found[name] - gradient).norm() / gradient.norm().clamp(min=1e-6)
        assert apart < 0.05, name


# ------------------------------------------------------------ what is chosen


def _rows(task: Task) -> list[Any]:
    del task
    generator = torch.Generator().manual_seed(3)
    ids = [torch.randint(3, WORDS, (n,), generator=generator).tolist() for n in (12, 7, 20)]
    return [Example(row, [IGNORED, *row[1:]]) for row in ids]


def test_chunks_are_chosen_on_a_cpu_and_nothing_of_the_try_is_left() -> None:
    model = _model("gemma2").train()
    task = _task(model)
    state = torch.get_rng_state()
    plan, why = choosing.find(task, model, _rows(task), targets=64)
    assert plan == HeadPlan(at="targets", rows=choosing.CHUNK, softcap=0.3)
    assert "tried on the first rows" in why
    assert model.training
    assert all(weight.grad is None for weight in model.parameters())
    assert not model.lm_head._forward_pre_hooks
    assert not model.lm_head._forward_hooks
    assert torch.equal(torch.get_rng_state(), state)


def test_the_plan_says_what_was_chosen_and_why() -> None:
    model = _model("llama")
    task = _task(model)
    chooser = Chooser(FinetuneData())
    ready: Any = SimpleNamespace(
        chooser=chooser, task=task, prepared=SimpleNamespace(train=_rows(task))
    )
    plan = choosing.choose(ready, model)
    assert chooser.head == plan == HeadPlan(at="targets", rows=choosing.CHUNK)
    (choice,) = chooser.choices
    assert (choice.field, choice.value) == (
        "logits",
        f"only where something is learned, {choosing.CHUNK} at once",
    )
    assert "the same loss and gradients" in choice.reason


def test_a_model_that_treats_logits_in_its_own_way_is_cut_but_not_chunked() -> None:
    class Odd(LlamaForCausalLM):  # type: ignore[no-untyped-call]
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            outputs = super().forward(*args, **kwargs)
            outputs.logits = outputs.logits.sinh()
            return outputs

    torch.manual_seed(0)
    model: Any = Odd(LlamaConfig(**_SIZES))
    model.eval()
    task = _task(model)
    plan, _ = choosing.find(task, model, _rows(task), targets=64)
    assert plan == HeadPlan(at="targets")
    _equal(task, model, plan, _batch(task))


def test_a_model_whose_logits_depend_on_their_neighbours_is_left_as_it_is() -> None:
    class Mixing(LlamaForCausalLM):  # type: ignore[no-untyped-call]
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            outputs = super().forward(*args, **kwargs)
            outputs.logits = outputs.logits - 0.5 * outputs.logits.mean(dim=1, keepdim=True)
            return outputs

    torch.manual_seed(0)
    model: Any = Mixing(LlamaConfig(**_SIZES))
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(3.0)
    task = _task(model)
    plan, why = choosing.find(task, model.eval(), _rows(task), targets=64)
    assert plan == HeadPlan()
    assert "changes the loss" in why


def test_the_last_chunk_is_filled_up_in_16_bits_without_a_trace() -> None:
    torch.manual_seed(0)
    head = torch.nn.Linear(8, 30)
    plan = HeadPlan(at="targets", rows=64)
    targets = torch.randint(30, (150,))
    found = []
    for kind in (torch.float32, torch.bfloat16):
        hidden = torch.randn(150, 8, generator=torch.Generator().manual_seed(1)).requires_grad_()
        loss = summed_nll(hidden, head, targets, plan, dtype=kind)
        gradients = torch.autograd.grad(loss, [hidden, head.weight, head.bias])
        found.append((loss, *gradients))
    for whole, half in zip(*found, strict=True):
        assert whole.shape == half.shape
        assert (whole - half).norm() < 0.02 * whole.norm()
