"""Texts and pairs of texts as the model reads them: whole, or without their end."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from easymodel_nb import builtin
from easymodel_nb.train.tasks.class_rows import encode

LIMIT = 12


def word_piece() -> Any:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    trainer = trainers.WordPieceTrainer(vocab_size=60, special_tokens=marks, show_progress=False)
    tokenizer.train_from_iterator(["the cat sat on the mat", "a dog and a cat"], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", truncation_side="left"
    )
    wrapped.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    return wrapped


TOKENIZERS = {
    "word piece": word_piece(),
    "bytes": AutoTokenizer.from_pretrained(builtin.path("tiny-gpt2")),
}
TEXT = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        ["the cat", "\u0e01\u0e23\u0e38\u0e07 \u0645\u062f \U0001f600", "\x00", " ", "cat " * 40]
    ),
)


def rows(tokenizer: Any, texts: list[list[str]]) -> list[dict[str, Any]]:
    return list(encode(tokenizer, texts, limit=LIMIT, filler=1).to_pylist())


@pytest.mark.parametrize("name", TOKENIZERS)
@given(st.lists(TEXT, min_size=1, max_size=5))
def test_a_text_is_whole_or_loses_its_end(name: str, texts: list[str]):
    tokenizer = TOKENIZERS[name]
    for text, row in zip(texts, rows(tokenizer, [[text] for text in texts]), strict=True):
        whole = tokenizer(text)["input_ids"]
        assert row["cut"] == (len(whole) > LIMIT)
        if row["cut"]:
            assert len(row["ids"]) == LIMIT
            inner = tokenizer(text, add_special_tokens=False)["input_ids"]
            kept = (
                [i for i in row["ids"] if i not in (2, 3)] if name == "word piece" else row["ids"]
            )
            assert kept == inner[: len(kept)]
        else:
            assert row["ids"] == (whole or [1])


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4))
def test_of_a_pair_the_longer_one_is_cut(pairs: list[tuple[str, str]]):
    tokenizer = TOKENIZERS["word piece"]
    for (first, second), row in zip(pairs, rows(tokenizer, [list(p) for p in pairs]), strict=True):
        a, b = (len(tokenizer(t, add_special_tokens=False)["input_ids"]) for t in (first, second))
        assert len(row["ids"]) <= LIMIT
        assert len(row["types"]) == len(row["ids"])
        assert row["ids"].count(3) == 2
        kept = row["types"].count(0) - 2, row["types"].count(1) - 1
        if a + b + 3 <= LIMIT:
            assert kept == (a, b)
            assert not row["cut"]
        else:
            assert row["cut"]
            assert sum(kept) == LIMIT - 3
            short = min(a, b, (LIMIT - 3) // 2)
            assert min(kept) >= short


def test_without_special_tokens_something_parts_the_two_texts():
    tokenizer = TOKENIZERS["bytes"]
    (row,) = rows(tokenizer, [["the cat", "sat"]])
    assert tokenizer.decode(row["ids"]) == "the cat\n\nsat"


def test_a_very_long_text_is_counted_piece_by_piece():
    calls: list[int] = []

    class Counting:
        truncation_side = "left"

        def __getattr__(self, name: str) -> Any:
            return getattr(TOKENIZERS["word piece"], name)

        def __call__(self, texts: list[str], pairs: Any, **options: Any) -> Any:
            calls.extend(len(text) for text in texts)
            return TOKENIZERS["word piece"](texts, pairs, **options)

    (row,) = rows(Counting(), [["cat " * 100_000]])
    assert row["cut"]
    assert len(row["ids"]) == LIMIT
    assert row["whole"] == pytest.approx(100_000, rel=0.02)  # a word is parted at some borders
    assert max(calls) <= LIMIT * 64
