"""Write the card, the credits and facts.json of a model from what its pretraining measured.

python tools/make_model_card.py tiny-t5 --shared ../shared

No number of a card is typed in: they come from `pretraining.json`, which the pretraining writes at
its end, from the model's configuration and its weights. Without `pretraining.json` (training goes
on) the card only says so. The texts are in `card_tiny_gpt2.py` and `card_tiny_t5.py`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import struct
from pathlib import Path

import card_tiny_gpt2
import card_tiny_t5

ROOT = Path(__file__).resolve().parent.parent
CARDS = {"tiny-gpt2": card_tiny_gpt2, "tiny-t5": card_tiny_t5}


def parameters(weights: Path) -> int:
    """Count the numbers in a safetensors file, by its header."""
    with weights.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return sum(math.prod(t["shape"]) for name, t in header.items() if name != "__metadata__")


def main() -> None:
    """Write card, credits and facts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shared = os.environ.get("EASYMODEL_SHARED", str(ROOT.parent / "shared"))
    parser.add_argument("--shared", type=Path, default=Path(shared))
    parser.add_argument("model", choices=CARDS)
    parser.add_argument("--out", type=Path, help="the model's folder")
    args = parser.parse_args()
    out: Path = args.out or ROOT / "src" / "easymodel_nb" / "builtin" / args.model
    card = CARDS[args.model]

    credits_file = args.shared / "corpus" / "african_storybook_attribution.tsv"
    authors = "file\ttitle\tauthor\n" + credits_file.read_text(encoding="utf-8")
    (out / "ATTRIBUTION.tsv").write_text(authors, encoding="utf-8")
    weights = out / "model.safetensors"
    config = json.loads((out / "config.json").read_text())
    count = parameters(weights)
    measured = out / "pretraining.json"
    if measured.exists():
        told = json.loads(measured.read_text())
        text = card.card(told, config, weights.stat().st_size)
    else:
        text = f"# {args.model}\n\nAn early state: pretraining goes on, nothing is measured yet.\n"
    (out / "README.md").write_text(text, encoding="utf-8")
    facts = {
        "kind": "model",
        "title": f"{card.FACTS['title']}, {count / 1e6:.1f} M parameters",
        "licence": "MIT",
        "parameters": count,
        "bytes": sum(f.stat().st_size for f in out.iterdir() if f.name != "facts.json"),
        "tasks": card.FACTS["tasks"],
        "summary": card.FACTS["summary"],
    }
    (out / "facts.json").write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    print(json.dumps(facts, indent=2))


if __name__ == "__main__":
    main()
