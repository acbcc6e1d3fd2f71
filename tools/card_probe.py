"""The card of the probe of well-formedness."""

from __future__ import annotations

from typing import Any

from card_parts import CREDITS


def card(told: dict[str, Any]) -> str:
    """Write the card."""
    held, people, training = told["held_out"], told["people"], told["training"]
    kinds = "\n".join(f"| {name} | {share:.1%} |" for name, share in held["by_kind"].items())
    counts = ", ".join(f"{count:,} of {name}" for name, count in training["sentences"].items())
    agreed = ""
    if people is not None:
        lau, sfres, blimp = people["lau"], people["sfres_naturalness"], people["blimp"]
        agreed = f"""
Beside people's judgement, by which nothing was chosen:

| set | n | agreement |
|---|---:|---|
| Lau et al. 2020, acceptability without context | {lau["n"]} | Pearson {lau["pearson"]:.2f}, \
Spearman {lau["spearman"]:.2f} |
| SFRES, naturalness | {sfres["n"]:,} | Spearman {sfres["spearman"]:.2f} |
| BLiMP, minimal pairs | {blimp["pairs"]:,} | {blimp["accuracy"]:.1%} right (chance is 50 %) |

So it tells damage, and is no judge of grammar: on BLiMP's pairs it is little better than chance.
"""
    return f"""\
# well_formed

769 numbers: logistic regression on the mean and the maximum over the wordpieces of hidden layer
{told["layer"]} of {told["encoder"]}. It gives the probability that an English sentence is whole and
not one whose words were swapped, lost, doubled, shuffled or wrongly bent.

| | |
|---|---|
| made by | `tools/train_probe.py` |
| trained on | {training["pairs"]:,} pairs of a sentence and itself damaged: {counts} |
| SHA-256 | `{told["sha256"]}` |
| licence | {told["licence"]}; credits for the text below |

## How good it is

Of {held["pairs"]:,} pairs whose sentences come from stretches of the corpus that were not trained
on, {held["accuracy"]:.1%} are told the right way round.

| damage | right |
|---|---:|
{kinds}
{agreed}
## Limits

- English only, and only beside other scores: where its threshold lies depends on the kind of text.
- A long sentence hides a small fault: what it reads is a mean.

## Credits

{CREDITS.replace("](ATTRIBUTION", "](../../builtin/tiny-gpt2/ATTRIBUTION")}"""
