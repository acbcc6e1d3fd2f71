"""Perplexity of a target given its source equals the model's own loss, however it is batched."""

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "training"))

from tiny_seq2seq import BOS, EOS, MODELS, PAD, byte_tokenizer, t5

from easymodel_nb import metrics
from easymodel_nb.metrics import conditional
from easymodel_nb.metrics.conditional import encode_pairs, score_pairs, shifted

SOURCES = ["translate: one two", "x", "a longer source, with commas and ümlauts", "", "東京"]
TARGETS = ["eins zwei", "y", "kurz", "a target for no source", "Tōkyō 🙂"]
MADE = {kind: make() for kind, make in MODELS.items()}
CLOSE = 1e-5


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(params=sorted(MADE))
def made(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    model, tokenizer = MADE[request.param]
    model.train()
    return model, tokenizer


def own_loss(
    model: Any, tokenizer: Any, sources: list[str], targets: list[str]
) -> tuple[float, int]:
    """Summed NLL and tokens, one row at a time, by the loss that transformers computes."""
    model.eval()
    total, count = 0.0, 0
    with torch.inference_mode():
        for source, target in zip(sources, targets, strict=True):
            batch = tokenizer(source, return_tensors="pt")
            labels = tokenizer(text_target=target, return_tensors="pt")["input_ids"]
            loss = model(
                input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], labels=labels
            ).loss
            total += float(loss) * labels.numel()
            count += labels.numel()
    model.train()
    return total, count


def test_it_is_the_model_s_own_loss(made: tuple[Any, Any]):
    model, tokenizer = made
    filled = [source or "-" for source in SOURCES]
    total, count = own_loss(model, tokenizer, filled, TARGETS)
    found = metrics.perplexity(model, tokenizer, TARGETS, prompts=filled, eos=True)
    assert found.tokens == count
    assert found.n == len(TARGETS)
    assert found.nll == pytest.approx(total, rel=CLOSE)
    assert found.value == pytest.approx(math.exp(total / count), rel=CLOSE)
    assert found.bytes == sum(len(text.encode()) for text in TARGETS)
    assert model.training


def test_batches_change_nothing(made: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch):
    model, tokenizer = made
    together = metrics.perplexity(model, tokenizer, TARGETS, prompts=SOURCES, eos=True)
    monkeypatch.setitem(conditional.TOKEN_BUDGET, "cpu", 1)
    apart = metrics.perplexity(model, tokenizer, TARGETS, prompts=SOURCES, eos=True)
    assert apart.nll == pytest.approx(together.nll, rel=CLOSE)
    assert [count for _, count in apart.per_text] == [count for _, count in together.per_text]
    turned = metrics.perplexity(model, tokenizer, TARGETS[::-1], prompts=SOURCES[::-1], eos=True)
    assert turned.nll == pytest.approx(together.nll, rel=CLOSE)


def test_without_eos_the_end_is_read_but_not_scored(made: tuple[Any, Any]):
    model, tokenizer = made
    ended = metrics.perplexity(model, tokenizer, TARGETS, prompts=SOURCES, eos=True)
    bare = metrics.perplexity(model, tokenizer, TARGETS, prompts=SOURCES)
    after = len(tokenizer(text_target="a")["input_ids"]) - len(
        tokenizer("a", add_special_tokens=False)["input_ids"]
    )
    before = 1 if tokenizer(text_target="a")["input_ids"][0] == BOS else 0
    assert ended.tokens - bare.tokens == (after - before) * len(TARGETS)
    assert bare.nll < ended.nll


def test_the_source_matters_and_is_not_scored(made: tuple[Any, Any]):
    model, tokenizer = made
    one = metrics.perplexity(model, tokenizer, ["target"], prompts=["source"], eos=True)
    other = metrics.perplexity(model, tokenizer, ["target"], prompts=["another source"], eos=True)
    assert one.tokens == other.tokens
    assert one.nll != other.nll


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60), st.integers(4, 40))
def test_sides_are_cut_at_their_end(source: str, target: str, max_length: int):
    for model, tokenizer in MADE.values():
        (pair,) = encode_pairs(tokenizer, [source], [target], max_length=max_length)
        whole = tokenizer(source)["input_ids"]
        answer = tokenizer(text_target=target)["input_ids"]
        assert len(pair.source) <= max_length
        assert len(pair.target) <= max_length
        assert pair.cut == (len(whole) > max_length or len(answer) > max_length)
        if not pair.cut:
            assert (pair.source, pair.target) == (whole, answer)
        ending = answer[answer.index(EOS) :]
        assert pair.target[-len(ending) :] == ending  # also of a target that was cut
        decoder = shifted(model, torch.tensor([pair.target]))[0].tolist()
        assert len(decoder) == len(pair.target)
        assert decoder[1:] == pair.target[:-1] or ending[-1] != EOS


def test_an_end_token_is_put_where_the_tokenizer_puts_none():
    model, _ = MADE["t5"]
    (pair,) = encode_pairs(byte_tokenizer("$A"), ["a"], ["bcd"], max_length=3)
    assert len(pair.source) == 1
    assert len(pair.target) == 3
    assert pair.target[-1] == EOS
    assert pair.cut
    assert score_pairs(model, [pair]).tokens == 3


def test_padding_is_the_end_token():
    """Labels tell what is learned, so a model padded with its end token learns to end."""
    model, tokenizer = t5()
    known = metrics.perplexity(model, tokenizer, TARGETS, prompts=SOURCES, eos=True)
    assert known.tokens == sum(len(text.encode()) + 1 for text in TARGETS)
    model.config.pad_token_id = EOS
    model.config.decoder_start_token_id = PAD
    padded = metrics.perplexity(model, tokenizer, TARGETS, prompts=SOURCES, eos=True)
    assert padded.nll == pytest.approx(known.nll, rel=CLOSE)


def test_reasons_and_errors():
    model, tokenizer = MADE["t5"]
    with pytest.raises(ValueError, match="writes from a source"):
        metrics.perplexity(model, tokenizer, ["a"])
    with pytest.raises(ValueError, match="give one source a target"):
        metrics.perplexity(model, tokenizer, ["a"], prompts=["b", "c"])
    assert metrics.perplexity(model, tokenizer, [], prompts=[]).reason
    empty = metrics.perplexity(model, tokenizer, [""], prompts=["a"])
    assert empty.value is None
    assert empty.reason == "No text had a token to score."
    with torch.no_grad():
        broken, _ = t5()
        broken.lm_head.weight.fill_(math.nan)
    assert "no finite probability" in (
        metrics.perplexity(broken, tokenizer, ["a"], prompts=["b"], eos=True).reason or ""
    )


def test_relative_positions_have_no_limit():
    from easymodel_nb.metrics.perplexity import model_positions

    assert model_positions(MADE["t5"][0]) is None
    assert model_positions(MADE["bart"][0]) == 256
