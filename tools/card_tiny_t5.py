"""The card of tiny-t5."""

from __future__ import annotations

from typing import Any

from card_parts import CREDITS, LIMITS, NAMES, corpus, repeated

FACTS = {
    "title": "T5",
    "tasks": ["seq2seq"],
    "summary": "A very small English encoder-decoder that turns one text into another, quick to "
    "train without a GPU. For trying things out: it copies well and knows little.",
}
KINDS = {
    "spans": "spans of about three tokens, 15 % in all, stand for sentinels",
    "rest": "everything after some point stands for a sentinel",
    "words": "the whole text, from up to all but 40 % of its words, half of the time moved",
}


def scores(told: dict[str, Any]) -> str:
    """Bits per byte as rows of a table: the kinds of examples, over the parts of the corpus."""
    return "\n".join(
        f"| {kind} | "
        + " | ".join(f"{parts[name]['bits_per_byte']:.3f}" for name in NAMES)
        + f" | {parts['all']['bytes']:,} |"
        for kind, parts in told["held_out"].items()
    )


def card(told: dict[str, Any], config: dict[str, Any], weights: int) -> str:
    """Write the card."""
    rates = told["peak_learning_rates"]
    seen = told["tokens_seen"]
    kinds = "\n".join(f"- **{kind}**: {what};" for kind, what in KINDS.items())
    return f"""\
---
language: en
license: mit
library_name: transformers
pipeline_tag: text2text-generation
---

# tiny-t5

A T5 of {told["parameters"] / 1e6:.1f} million parameters that comes with easymodel-nb, so that a
first model that turns one text into another needs no download, no account and no GPU. It is for
demonstration, teaching and tests, and for nothing beyond. Without fine-tuning it only mends spoiled
text.

| | |
|---|---|
| architecture | `T5ForConditionalGeneration`: {config["num_layers"]} layers in the encoder, \
{config["num_decoder_layers"]} in the decoder, width {config["d_model"]}, inner width \
{config["d_ff"]}, {config["num_heads"]} heads, relative positions, tied embeddings, no dropout |
| parameters | {told["parameters"]:,} |
| weights | 16-bit on disk ({weights / 1e6:.1f} MB), float32 once loaded |
| tokenizer | tiny-gpt2's byte-level BPE and 32 sentinels `<extra_id_0>` to `<extra_id_31>`, \
{config["vocab_size"]:,} tokens in all; every byte is known, digits stand alone; `<|endoftext|>` \
closes every text, padding is `<|pad|>` and starts the decoder |
| language | English |
| licence of the weights | MIT; credits for the text they were trained on below |

## How good it is

Bits per byte of the targets, on text of the corpus that was kept out of training (the same blocks
as tiny-gpt2's), measured with the weights as shipped: the negative log-likelihood of every token of
a target, sentinels and end of text included, over the bytes of its text. Lower is better; the kinds
of examples (below) cannot be compared with each other.

| examples | {" | ".join(NAMES.values())} | bytes |
|---|{"---:|" * len(NAMES)}---:|
{scores(told)}

{repeated(told)}

## What it was trained on

{corpus(told["train_bytes"], told["part_weights"])}

Passages of one or more sentences, of about 16 to 200 tokens, became examples of three kinds, as
many tokens of text of each; source and target end in `<|endoftext|>`:

{kinds[:-1]}.

The first is T5's span corruption, the second the prefix language model of UL2, the third a
denoising autoencoder like BART's.

## How it was trained

{told["steps"]:,} steps of about {told["text_tokens_per_step"]:,} tokens of text; {seen["source"]:,}
tokens of sources and {seen["target"]:,} of targets in all, in {told["minutes"]:.0f} minutes on
{told["threads"]} shared processor core in float32 (in pass {told["passes_begun"]} over the corpus).
Token embeddings began as those of tiny-gpt2, and a few heads as a circuit that copies, which so
short a training hardly finds by itself (`begin_to_copy` in the program). Muon for the 2-D hidden
weights (peak learning rate {rates["muon"]:g}), AdamW for all else ({rates["adamw"]:g}); flat for
30 % of the time, then straight down to zero. No dropout.

Again from the start:

```
python tools/pretrain_tiny_t5.py --corpus ../shared/corpus --work build/pretrain-t5 \
--minutes {told["minutes"]:.0f} --threads {told["threads"]}
python tools/make_model_card.py tiny-t5 --shared ../shared
```

The number of steps depends on the machine, so the weights will differ a little.

## Limits

- Tiny: it knows no facts and follows no instructions; fine-tuned, it copies better than it writes.
{LIMITS}

## Credits

{CREDITS}"""
