"""Pairs end to end give an encoder-decoder the loss and the gradients of pairs side by side."""

import random
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  its usual name
import transformers as tf
from peft import LoraConfig, get_peft_model

from easymodel_nb.metrics.conditional import EncodedPair
from easymodel_nb.train.batches import attention
from easymodel_nb.train.batches.attention import Attending
from easymodel_nb.train.batches.choosing import find, promises
from easymodel_nb.train.batches.documents import Documents, UnfitError
from easymodel_nb.train.batches.flat import even, flatten
from easymodel_nb.train.batches.sides import Sides
from easymodel_nb.train.tasks.seq2seq import Seq2Seq
from tests.unit.families import WORDS, made
from tests.unit.test_batches_flat import learned, same

SMALL: dict[str, Any] = {
    "vocab_size": WORDS,
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 48,
    "num_layers": 2,
    "num_heads": 4,
    "dropout_rate": 0.0,
    "decoder_start_token_id": 0,
}
KIN: dict[str, Any] = {  # of BART
    "vocab_size": WORDS,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "max_position_embeddings": 40,  # less than all tokens of a batch
    "dropout": 0.0,
    "attention_dropout": 0.0,
    "activation_dropout": 0.0,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 2,
    "forced_eos_token_id": 2,
}
FAMILIES: dict[str, Callable[[], Any]] = {
    "t5": lambda: tf.T5Config(**SMALL),
    "t5 with gates": lambda: tf.T5Config(**SMALL, feed_forward_proj="gated-gelu"),
    "mt5": lambda: tf.MT5Config(**SMALL),
    "bart": lambda: tf.BartConfig(**KIN),
    "mbart": lambda: tf.MBartConfig(**KIN),
    "marian": lambda: tf.MarianConfig(**KIN),
    "pegasus": lambda: tf.PegasusConfig(**KIN),
    "m2m100": lambda: tf.M2M100Config(**KIN, encoder_layerdrop=0.0, decoder_layerdrop=0.0),
    "blenderbot": lambda: tf.BlenderbotConfig(**KIN),
}
SIZES = ((7, 3), (24, 1), (1, 13), (7, 7), (2, 33))


def model_of(family: str) -> Any:
    return made(FAMILIES[family](), tf.AutoModelForSeq2SeqLM)


def pairs(sizes: tuple[tuple[int, int], ...] = SIZES) -> list[EncodedPair]:
    chance = random.Random(0)

    def tokens(size: int) -> list[int]:
        return [chance.randrange(3, WORDS) for _ in range(size)]

    return [EncodedPair(tokens(source), tokens(target), 5) for source, target in sizes]


def task_of(model: Any) -> Any:
    task = SimpleNamespace(padding_id=0, answers_rows=False)
    task._model = lambda: model
    task.collate = partial(Seq2Seq.collate, task)
    return task


def summed(model: Any, batch: dict[str, Any]) -> torch.Tensor:
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    logits = model(**inputs).logits
    return F.cross_entropy(logits.flatten(0, 1), batch["labels"].flatten(), reduction="sum")


@pytest.mark.parametrize("evenly", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
def test_it_learns_the_same(family: str, evenly: bool) -> None:  # noqa: FBT001
    model = model_of(family)
    batch = task_of(model).collate(pairs())
    plain = learned(model, summed(model, batch))
    flat = flatten(batch, evenly=evenly)
    sources, targets = (sum(sizes) for sizes in zip(*SIZES, strict=True))
    if evenly:
        assert even(sources) > sources and even(targets) > targets  # noqa: PT018  one thought
        sources, targets = even(sources), even(targets)
    assert flat["input_ids"].shape == (1, sources)
    assert flat["decoder_input_ids"].shape == flat["labels"].shape == (1, targets)
    with Attending(model)():
        other = learned(model, summed(model, flat))
    same(plain, other)
    assert model.config._attn_implementation == "sdpa"
    same(plain, learned(model, summed(model, batch)))  # and nothing is left behind


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_what_is_computed_twice_keeps_pairs_apart(family: str) -> None:
    model = model_of(family)
    batch = task_of(model).collate(pairs())
    plain = learned(model, summed(model, batch))
    model.gradient_checkpointing_enable()
    with Attending(model)():
        same(plain, learned(model, summed(model, flatten(batch, evenly=True))))


@pytest.mark.parametrize(
    ("family", "adapted"), [("t5", ["q", "v", "wi", "wo"]), ("marian", ["q_proj", "fc1"])]
)
def test_adapters_learn_the_same(family: str, adapted: list[str]) -> None:
    model = get_peft_model(model_of(family), LoraConfig(target_modules=adapted))
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.3)
    batch = task_of(model.base_model.model).collate(pairs())
    plain = learned(model, summed(model, batch))
    with Attending(model)():
        same(plain, learned(model, summed(model, flatten(batch))))


def test_in_16_bits_it_comes_near() -> None:
    model = model_of("t5").eval()
    batch = task_of(model).collate(pairs())
    with torch.no_grad(), Attending(model)():
        whole = summed(model, flatten(batch))
        with torch.autocast("cpu", torch.bfloat16):
            half = summed(model, flatten(batch, evenly=True))
    assert float(half) == pytest.approx(float(whole), rel=0.02)


def test_dropout_is_that_of_the_model() -> None:
    model = made(tf.T5Config(**SMALL | {"dropout_rate": 0.5}), tf.AutoModelForSeq2SeqLM)
    flat = flatten(task_of(model).collate(pairs()))
    seen: list[float] = []
    real = attention.sides.attend

    def listening(*arguments: Any, **options: Any) -> torch.Tensor:
        seen.append(options["dropout"])
        found: torch.Tensor = real(*arguments, **options)
        return found

    with pytest.MonkeyPatch.context() as patched, Attending(model)():
        patched.setattr(attention.sides, "attend", listening)
        first, second = (float(summed(model, flat).detach()) for _ in range(2))
        assert first != second
        model.eval()
        first, second = (float(summed(model, flat).detach()) for _ in range(2))
        assert first == second
    assert set(seen[:12]) == {0.5}
    assert set(seen[12:]) == {0.0}


@pytest.mark.parametrize("family", FAMILIES)
def test_it_is_chosen(family: str) -> None:
    model = model_of(family)
    plan, why = find(task_of(model), model, pairs()[:4])
    assert (plan.layout, plan.order) == ("flat", "shuffled"), why
    assert promises(task_of(model), model)


OTHERS: dict[str, Callable[[], Any]] = {
    "prophetnet": lambda: tf.ProphetNetConfig(
        vocab_size=WORDS, hidden_size=32, num_encoder_layers=1, num_decoder_layers=1,
        num_encoder_attention_heads=4, num_decoder_attention_heads=4, encoder_ffn_dim=48,
        decoder_ffn_dim=48,
    ),
    "umt5": lambda: tf.UMT5Config(**SMALL),  # each of its layers has a bias of its own
    "longt5": lambda: tf.LongT5Config(**SMALL, local_radius=8),
}  # fmt: skip


@pytest.mark.parametrize("family", OTHERS)
def test_others_keep_their_pairs_side_by_side(family: str) -> None:
    model = made(OTHERS[family](), tf.AutoModelForSeq2SeqLM)
    plan, why = find(task_of(model), model, pairs()[:4])
    assert (plan.layout, plan.order) == ("padded", "budgeted"), why
    assert plan.mask != "never"  # what is behind a source would be read
    assert not promises(task_of(model), model)


def test_pairs_that_are_alike_prove_nothing_of_padding() -> None:
    model = made(OTHERS["umt5"](), tf.AutoModelForSeq2SeqLM)
    plan, _ = find(task_of(model), model, pairs(((5, 4), (5, 4))))
    assert plan.mask != "never"


def test_attention_of_another_kind_is_refused() -> None:
    module = torch.nn.Module()
    documents = Sides(Documents((3, 2)), Documents((1, 1)))
    query = torch.zeros(1, 2, 5, 4)
    with pytest.raises(UnfitError, match="mask"):
        attention.attend(module, query, query, query, torch.zeros(5, 5), documents=documents)
    with pytest.raises(UnfitError, match="windowed"):
        attention.attend(module, query, query, query, None, sliding_window=2, documents=documents)
    with pytest.raises(UnfitError, match="reads"):
        attention.attend(module, query[:, :, :4], query, query, None, documents=documents)
    with pytest.raises(UnfitError, match="bias"):
        attention.attend(
            module, query, query, query, None,
            position_bias=torch.zeros(1, 2, 5, 5), documents=documents,
        )  # fmt: skip
    assert documents.to("cpu") is documents
    assert documents.to("meta").device.type == "meta"
    assert documents.total == 7
