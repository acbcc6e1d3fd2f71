"""Tokenizers of the same files share their BPE: what it keeps in threads does not pile up."""

from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from easymodel_nb.trust import vocabularies
from easymodel_nb.trust.vocabularies import share

MERGES = [("a", "b"), ("ab", "c"), ("d", "e")]


def opened(folder: Path, extra: str = "", **options: Any) -> Any:
    """A tokenizer that is read from the files of a folder, as a run reads it."""
    file = folder / "tokenizer.json"
    if not file.exists():
        words = ["a", "b", "c", "d", "e", "ab", "abc", "de", *extra]
        made = Tokenizer(models.BPE({word: n for n, word in enumerate(words)}, MERGES))
        made.pre_tokenizer = pre_tokenizers.Whitespace()
        folder.mkdir(exist_ok=True)
        made.save(str(file))
    return PreTrainedTokenizerFast(tokenizer_file=str(file), **options)


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(vocabularies, "_known", type(vocabularies._known)())


def dropout_is_shared(one: Any, other: Any) -> bool:
    """Each look at `model` makes another handle; only one of the same BPE shows a change."""
    one.backend_tokenizer.model.dropout = 0.5
    seen = other.backend_tokenizer.model.dropout
    one.backend_tokenizer.model.dropout = None
    return seen == 0.5


def test_the_same_files_share_and_cut_alike(tmp_path: Path):
    first = share(opened(tmp_path / "m"), tmp_path / "m", {})
    second = share(opened(tmp_path / "m"), tmp_path / "m", {})
    assert dropout_is_shared(first, second)
    assert second("abc de ab")["input_ids"] == first("abc de ab")["input_ids"] == [6, 7, 5]
    second.add_tokens(["xyz"])  # words that are added belong to one tokenizer alone
    assert second("xyz")["input_ids"] == [8]
    assert 8 not in first("xyz")["input_ids"]


def test_other_files_or_options_do_not_share(tmp_path: Path):
    first = share(opened(tmp_path / "m"), tmp_path / "m", {})
    other = share(opened(tmp_path / "n", extra="f"), tmp_path / "n", {})
    asked = share(opened(tmp_path / "m"), tmp_path / "m", {"use_fast": True})
    assert not dropout_is_shared(first, other)
    assert not dropout_is_shared(first, asked)


def test_a_few_are_kept_and_the_oldest_goes(tmp_path: Path):
    for n in range(6):
        folder = tmp_path / str(n)
        share(opened(folder, extra="fghijklm"[:n]), folder, {})
    assert len(vocabularies._known) == 4


def test_what_keeps_no_words_in_threads_is_left_alone(tmp_path: Path):
    made = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"a": 0}, "a")))
    assert share(made, tmp_path, {}) is made
    assert not vocabularies._known
