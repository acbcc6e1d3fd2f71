"""Write tests/data/heldout.txt: some of the text that tiny-gpt2 was never trained on.

python tools/make_heldout_sample.py --shared ../shared

About 5 KB of the second held-out block of every part of the corpus, parts divided by a form feed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pretraining import PARTS, ROOT, SHARED, read_part, split_part

SIZE = 5200

CREDITS = """\
# heldout.txt

Text of the corpus that the built-in model was not trained on, for measuring it in the tests. Made
by `tools/make_heldout_sample.py`; four parts divided by a form feed:

1. from an English novel published by 1928 (public domain);
2. from an address of a US president (public domain);
3. from OpenStax, *Principles of Economics*, © 2014 OpenStax College, CC BY;
4. from stories of the African Storybook, CC BY; titles stand in the text, the authors beside the
   titles in `ATTRIBUTION.tsv` of the model's folder.
"""


def main() -> None:
    """Write the sample and its credits."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--out", type=Path, default=ROOT / "tests" / "data")
    args = parser.parse_args()
    pieces = []
    for name, settings in PARTS.items():
        paragraphs = read_part(args.shared / "corpus", name)
        _, held = split_part(paragraphs, int(settings["blocks"]), settings["held_out"])
        piece: list[str] = []
        for paragraph in held[1].split("\n\n"):
            if piece and sum(len(p.encode()) + 2 for p in [*piece, paragraph]) > SIZE:
                break
            piece.append(paragraph)
        pieces.append("\n\n".join(piece))
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "heldout.txt").write_text("\n\f\n".join(pieces) + "\n", encoding="utf-8")
    (args.out / "heldout.md").write_text(CREDITS, encoding="utf-8")


if __name__ == "__main__":
    main()
