"""Words as sub-words, texts as windows: every word is learned once, with what stands around it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from easymodel_nb import builtin
from easymodel_nb.metrics.perplexity import IGNORED
from easymodel_nb.train.tasks.words import (
    add_prefix_space,
    space_before,
    specials,
    sub_words,
    windows,
)

TEXTS = ["the cat sat on the mat", "a dog and a cat", "Ada slept", "the dog sat"] * 4
WORDS = st.lists(st.integers(1, 9), min_size=1, max_size=60)  # sub-words of each word
AROUND = st.sampled_from([([], []), ([1], [2]), ([1, 1], [])])


@given(WORDS, st.integers(6, 24), AROUND)
def test_every_word_is_learned_once_and_none_is_cut(
    sizes: list[int], max_length: int, around: tuple[list[int], list[int]]
):
    room = max_length - len(around[0]) - len(around[1])
    sizes = [min(size, max(1, room // 2)) for size in sizes]
    words = [[10 * place + part for part in range(size)] for place, size in enumerate(sizes, 10)]
    labels = list(range(len(words)))
    found = windows(words, labels, text=7, max_length=max_length, around=around)
    learned: list[int] = []
    whole = [token for word in words for token in word]
    for window in found:
        assert window.text == 7
        assert len(window) <= max_length
        assert window.ids[: len(around[0])] == around[0]
        middle = window.ids[len(around[0]) : len(window) - len(around[1])]
        start = whole.index(middle[0])
        assert middle == whole[start : start + len(middle)]
        marked = [place for place, label in enumerate(window.labels) if label != IGNORED]
        assert marked == window.places
        for offset, place in enumerate(window.places):
            assert window.labels[place] == window.first + offset
            assert window.ids[place] == words[window.first + offset][0]
        learned += [window.labels[place] for place in window.places]
    assert learned == labels
    if sum(sizes) <= room:
        assert len(found) == 1


def test_a_window_of_a_long_text_shows_what_stands_around():
    words = [[place] for place in range(100)]
    found = windows(words, [0] * 100, text=0, max_length=20, around=([], []))
    for window in found[1:-1]:
        assert len(window) == 20
        assert window.places[0] >= 4
        assert window.places[-1] <= 15
    assert windows([], [], text=0, max_length=20, around=([], [])) == []


# ------------------------------------------------------------ tokenizers


def cut(tokenizer: Any, words: list[str], longest: int = 9) -> list[list[int]]:
    (found,) = sub_words(tokenizer, [words], longest=longest)["words"].to_pylist()
    return found


def word_piece() -> Any:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer.train_from_iterator(
        TEXTS, trainers.WordPieceTrainer(vocab_size=60, special_tokens=marks)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]")


def roberta(folder: Path) -> Any:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    marks = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        TEXTS,
        trainers.BpeTrainer(vocab_size=300, special_tokens=marks, initial_alphabet=alphabet),
    )
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "RobertaTokenizerFast", "pad_token": "<pad>", "eos_token": "</s>"}
    config |= {"bos_token": "<s>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "config.json").write_text('{"model_type": "roberta"}')
    return AutoTokenizer.from_pretrained(folder)


def gpt2(_: Path) -> Any:
    return AutoTokenizer.from_pretrained(builtin.path("tiny-gpt2"))


def test_a_word_piece_needs_no_space():
    tokenizer = word_piece()
    assert space_before(tokenizer) == ""
    assert specials(tokenizer) == ([2], [3])
    found = cut(tokenizer, ["The", "catdog", "\u200b"])
    assert tokenizer.convert_ids_to_tokens(found[0]) == ["the"]
    assert len(found[1]) > 1
    assert found[2] == [tokenizer.unk_token_id]  # the tokenizer drops it
    assert all(len(word) == 1 for word in cut(tokenizer, ["The", "catdog"], longest=1))


@pytest.mark.parametrize("make", [roberta, gpt2])
def test_byte_level_words_are_those_of_a_sentence(make: Any, tmp_path: Path):
    tokenizer = make(tmp_path)
    assert space_before(tokenizer) == " "
    words = ["the", "cat", "sat"]
    found = cut(tokenizer, words)
    inside = tokenizer("the cat sat", add_special_tokens=False)["input_ids"]
    flat = [token for word in found[1:] for token in word]
    assert inside[-len(flat) :] == flat


@pytest.mark.parametrize("make", [roberta, gpt2])
def test_the_saved_tokenizer_gives_the_sub_words_that_were_learned(make: Any, tmp_path: Path):
    tokenizer = make(tmp_path)
    words = ["the", "cat", ",", "sat", "!?"]
    learned = cut(tokenizer, words)
    assert add_prefix_space(tokenizer)
    tokenizer.save_pretrained(tmp_path / "saved")
    config = tmp_path / "config.json"
    (tmp_path / "saved" / "config.json").write_text(
        config.read_text() if config.exists() else '{"model_type": "gpt2"}'
    )
    for again in (tokenizer, AutoTokenizer.from_pretrained(tmp_path / "saved")):
        split = again(words, is_split_into_words=True, add_special_tokens=False)
        assert split["input_ids"] == [token for word in learned for token in word]
