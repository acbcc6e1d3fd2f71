"""What the cards of both models say: the corpus, its credits, held-out text that repeats."""

from __future__ import annotations

from typing import Any

NAMES = {
    "novels": "novels",
    "speeches": "speeches",
    "textbook": "textbook",
    "stories": "children's stories",
    "all": "all",
}


def repeated(told: dict[str, Any]) -> str:
    """Tell how much of the held-out text stands in the training text too."""
    parts = told["held_out_repeats"]
    length = next(iter(parts.values()))["characters"]
    counts = ", ".join(
        f"{part['in_training']} of {part['stretches']:,} ({NAMES[name]})"
        for name, part in parts.items()
    )
    return f"Stretches of {length} characters that stand in the training text too: {counts}."


def corpus(sizes: dict[str, int], weights: dict[str, float]) -> str:
    """The parts of the corpus as a table: bytes to train on, times read in a pass."""
    size = {name: f"{count / 1e6:.1f}" for name, count in sizes.items()}
    times = {name: f"{weight:g}" for name, weight in weights.items()}
    return f"""\
| part | MB | read per pass | licence |
|---|---:|---:|---|
| 34 English novels, 1852 to 1928 | {size["novels"]} | {times["novels"]} | public domain |
| US presidents' inaugural addresses (1789 to 2021) and State of the Union addresses \
(1945 to 2006) | {size["speeches"]} | {times["speeches"]} | public domain |
| OpenStax *Principles of Economics* | {size["textbook"]} | {times["textbook"]} | CC BY |
| 316 stories of the African Storybook | {size["stories"]} | {times["stories"]} | CC BY |"""


LIMITS = """\
- English only, most of it Victorian and Edwardian. Prejudices of that time about peoples, women
  and classes are in the novels, and can be in what the model writes.
- Not for use beyond demonstration: nothing it writes should be relied on or shown as fact."""

CREDITS = """\
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
