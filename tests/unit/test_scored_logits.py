"""Logits of scored places: the model's own, whatever it does before and after its head."""

from typing import Any

import pytest
import torch
import transformers
from peft import LoraConfig, get_peft_model

from easymodel_nb.metrics.scored_logits import logits_where, token_nll

WORDS = 50
SMALL = {"vocab_size": WORDS, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
LLAMA = {**SMALL, "intermediate_size": 32, "num_key_value_heads": 1, "head_dim": 8}
CAUSAL: dict[str, dict[str, Any]] = {
    "gpt2": {"vocab_size": WORDS, "n_embd": 16, "n_layer": 2, "n_head": 2},
    "llama": LLAMA,
    "gemma2": {**LLAMA, "final_logit_softcapping": 1.0},  # it bends its logits after the head
    "granite": {**LLAMA, "logits_scaling": 3.0},
    "gpt_neox": {**SMALL, "intermediate_size": 32},
    "opt": {**SMALL, "ffn_dim": 32, "word_embed_proj_dim": 16},
}
PAIRED: dict[str, dict[str, Any]] = {
    "t5": {"vocab_size": WORDS, "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2,
           "num_heads": 2, "decoder_start_token_id": 0},
    "bart": {"vocab_size": WORDS, "d_model": 16, "encoder_layers": 1, "decoder_layers": 1,
             "encoder_attention_heads": 2, "decoder_attention_heads": 2,
             "encoder_ffn_dim": 32, "decoder_ffn_dim": 32},
}  # fmt: skip


def built(family: str, sizes: dict[str, Any], auto: Any) -> Any:
    torch.manual_seed(0)
    config = transformers.AutoConfig.for_model(family, **sizes)
    return auto.from_config(config).eval()


def marked(rows: int, width: int) -> torch.Tensor:
    where = torch.rand(rows, width, generator=torch.Generator().manual_seed(1)) < 0.4
    where[0] = False  # a text of which nothing is scored
    return where


def ids(rows: int, width: int) -> torch.Tensor:
    return torch.randint(3, WORDS, (rows, width), generator=torch.Generator().manual_seed(2))


def asked_of_the_head(model: Any, where: torch.Tensor, **inputs: Any) -> tuple[Any, list[Any]]:
    seen: list[Any] = []
    head = model.get_output_embeddings()
    hook = head.register_forward_hook(lambda _, read, __: seen.append(read[0].shape[:-1].numel()))
    with torch.no_grad():
        found = logits_where(model, where, **inputs)
    hook.remove()
    return found, seen


@pytest.mark.parametrize("family", CAUSAL)
def test_a_causal_model(family: str):
    model = built(family, CAUSAL[family], transformers.AutoModelForCausalLM)
    where, tokens = marked(3, 7), ids(3, 7)
    found, read = asked_of_the_head(model, where, input_ids=tokens)
    with torch.no_grad():
        torch.testing.assert_close(found, model(input_ids=tokens).logits[where])
    assert read == [int(where.sum())]  # the head saw no other place


@pytest.mark.parametrize("family", PAIRED)
def test_an_encoder_decoder(family: str):
    model = built(family, PAIRED[family], transformers.AutoModelForSeq2SeqLM)
    where = marked(3, 5)
    inputs = {"input_ids": ids(3, 9), "decoder_input_ids": ids(3, 5)}
    found, read = asked_of_the_head(model, where, **inputs)
    with torch.no_grad():
        torch.testing.assert_close(found, model(**inputs).logits[where])
    assert read == [int(where.sum())]


@pytest.mark.parametrize("where", [torch.ones(1, 4).bool(), torch.zeros(2, 4).bool()])
def test_all_places_or_none(where: torch.Tensor):
    model = built("llama", LLAMA, transformers.AutoModelForCausalLM)
    tokens = ids(*where.shape)
    with torch.no_grad():
        found, full = logits_where(model, where, input_ids=tokens), model(input_ids=tokens).logits
    torch.testing.assert_close(found, full[where])


def test_adapters_in_the_head_too():
    model = built("llama", LLAMA, transformers.AutoModelForCausalLM)
    model = get_peft_model(model, LoraConfig(target_modules=["q_proj", "lm_head"])).eval()
    where, tokens = marked(3, 7), ids(3, 7)
    with torch.no_grad():
        found = logits_where(model, where, input_ids=tokens)
        torch.testing.assert_close(found, model(input_ids=tokens).logits[where])


def test_the_head_is_its_own_again_also_after_an_error():
    model = built("gpt2", CAUSAL["gpt2"], transformers.AutoModelForCausalLM)
    with pytest.raises(IndexError):
        logits_where(model, marked(1, 3), input_ids=torch.tensor([[1, 2, WORDS]]))
    assert not model.get_output_embeddings()._forward_pre_hooks


def test_gradients_reach_the_weights_through_it():
    model = built("gpt2", CAUSAL["gpt2"], transformers.AutoModelForCausalLM)
    where, tokens = marked(3, 7), ids(3, 7)
    logits_where(model, where, input_ids=tokens).square().sum().backward()
    found = {name: weight.grad.clone() for name, weight in model.named_parameters()}
    model.zero_grad()
    model(input_ids=tokens).logits[where].square().sum().backward()
    for name, weight in model.named_parameters():
        torch.testing.assert_close(found[name], weight.grad)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_the_nll_is_that_of_a_cross_entropy(kind: torch.dtype):
    torch.manual_seed(0)
    logits = (torch.randn(150, 301) * 20).to(kind)  # more than are computed at once
    logits[3] += 500.0  # what would be infinite as a power of e
    logits[2, 5:9] = -torch.inf  # tokens that a model rules out
    targets = torch.randint(9, 301, (150,))
    expected = torch.nn.functional.cross_entropy(logits.float(), targets, reduction="none")
    torch.testing.assert_close(token_nll(logits.clone(), targets), expected)
    assert token_nll(logits[:0].clone(), targets[:0]).shape == (0,)


def test_broken_logits_give_no_number():
    logits = torch.randn(2, 9)
    logits[0, 3] = torch.nan
    found = token_nll(logits, torch.tensor([1, 2]))
    assert found[0].isnan()
    assert found[1].isfinite()
