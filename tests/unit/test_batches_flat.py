"""Rows end to end give the loss and the gradients of rows side by side, whatever the model."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  its usual name
import transformers as tf

from easymodel_nb.train.batches import attention
from easymodel_nb.train.batches.attention import NAME, Attending, UnfitError
from easymodel_nb.train.batches.documents import DOCUMENTS, Documents
from easymodel_nb.train.batches.flat import even, flatten
from easymodel_nb.train.batches.padded import collate
from easymodel_nb.train.batches.pooling import side_by_side
from tests.unit.families import CAUSAL, ENCODERS, examples, made


def summed(model: Any, batch: dict[str, Any]) -> torch.Tensor:
    labels = batch["labels"][:, 1:]
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    logits = model(**inputs).logits[:, :-1]
    return F.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=-100, reduction="sum"
    )


def learned(model: Any, loss: torch.Tensor) -> tuple[float, dict[str, torch.Tensor]]:
    model.zero_grad()
    loss.backward()
    return float(loss.detach()), {
        name: weight.grad.clone()
        for name, weight in model.named_parameters()
        if weight.grad is not None
    }


def same(plain: tuple[float, dict[str, Any]], other: tuple[float, dict[str, Any]]) -> None:
    assert other[0] == pytest.approx(plain[0], rel=1e-5)
    assert other[1].keys() == plain[1].keys()
    most = max(float(gradient.abs().max()) for gradient in plain[1].values())
    for name, gradient in plain[1].items():
        assert (gradient - other[1][name]).abs().max() < 1e-4 * most, name


@pytest.mark.parametrize("way", ["by length", "repadded"])
@pytest.mark.parametrize("family", CAUSAL)
def test_a_causal_model_learns_the_same(
    monkeypatch: pytest.MonkeyPatch, family: str, way: str
) -> None:
    if way == "repadded":  # as a GPU without FlashAttention does
        monkeypatch.setattr(attention, "_by_length", attention._repadded)
    kind = "eager" if family == "gemma2" else "sdpa"  # SDPA knows no cap
    model = made(CAUSAL[family](), tf.AutoModelForCausalLM, attn_implementation=kind)
    batch = collate(examples())
    plain = learned(model, summed(model, batch))
    with Attending(model)():
        other = learned(model, summed(model, flatten(batch)))
    same(plain, other)
    assert model.config._attn_implementation == kind


def test_what_is_computed_twice_keeps_rows_apart() -> None:
    model = made(CAUSAL["llama"](), tf.AutoModelForCausalLM)
    batch = collate(examples())
    plain = learned(model, summed(model, batch))
    model.gradient_checkpointing_enable()
    with Attending(model)():
        same(plain, learned(model, summed(model, flatten(batch))))


@pytest.mark.parametrize("way", ["by length", "repadded"])
@pytest.mark.parametrize("heads", ["tokens", "rows"])
@pytest.mark.parametrize("family", ENCODERS)
def test_an_encoder_learns_the_same(
    monkeypatch: pytest.MonkeyPatch, family: str, heads: str, way: str
) -> None:
    if way == "repadded":
        monkeypatch.setattr(attention, "_by_length", attention._repadded)
    kind: Any = (
        tf.AutoModelForTokenClassification
        if heads == "tokens"
        else tf.AutoModelForSequenceClassification
    )
    model = made(ENCODERS[family](), kind)
    rows = sorted(examples(), key=len, reverse=True)
    batch = collate(rows, padding_id=1 if family == "roberta" else 0)
    mask = batch.pop("labels") != -100
    target = torch.randn(mask.shape if heads == "tokens" else mask.shape[:1])

    def pulled(logits: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return (logits[..., 0] * weight).sum() + (logits[..., 1] ** 2 * weight).sum()

    there = batch["attention_mask"].bool()
    logits = model(**batch).logits
    plain = learned(
        model, pulled(*((logits[there], target[there]) if heads == "tokens" else (logits, target)))
    )
    laid = flatten(batch, 2 if family == "roberta" else 0)
    with Attending(model)():
        if heads == "tokens":
            other = learned(model, pulled(model(**laid).logits[0], target[there]))
        else:
            with side_by_side(model):
                other = learned(model, pulled(model(**laid).logits, target))
    same(plain, other)


def test_the_attention_of_a_model_is_its_own_again() -> None:
    model = made(CAUSAL["llama"](), tf.AutoModelForCausalLM)
    attending = Attending(model)
    with attending():
        assert model.config._attn_implementation == NAME
    assert model.config._attn_implementation == "sdpa"
    assert NAME not in model.config.to_json_string()


def test_attention_of_another_kind_is_refused() -> None:
    query = torch.zeros(1, 2, 5, 4)
    documents = Documents((3, 2))
    module = torch.nn.Module()
    with pytest.raises(UnfitError, match="bounds"):
        attention.attend(module, query, query, query, None)
    with pytest.raises(UnfitError, match="s_aux"):
        attention.attend(
            module, query, query, query, None, s_aux=torch.zeros(2), **{DOCUMENTS: documents}
        )
    with pytest.raises(UnfitError, match="mask"):
        attention.attend(module, query, query, query, torch.zeros(5, 5), documents=documents)


def test_dropout_is_that_of_the_model() -> None:
    torch.manual_seed(0)
    query = torch.randn(1, 2, 5, 4)
    module, documents = torch.nn.Module(), Documents((3, 2))
    value = torch.ones(1, 2, 5, 4)
    whole, _ = attention.attend(module, query, query, value, None, documents=documents)
    torch.testing.assert_close(whole, torch.ones(1, 5, 2, 4))
    dropped, _ = attention.attend(module, query, query, value, None, 0.5, documents=documents)
    assert not torch.allclose(dropped, torch.ones(1, 5, 2, 4))


def test_documents_go_to_a_rectangle_and_back() -> None:
    documents = Documents((3, 1, 2))
    flat = torch.arange(12).reshape(6, 2)
    rectangle = documents.rectangle(flat, 0)
    assert rectangle[:, :, 0].tolist() == [[0, 2, 4], [6, 6, 6], [8, 10, 8]]
    assert torch.equal(documents.line(rectangle, 0), flat)
    assert documents.to("cpu") is documents
    assert documents.to("meta").device.type == "meta"


@pytest.mark.parametrize(("lengths", "kind"), [((3, 2), "float32"), ((500, 2), "bfloat16")])
def test_short_documents_are_attended_to_in_32_bits(
    monkeypatch: pytest.MonkeyPatch, lengths: tuple[int, ...], kind: str
) -> None:
    seen, real = [], attention._by_length

    def listening(query: torch.Tensor, *rest: Any) -> torch.Tensor:
        seen.append(str(query.dtype).removeprefix("torch."))
        return real(query, *rest)

    monkeypatch.setattr(attention, "_by_length", listening)
    torch.manual_seed(0)
    three = [torch.randn(1, 2, sum(lengths), 4) for _ in range(3)]
    module, documents = torch.nn.Module(), {DOCUMENTS: Documents(lengths)}
    whole, _ = attention.attend(module, *three, None, **documents)
    half = [value.bfloat16().requires_grad_() for value in three]
    with torch.autocast("cpu", torch.bfloat16):
        found, _ = attention.attend(module, *half, None, **documents)
    found.float().sum().backward()
    assert seen == ["float32", kind]
    assert found.dtype == torch.bfloat16
    assert (found - whole).abs().max() < 0.05
    assert all(value.grad is not None for value in half)


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_filler_changes_nothing(family: str) -> None:
    model = made(CAUSAL[family](), tf.AutoModelForCausalLM)
    batch = collate(examples())
    with Attending(model)():
        plain = learned(model, summed(model, flatten(batch)))
        filled = flatten(batch, evenly=True)
        assert filled[DOCUMENTS].filler
        assert filled["input_ids"].shape[1] == even(flatten(batch)["input_ids"].shape[1])
        other = learned(model, summed(model, filled))
    same(plain, other)


@pytest.mark.parametrize("family", list(ENCODERS)[:2])
def test_filler_answers_for_no_row(family: str) -> None:
    model = made(ENCODERS[family](), tf.AutoModelForSequenceClassification)
    batch = collate(examples())
    del batch["labels"]
    first = getattr(model.config, "pad_token_id", None) or 0
    first = first + 1 if "roberta" in family else 0
    with Attending(model)(), side_by_side(model), torch.no_grad():
        plain = model(**flatten(dict(batch), first)).logits
        filled = flatten(dict(batch), first, evenly=True)
        assert filled[DOCUMENTS].filler
        found = model(**filled).logits
    assert found.shape == plain.shape
    assert (found - plain).abs().max() < 1e-5


def test_there_are_few_even_sizes() -> None:
    sizes = {even(total) for total in range(1, 4_097)}
    assert len(sizes) < 200
    assert all(total <= even(total) <= total * 17 / 16 for total in range(1, 4_097))
