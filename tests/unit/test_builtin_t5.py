"""The encoder-decoder that comes with the package."""

import functools
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from easymodel_nb import builtin

HELD_OUT = Path(__file__).parents[1] / "data" / "heldout.txt"
MODEL = builtin.path("tiny-t5")
KINDS = ("spans", "rest", "words")


@functools.cache
def tokenizer() -> Any:
    transformers = pytest.importorskip("transformers")
    return transformers.AutoTokenizer.from_pretrained(MODEL, local_files_only=True)


@functools.cache
def model() -> Any:
    transformers = pytest.importorskip("transformers")
    return transformers.AutoModelForSeq2SeqLM.from_pretrained(MODEL, local_files_only=True).eval()


@functools.cache
def sentences() -> list[str]:
    """Every sixth sentence of middling length of the text that it was not trained on."""
    text = HELD_OUT.read_text(encoding="utf-8")
    found = (" ".join(s.split()) for s in re.split(r"(?<=[.!?])\s+", text))
    return [sentence for sentence in found if 40 < len(sentence) < 140][::6]


def nats(source: str, target: str) -> float:
    """Negative log-likelihood of the target's tokens, its end included."""
    torch = pytest.importorskip("torch")
    labels = tokenizer()(target, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        logits = model()(**tokenizer()(source, return_tensors="pt"), labels=labels).logits[0]
    return float(torch.nn.functional.cross_entropy(logits, labels[0], reduction="sum"))


def test_the_weights_are_float32_once_loaded() -> None:
    torch = pytest.importorskip("torch")
    assert {p.dtype for p in model().parameters()} == {torch.float32}
    assert all(bool(torch.isfinite(p).all()) for p in model().parameters())


def test_size() -> None:
    told = next(m for m in builtin.models() if m.name == "tiny-t5")
    files = [f for f in MODEL.rglob("*") if f.is_file()]
    assert sum(f.stat().st_size for f in files) <= 8_000_000
    assert told.bytes == sum(f.stat().st_size for f in files if f.name != "facts.json")
    assert told.parameters == model().num_parameters()
    assert 2_500_000 <= told.parameters <= 3_900_000
    assert f"{told.parameters / 1e6:.1f}" in told.title
    assert told.tasks == ("seq2seq",)
    assert len(tokenizer()) == model().config.vocab_size


def test_the_card_tells_what_was_measured() -> None:
    card = (MODEL / "README.md").read_text(encoding="utf-8")
    told = json.loads((MODEL / "pretraining.json").read_text(encoding="utf-8"))
    assert told["parameters"] == model().num_parameters()
    for kind in KINDS:
        for part in ("novels", "speeches", "textbook", "stories", "all"):
            assert f"{told['held_out'][kind][part]['bits_per_byte']:.3f}" in card
    for side in ("source", "target"):
        assert f"{told['tokens_seen'][side]:,}" in card
    assert "OpenStax" in card
    assert "African Storybook" in card
    credited = (MODEL / "ATTRIBUTION.tsv").read_text(encoding="utf-8").splitlines()
    assert credited[0] == "file\ttitle\tauthor"
    assert len(credited) == 317


def test_special_tokens() -> None:
    t = tokenizer()
    assert t.pad_token_id != t.eos_token_id
    assert None not in (t.pad_token_id, t.eos_token_id)
    for settings in (model().config, model().generation_config):
        assert settings.pad_token_id == t.pad_token_id
        assert settings.eos_token_id == t.eos_token_id
        assert settings.decoder_start_token_id == t.pad_token_id
    sentinels = [f"<extra_id_{i}>" for i in range(32)]
    ids = t.convert_tokens_to_ids(sentinels)
    assert len(set(ids)) == 32
    assert set(ids) <= set(t.all_special_ids)
    assert t("one<extra_id_0> three")["input_ids"].count(ids[0]) == 1
    assert t.unk_token is None
    assert t.padding_side == "right"


def test_every_text_ends_in_the_end_of_text() -> None:
    t = tokenizer()
    plain = t("A plain text.", add_special_tokens=False)["input_ids"]
    assert not set(plain) & set(t.all_special_ids)
    assert t("A plain text.")["input_ids"] == [*plain, t.eos_token_id]
    assert t(text_target="A plain text.")["input_ids"] == [*plain, t.eos_token_id]
    assert t("")["input_ids"] == [t.eos_token_id]
    cut = t("A plain text.", truncation=True, max_length=3)["input_ids"]
    assert cut == [*plain[:2], t.eos_token_id]


@given(st.text())
@example("ŋ 😀 — “quotes”\t\r\n\n  two  spaces , and 1234 don't\x00 ")
@example("ไทย 日本語 العربية e\u0301")
def test_any_text_survives_the_tokenizer(text: str) -> None:
    ids = tokenizer()(text, add_special_tokens=False, verbose=False)["input_ids"]
    assert tokenizer().decode(ids, clean_up_tokenization_spaces=False) == text


def test_it_goes_on_better_than_chance_with_text_it_never_saw() -> None:
    total, size = 0.0, 0
    for sentence in sentences():
        at = sentence.index(" ", len(sentence) // 2)
        total += nats(f"{sentence[:at]}<extra_id_0>", f"<extra_id_0>{sentence[at:]}")
        size += len(sentence[at:].encode())
    assert size > 500
    assert 0.5 < total / math.log(2) / size < 2.6


def test_it_reads_what_it_is_given() -> None:
    """A text is far likelier from its own words than from another text's."""
    found = sentences()
    own = sum(nats(text, text) for text in found)
    other = sum(
        nats(before, text) for before, text in zip(found[1:] + found[:1], found, strict=True)
    )
    assert len(found) > 10
    assert own < 0.4 * other


def test_it_writes_and_ends() -> None:
    t = tokenizer()
    copied = 0
    for sentence in sentences():
        out = model().generate(**t(sentence, return_tensors="pt"), max_new_tokens=64)
        copied += t.decode(out[0], skip_special_tokens=True) == sentence
    assert copied >= len(sentences()) / 4  # it was never asked to, word for word
