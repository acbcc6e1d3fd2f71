"""The card of tiny-gpt2."""

from __future__ import annotations

from typing import Any

from card_parts import CREDITS, LIMITS, NAMES, corpus, repeated

FACTS = {
    "title": "GPT-2",
    "tasks": ["generation", "classification", "token_classification"],
    "summary": "A very small English model, quick to train without a GPU. For trying things "
    "out: it knows little, and most of what it read was printed before 1930.",
}


def scores(told: dict[str, Any]) -> str:
    """Bits per byte as rows of a table."""
    return "\n".join(
        f"| {NAMES[name]} | {part['bytes']:,} | {part['tokens']:,} | {part['bits_per_byte']:.3f} |"
        for name, part in told["held_out"].items()
    )


def card(told: dict[str, Any], config: dict[str, Any], weights: int) -> str:
    """Write the card."""
    lengths = told["tokens_seen_by_length"]
    seen = told["tokens_seen"] / sum(
        told["train_tokens"][name] * weight for name, weight in told["part_weights"].items()
    )
    rates = told["peak_learning_rates"]
    return f"""\
---
language: en
license: mit
library_name: transformers
pipeline_tag: text-generation
---

# tiny-gpt2

A GPT-2 of {told["parameters"] / 1e6:.1f} million parameters that comes with easymodel-nb, so that
a first fine-tuning needs no download, no account and no GPU. It is for demonstration, teaching and
tests, and for nothing beyond: it writes sentences that look like English and mean little.

| | |
|---|---|
| architecture | `GPT2LMHeadModel`: {config["n_layer"]} layers, width {config["n_embd"]}, \
{config["n_head"]} heads, {config["n_positions"]} positions, tied embeddings, no dropout |
| parameters | {told["parameters"]:,} |
| weights | 16-bit on disk ({weights / 1e6:.1f} MB), float32 once loaded |
| tokenizer | byte-level BPE, {config["vocab_size"]:,} tokens; every byte is known, digits stand \
alone; padding is `<|pad|>`, the end of a text `<|endoftext|>`; nothing is added to a text |
| chat | lines `User: ...` and `Assistant: ...`, the answer closed by `<|endoftext|>`; \
the model has seen no chat before it is fine-tuned |
| language | English |
| licence of the weights | MIT; credits for the text they were trained on below |

## How good it is

Bits per byte on text of the corpus that was kept out of training (contiguous blocks from every
part), measured with the weights as shipped; windows of {config["n_positions"]} tokens that
overlap by half. Lower is better.

| held-out text | bytes | tokens | bits per byte |
|---|---:|---:|---:|
{scores(told)}

{repeated(told)}
One of the held-out stories stands there in another version.

## What it was trained on

{corpus(told["train_bytes"], told["part_weights"])}

Speeches, textbook and stories are read more often than their size asks for, as the texts of today's
users are closer to them than to the novels.

The corpus without the held-out text is {sum(told["train_tokens"].values()):,} tokens long. A
document is a random number of consecutive paragraphs, joined by two line feeds or (one document in
four) by one, and ends in `<|endoftext|>`.

## How it was trained

{told["steps"]:,} steps of {told["tokens_per_step"]:,} tokens, {told["tokens_seen"]:,} tokens in
all ({seen:.2f} passes), in {told["minutes"]:.0f} minutes on two shared processor cores in float32:
{lengths["256"]:,} tokens in windows of 256, then {lengths["512"]:,} in windows of 512. Muon for
the 2-D hidden weights (peak learning rate {rates["muon"]:g}), AdamW for all else
({rates["adamw"]:g}); flat for 30 % of the time, then straight down to zero.

There is no dropout: most of the corpus is read about as often as the passes say, too seldom to be
learned by heart, and without dropout the same batch gives the same loss every time. The activation
is `gelu_pytorch_tanh`, the same function as GPT-2's `gelu_new` in one fused operation.

Again from the start:

```
python tools/pretrain_tiny_gpt2.py --shared ../shared --work build/pretrain --minutes 75
python tools/make_model_card.py tiny-gpt2 --shared ../shared
```

The number of steps depends on the machine, so the weights will differ a little.

## Limits

- Tiny: it knows no facts, does not follow instructions and loses the thread after a sentence.
{LIMITS}

## Credits

{CREDITS}"""
