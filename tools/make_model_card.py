"""Write the card, the credits and facts.json of tiny-gpt2 from what the pretraining measured.

python tools/make_model_card.py --shared ../shared

No number of the card is typed here: they come from `pretraining.json`, which
`tools/pretrain_tiny_gpt2.py` writes at its end, from the model's configuration and its weights.
Without `pretraining.json` (training goes on) the card only says so.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import struct
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NAMES = {
    "novels": "novels",
    "speeches": "speeches",
    "textbook": "textbook",
    "stories": "children's stories",
    "all": "all",
}


def parameters(weights: Path) -> int:
    """Count the numbers in a safetensors file, by its header."""
    with weights.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return sum(math.prod(t["shape"]) for name, t in header.items() if name != "__metadata__")


def scores(told: dict[str, Any]) -> str:
    """Bits per byte as rows of a table."""
    return "\n".join(
        f"| {NAMES[name]} | {part['bytes']:,} | {part['tokens']:,} | {part['bits_per_byte']:.3f} |"
        for name, part in told["held_out"].items()
    )


def repeated(told: dict[str, Any]) -> str:
    """Tell how much of the held-out text stands in the training text too."""
    parts = told["held_out_repeats"]
    length = next(iter(parts.values()))["characters"]
    counts = ", ".join(
        f"{part['in_training']} of {part['stretches']:,} ({NAMES[name]})"
        for name, part in parts.items()
    )
    return f"Stretches of {length} characters that stand in the training text too: {counts}."


def card(told: dict[str, Any], config: dict[str, Any], weights: int) -> str:
    """Write the card."""
    lengths = told["tokens_seen_by_length"]
    size = {name: f"{count / 1e6:.1f}" for name, count in told["train_bytes"].items()}
    times = {name: f"{weight:g}" for name, weight in told["part_weights"].items()}
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

| part | MB | read per pass | licence |
|---|---:|---:|---|
| 34 English novels, 1852 to 1928 | {size["novels"]} | {times["novels"]} | public domain |
| US presidents' inaugural addresses (1789 to 2021) and State of the Union addresses \
(1945 to 2006) | {size["speeches"]} | {times["speeches"]} | public domain |
| OpenStax *Principles of Economics* | {size["textbook"]} | {times["textbook"]} | CC BY |
| 316 stories of the African Storybook | {size["stories"]} | {times["stories"]} | CC BY |

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
python tools/make_model_card.py --shared ../shared
```

The number of steps depends on the machine, so the weights will differ a little.

## Limits

- Tiny: it knows no facts, does not follow instructions and loses the thread after a sentence.
- English only, most of it Victorian and Edwardian. Prejudices of that time about peoples, women
  and classes are in the novels, and can be in what the model writes.
- Not for use beyond demonstration: nothing it writes should be relied on or shown as fact.

## Credits

- OpenStax, *Principles of Economics*, © 2014 OpenStax College, licensed under CC BY; text
  from [philschatz/economics-book](https://github.com/philschatz/economics-book) @ d3f319e7a162.
- African Storybook, <https://www.africanstorybook.org>, stories licensed under CC BY; the title and
  author of each are in [ATTRIBUTION.tsv](ATTRIBUTION.tsv); text taken from
  [global-asp/asp-source](https://github.com/global-asp/asp-source) @ 99e022369a98.
- Novels from <https://github.com/computationalstylistics/100_english_novels> @ 143e601875d7, of
  authors who died by 1941.
- Speeches from [nltk/nltk_data](https://github.com/nltk/nltk_data) @ 5db857e6f7df
  (inaugural, state_union).

The texts were cut into paragraphs and tokens for training; they are not part of this folder. Their
authors and publishers do not endorse this model.
"""


def main() -> None:
    """Write card, credits and facts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shared = os.environ.get("EASYMODEL_SHARED", str(ROOT.parent / "shared"))
    parser.add_argument("--shared", type=Path, default=Path(shared))
    folder = ROOT / "src" / "easymodel_nb" / "builtin" / "tiny-gpt2"
    parser.add_argument("--out", type=Path, default=folder)
    args = parser.parse_args()
    out: Path = args.out

    credits_file = args.shared / "corpus" / "african_storybook_attribution.tsv"
    authors = "file\ttitle\tauthor\n" + credits_file.read_text(encoding="utf-8")
    (out / "ATTRIBUTION.tsv").write_text(authors, encoding="utf-8")
    weights = out / "model.safetensors"
    config = json.loads((out / "config.json").read_text())
    count = parameters(weights)
    measured = out / "pretraining.json"
    if measured.exists():
        told = json.loads(measured.read_text())
        text = card(told, config, weights.stat().st_size)
    else:
        text = "# tiny-gpt2\n\nAn early state: pretraining goes on, nothing is measured yet.\n"
    (out / "README.md").write_text(text, encoding="utf-8")
    facts = {
        "kind": "model",
        "title": f"GPT-2, {count / 1e6:.1f} M parameters",
        "licence": "MIT",
        "parameters": count,
        "bytes": sum(f.stat().st_size for f in out.iterdir() if f.name != "facts.json"),
        "tasks": ["generation", "classification", "token_classification"],
        "summary": "A very small English model, quick to train without a GPU. For trying things "
        "out: it knows little, and most of what it read was printed before 1930.",
    }
    (out / "facts.json").write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    print(json.dumps(facts, indent=2))


if __name__ == "__main__":
    main()
