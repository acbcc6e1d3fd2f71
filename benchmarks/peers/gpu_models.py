"""What is trained on a GPU: shapes with random weights, and who trains them."""

from dataclasses import dataclass
from typing import Any, Final

from peers.registry import Peer


@dataclass(frozen=True)
class Shape:
    """The shape of a model.

    `multiplied` weights take part in a matrix product for each token: the layers' and the head's,
    not the embedding's, which is looked up.
    """

    title: str
    kind: str  # gpt2 or llama
    layers: int
    width: int
    heads: int
    groups: int  # of keys and values
    inner: int
    vocabulary: int
    tiny: bool = False

    @property
    def multiplied(self) -> int:
        """Weights of the layers and of the head."""
        if self.kind == "gpt2":
            layer = 4 * self.width**2 + 2 * self.width * self.inner
        else:
            keys = self.width * self.groups // self.heads
            layer = 2 * self.width**2 + 2 * self.width * keys + 3 * self.width * self.inner
        return self.layers * layer + self.width * self.vocabulary

    def flops(self, tokens: int, squares: int, *, lora: bool) -> float:
        """Arithmetic that steps need on rows with so many tokens, and so many squared.

        6 a multiplied weight and token (Kaplan et al. 2020, arXiv 2001.08361, 2.1); 4 where the
        weights are frozen. Causal attention: 12 * layers * width * length^2 / 2 a row.
        """
        attention = 12 * self.layers * self.width * squares / 2
        return (4 if lora else 6) * self.multiplied * tokens + attention

    def config(self) -> Any:
        """The configuration of transformers."""
        from transformers import GPT2Config, LlamaConfig  # noqa: PLC0415

        if self.kind == "gpt2":
            return GPT2Config(
                n_layer=self.layers,
                n_embd=self.width,
                n_head=self.heads,
                n_inner=self.inner,
                vocab_size=self.vocabulary,
                n_positions=1024,
                resid_pdrop=0.0,
                embd_pdrop=0.0,
                attn_pdrop=0.0,
                bos_token_id=0,
                eos_token_id=0,
                pad_token_id=1,
            )
        return LlamaConfig(
            num_hidden_layers=self.layers,
            hidden_size=self.width,
            num_attention_heads=self.heads,
            num_key_value_heads=self.groups,
            intermediate_size=self.inner,
            vocab_size=self.vocabulary,
            max_position_embeddings=2048,
            tie_word_embeddings=True,
            bos_token_id=0,
            eos_token_id=0,
            pad_token_id=1,
        )


SHAPES: Final = {
    "tiny": Shape("a tiny Llama", "llama", 2, 64, 4, 2, 160, 512, tiny=True),
    "124M": Shape("GPT-2, 124 M", "gpt2", 12, 768, 12, 12, 3072, 50_257),
    "1B": Shape("Llama 3.2, 1.2 B", "llama", 16, 2048, 32, 8, 8192, 128_256),
}
_TRL = {"gradient_checkpointing": False, "use_liger_kernel": True}
PEERS: Final = {
    peer.name: peer
    for peer in (
        Peer("hf", "HF Trainer, defaults (bf16)", "trainers.hf"),
        Peer("trl", "TRL SFTTrainer, defaults", "trainers.trl_sft", "trl"),
        Peer(
            "trl-packed",
            "TRL, packed, Liger kernels, no checkpointing",
            "trainers.trl_sft",
            "trl-gpu",
            {**_TRL, "packing": True, "per_device_train_batch_size": 4},  # as many rows, packed
        ),
        Peer("ours", "EasyModel", "trainers.ours"),
    )
}
