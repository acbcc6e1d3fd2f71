"""Encoder-decoders with random weights and a tokenizer of bytes, made in a moment."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    MBartConfig,
    MBartForConditionalGeneration,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

PAD, EOS, BOS = 0, 1, 2
_SPECIAL = ["<pad>", "</s>", "<s>", "<unk>", "en_XX"]
_SMALL = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "max_position_embeddings": 256,
    "pad_token_id": PAD,
    "bos_token_id": BOS,
    "eos_token_id": EOS,
}


def byte_tokenizer(template: str, **options: Any) -> PreTrainedTokenizerFast:
    """A token a byte; `template` is what stands around a text, such as "<s> $A </s>"."""
    made = Tokenizer(BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = BpeTrainer(
        vocab_size=len(_SPECIAL) + len(alphabet),
        special_tokens=_SPECIAL,
        initial_alphabet=alphabet,
        show_progress=False,
    )
    made.train_from_iterator([], trainer)
    if template != "$A":
        specials = [(token, made.token_to_id(token)) for token in _SPECIAL]
        made.post_processor = processors.TemplateProcessing(
            single=template, special_tokens=specials
        )
    names = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    if "<s>" in template:
        names["bos_token"] = "<s>"
    return PreTrainedTokenizerFast(tokenizer_object=made, **{**names, **options})


def t5() -> tuple[Any, Any]:
    """Like T5: relative positions, the padding starts an answer, `$A </s>`."""
    tokenizer = byte_tokenizer("$A </s>")
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        pad_token_id=PAD,
        eos_token_id=EOS,
        decoder_start_token_id=PAD,
    )
    return T5ForConditionalGeneration(config), tokenizer


def bart() -> tuple[Any, Any]:
    """Like BART: `<s> $A </s>`, started by the end token, the first token of an answer forced."""
    tokenizer = byte_tokenizer("<s> $A </s>")
    torch.manual_seed(0)
    config = BartConfig(
        **_SMALL,
        vocab_size=len(tokenizer),
        decoder_start_token_id=EOS,
        forced_bos_token_id=BOS,
        forced_eos_token_id=EOS,
    )
    return BartForConditionalGeneration(config), tokenizer


def mbart() -> tuple[Any, Any]:
    """Like mBART: the language code stands last and is moved to the front for the decoder."""
    tokenizer = byte_tokenizer("$A </s> en_XX")
    torch.manual_seed(0)
    config = MBartConfig(
        **_SMALL,
        vocab_size=len(tokenizer),
        decoder_start_token_id=tokenizer.convert_tokens_to_ids("en_XX"),
    )
    return MBartForConditionalGeneration(config), tokenizer


MODELS = {"t5": t5, "bart": bart, "mbart": mbart}


def save(kind: str, folder: Path) -> Path:
    """One of the models with its tokenizer, in a folder that `from_pretrained` reads."""
    for part in MODELS[kind]():
        part.save_pretrained(folder)
    return folder
