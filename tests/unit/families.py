"""Tiny random models of many families, and rows for them."""

from collections.abc import Callable
from typing import Any

import torch
import transformers as tf

from easymodel_nb.train.tasks.task import Example

WORDS = 61
LENGTHS = (7, 23, 7, 1, 12, 23, 2)
SMALL: dict[str, Any] = {
    "vocab_size": WORDS,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
GROUPED = SMALL | {"num_key_value_heads": 2}
WINDOWED = GROUPED | {"sliding_window": 5}
CAUSAL: dict[str, Callable[[], Any]] = {
    "gpt2": lambda: tf.GPT2Config(
        vocab_size=WORDS, n_embd=32, n_layer=2, n_head=4, n_positions=64,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
    ),
    "gpt2 scaled by layer": lambda: tf.GPT2Config(
        vocab_size=WORDS, n_embd=32, n_layer=2, n_head=4, n_positions=64, resid_pdrop=0.0,
        embd_pdrop=0.0, attn_pdrop=0.0, scale_attn_by_inverse_layer_idx=True,
    ),
    "llama": lambda: tf.LlamaConfig(**GROUPED),
    "mistral": lambda: tf.MistralConfig(**WINDOWED),
    "qwen2": lambda: tf.Qwen2Config(
        **WINDOWED, use_sliding_window=True, max_window_layers=1,
    ),
    "qwen3": lambda: tf.Qwen3Config(**GROUPED, head_dim=8),
    "gpt_neox": lambda: tf.GPTNeoXConfig(**SMALL),
    "phi": lambda: tf.PhiConfig(**SMALL, resid_pdrop=0.0, embd_pdrop=0.0),
    "gemma2": lambda: tf.Gemma2Config(**WINDOWED, head_dim=8, attn_logit_softcapping=0.5),
    "opt": lambda: tf.OPTConfig(
        vocab_size=WORDS, hidden_size=32, word_embed_proj_dim=32, ffn_dim=48, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=64, dropout=0.0, pad_token_id=0,
    ),
}  # fmt: skip


def examples() -> list[Example]:
    generator = torch.Generator().manual_seed(0)
    found = []
    for length in LENGTHS:
        ids = torch.randint(3, WORDS, (length,), generator=generator).tolist()
        found.append(Example(ids, [-100, *ids[1:]]))
    return found


def made(config: Any, kind: Any, **options: Any) -> Any:
    torch.manual_seed(0)
    model = kind.from_config(config, **options).train()
    for name, weight in model.named_parameters():
        if "weight" in name and weight.dim() > 1:
            torch.nn.init.normal_(weight, std=0.3)  # so that a glance at a neighbour shows
    model.config.use_cache = False
    return model


ENCODERS: dict[str, Callable[[], Any]] = {
    "bert": lambda: tf.BertConfig(
        **SMALL, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    ),
    "roberta": lambda: tf.RobertaConfig(
        **SMALL | {"pad_token_id": 1},
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    ),
    "distilbert": lambda: tf.DistilBertConfig(
        vocab_size=WORDS, dim=32, hidden_dim=48, n_layers=2, n_heads=4, max_position_embeddings=64,
        dropout=0.0, attention_dropout=0.0, seq_classif_dropout=0.0,
    ),
    "modernbert": lambda: tf.ModernBertConfig(
        **SMALL, cls_token_id=1, sep_token_id=2, local_attention=8, attention_dropout=0.0,
    ),
}  # fmt: skip
