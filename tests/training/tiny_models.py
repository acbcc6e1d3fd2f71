"""Random models of four families with tokenizers of their own, small enough to learn in seconds."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForMaskedLM,
)

FAMILIES = ("bert", "distilbert", "roberta", "gpt2")
_WIDTH, _LAYERS, _HEADS, _POSITIONS = 32, 1, 2, 64


def make(family: str, folder: Path, texts: Iterable[str]) -> Path:
    """A model folder of that family; its tokenizer has learned the words of the texts."""
    folder.mkdir(parents=True)
    texts = list(texts)
    tokenizer = _word_piece(texts) if family.endswith("bert") else _byte_level(texts, family)
    config: dict[str, Any] = {"model_max_length": _POSITIONS}
    if family.endswith("bert"):
        wrapped = PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
            sep_token="[SEP]", **config,
        )  # fmt: skip
        if family == "distilbert":
            wrapped.model_input_names = ["input_ids", "attention_mask"]
        else:
            wrapped.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
        wrapped.save_pretrained(folder)
    else:
        tokenizer.save(str(folder / "tokenizer.json"))
        names = {"eos_token": "</s>"}
        if family == "roberta":
            names = {"eos_token": "</s>", "bos_token": "<s>", "pad_token": "<pad>"}
        kind = {"roberta": "RobertaTokenizerFast", "gpt2": "PreTrainedTokenizerFast"}[family]
        text = json.dumps({"tokenizer_class": kind, **names, **config})
        (folder / "tokenizer_config.json").write_text(text)
    torch.manual_seed(0)
    _model(family, tokenizer.get_vocab_size()).save_pretrained(folder)
    return folder


def _model(family: str, words: int) -> Any:
    common = {"vocab_size": words, "num_hidden_layers": _LAYERS, "num_attention_heads": _HEADS}
    sizes = {"hidden_size": _WIDTH, "intermediate_size": 2 * _WIDTH}
    if family == "bert":
        return BertModel(BertConfig(**common, **sizes, max_position_embeddings=_POSITIONS))
    if family == "roberta":
        config = RobertaConfig(
            **common, **sizes, max_position_embeddings=_POSITIONS + 2, pad_token_id=1,
            bos_token_id=0, eos_token_id=2, type_vocab_size=1,
        )  # fmt: skip
        return RobertaForMaskedLM(config)
    if family == "distilbert":
        config = DistilBertConfig(
            vocab_size=words, n_layers=_LAYERS, n_heads=_HEADS, dim=_WIDTH, hidden_dim=2 * _WIDTH,
            max_position_embeddings=_POSITIONS,
        )  # fmt: skip
        return DistilBertModel(config)
    config = GPT2Config(
        vocab_size=words, n_layer=_LAYERS, n_head=_HEADS, n_embd=_WIDTH, n_positions=_POSITIONS,
        bos_token_id=2, eos_token_id=2,
    )  # fmt: skip
    return GPT2LMHeadModel(config)


def _word_piece(texts: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(
        texts, trainers.WordPieceTrainer(vocab_size=300, special_tokens=marks, show_progress=False)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return tokenizer


def _byte_level(texts: list[str], family: str) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    marks = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=marks,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    if family == "roberta":
        tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer
