"""The forgetting meter: the same model forgot nothing, a damaged one did, others have none."""

import copy
import functools
import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)

from easymodel_nb import builtin, metrics
from easymodel_nb.metrics.forgetting import Forgetting, forgetting, passages

FEW = 1500  # tokens


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@functools.cache
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(builtin.path("tiny-gpt2"))


@functools.cache
def model() -> Any:
    return AutoModelForCausalLM.from_pretrained(builtin.path("tiny-gpt2")).eval()


@functools.cache
def base() -> Forgetting:
    return forgetting(model(), tokenizer(), max_tokens=FEW)


def damaged() -> Any:
    other = copy.deepcopy(model())
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weights in other.parameters():
            weights.add_(0.05 * torch.randn(weights.shape, generator=generator))
    return other


def test_the_same_model_forgot_nothing():
    again = forgetting(model(), tokenizer(), before=base().perplexity, max_tokens=FEW)
    assert again.perplexity == base().perplexity
    assert (again.change.value, again.change.low, again.change.high) == (0.0, 0.0, 0.0)
    assert again.change.unit == "%"
    assert again.note == "English"


def test_a_damaged_model_forgot():
    found = forgetting(damaged(), tokenizer(), before=base().perplexity, max_tokens=FEW)
    assert found.change.low > 0  # type: ignore[operator]
    before, after = base().perplexity, found.perplexity
    assert found.change.value == pytest.approx(100 * (after.value / before.value - 1))  # type: ignore[operator]


def test_its_perplexity_is_the_one_of_the_passages():
    found = base().perplexity
    assert found.n is not None
    assert found.n >= 2
    plain = metrics.perplexity(model(), tokenizer(), passages()[: found.n])
    assert found.value == pytest.approx(plain.value)


def test_the_bound_on_tokens_holds():
    for bound in (1, 700, 2000):
        told: list[int] = []
        found = forgetting(model(), tokenizer(), max_tokens=bound, on_texts=told.append)
        assert found.perplexity.n == max(told)
        assert found.perplexity.n == 2 or found.perplexity.tokens <= bound
    whole = len(passages())
    assert (found.perplexity.n or 0) < whole


def test_what_watches_can_stop_it():
    class Stop(Exception):  # noqa: N818  a request
        pass

    def watch(_: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        forgetting(model(), tokenizer(), max_tokens=FEW, on_texts=watch)


def test_without_a_measured_base_there_is_no_change():
    assert "nothing to compare" in str(base().change.reason)
    other = forgetting(model(), tokenizer(), before=base().perplexity, max_tokens=3 * FEW)
    assert "other passages" in str(other.change.reason)


def test_what_writes_no_text_from_nothing_does_not_apply():
    encoder_decoder = AutoModelForSeq2SeqLM.from_pretrained(builtin.path("tiny-t5"))
    found = forgetting(encoder_decoder, AutoTokenizer.from_pretrained(builtin.path("tiny-t5")))
    assert "Does not apply, because" in str(found.perplexity.reason)
    assert found.change.reason == found.perplexity.reason
    classifier = AutoModelForSequenceClassification.from_pretrained(builtin.path("tiny-gpt2"))
    found = forgetting(classifier, tokenizer())
    assert "writes no text" in str(found.perplexity.reason)


def test_a_model_whose_numbers_are_not_finite_or_that_fails_has_the_reason():
    broken = damaged()
    with torch.no_grad():
        broken.get_output_embeddings().weight[:] = math.nan
    found = forgetting(broken, tokenizer(), before=base().perplexity, max_tokens=FEW)
    assert found.perplexity.value is None
    assert "finite" in str(found.change.reason)
    failing = damaged()

    def fail(*_: Any, **__: Any) -> None:
        message = "no such kernel"
        raise RuntimeError(message)

    failing.forward = fail
    found = forgetting(failing, tokenizer(), max_tokens=FEW)
    assert "no such kernel" in str(found.perplexity.reason)


def test_the_passages_are_a_mixture_and_credited():
    folder = builtin.path("general")
    rows = [
        json.loads(line) for line in (folder / "passages.jsonl").read_text("utf-8").splitlines()
    ]
    assert 30 <= len(rows) <= 60
    assert len(rows) == len({row["text"] for row in rows}) == len(passages())
    assert {row["part"] for row in rows[:4]} == {"novels", "speeches", "textbook", "stories"}
    size = sum(len(row["text"].encode()) for row in rows)
    facts = json.loads((folder / "facts.json").read_text("utf-8"))
    assert facts["bytes"] == size
    assert facts["passages"] == len(rows)
    assert 40_000 <= size <= 60_000
    card = (folder / "README.md").read_text("utf-8")
    assert "CC BY" in card
    assert card.count("\n- ") == 4 + sum(row["part"] == "stories" for row in rows)
