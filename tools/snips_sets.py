"""The built-in data sets `intents` and `slots`, from the SNIPS sets of the shared material."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SLOT_ROWS = 215  # of each intent: tags take far more room than texts

SOURCE = """\
[sonos/nlu-benchmark](https://github.com/sonos/nlu-benchmark) @ b86ac7f15778, \
`2017-06-custom-intent-engines`"""

CREDIT = """\
The utterances were collected by Snips. The authors ask for a citation: Coucke et al., *Snips Voice
Platform: an embedded Spoken Language Understanding system for private-by-design voice interfaces*,
2018, [arXiv:1805.10190](https://arxiv.org/abs/1805.10190)."""


def write_facts(out: Path, facts: dict[str, object]) -> None:
    """Write what the package tells about a folder."""
    (out / "facts.json").write_text(
        json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def bare(text: str) -> str:
    """Letters and digits of an utterance, for comparing."""
    return re.sub(r"\W+", "", text).lower()


def write_intents(source: Path, out: Path) -> None:
    """Write utterances with their intents."""
    out.mkdir(parents=True, exist_ok=True)
    rows: dict[str, list[tuple[str, str]]] = {}
    given = {}
    seen: set[str] = set()
    for name, file in (("train", "train.csv"), ("validation", "valid.csv")):
        with (source / file).open(encoding="utf-8", newline="") as stream:
            found = [(row["utterance"].strip(), row["intent"]) for row in csv.DictReader(stream)]
        given[name] = len(found)
        kept = {bare(text): (text, intent) for text, intent in reversed(found)}  # the first stays
        rows[name] = [pair for key, pair in reversed(kept.items()) if key not in seen]
        seen |= kept.keys()
        with (out / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(["text", "intent"])
            writer.writerows(rows[name])
    counts = Counter(intent for _, intent in rows["train"])
    facts = {
        "kind": "dataset",
        "title": "Intents of requests",
        "licence": "CC0 1.0",
        "rows": len(rows["train"]),
        "held_out": len(rows["validation"]),
        "columns": ["text", "intent"],
        "tasks": ["classification"],
        "summary": "What a person said to a voice assistant, and which of seven things was meant: "
        "play music, book a table, ask for the weather and so on.",
    }
    write_facts(out, facts)
    classes = "\n".join(f"| `{name}` | {count} |" for name, count in sorted(counts.items()))
    dropped = sum(given.values()) - sum(map(len, rows.values()))
    text, intent = rows["train"][0]
    card = f"""# intents

What a person said to a voice assistant, and which of seven things was meant.

| | |
|---|---|
| rows | {len(rows["train"]):,} for training (`train.csv`), \
{len(rows["validation"]):,} held out (`validation.csv`) |
| columns | `text`, `intent` |
| language | English |
| licence | CC0 1.0 (public domain dedication) |
| source | {SOURCE} |

For example "{text}": `{intent}`.

| intent | rows for training |
|---|---:|
{classes}

## Credit

{CREDIT}

## How it was made

`python tools/make_builtin_data.py` from a sample of {given["train"]:,} + {given["validation"]:,}
utterances, equally many of each intent. Spaces at the ends were taken off; nothing else in a text
was changed, spelling and capitals included. Rows that repeat an earlier one when only letters and
digits are compared were dropped ({dropped}). Few of the utterances are in `requests` and `slots`.

## Limits

Short, and easy: the words give the intent away.
"""
    (out / "README.md").write_text(card, encoding="utf-8")


def write_slots(source: Path, out: Path) -> None:
    """Write utterances as words, each with a tag."""
    out.mkdir(parents=True, exist_ok=True)
    rows: dict[str, list[dict[str, list[str]]]] = {}
    given = {}
    seen: set[str] = set()
    for name in ("train", "validation"):
        kept = []
        taken: Counter[str] = Counter()
        lines = (source / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        given[name] = len(lines)
        for row in map(json.loads, lines):
            key = bare(row["text"])
            if key in seen or (name == "train" and taken[row["intent"]] == SLOT_ROWS):
                continue
            seen.add(key)
            taken[row["intent"]] += 1
            kept.append({"tokens": row["tokens"], "tags": row["slot_tags"]})
        rows[name] = kept
        dumped = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in kept)
        (out / f"{name}.jsonl").write_text("".join(f"{row}\n" for row in dumped), encoding="utf-8")
    tags = {name: {tag for row in part for tag in row["tags"]} for name, part in rows.items()}
    unseen = sorted(tags["validation"] - tags["train"])
    kinds = sorted({tag[2:] for tag in tags["train"] | tags["validation"]} - {""})
    facts = {
        "kind": "dataset",
        "title": "Slots of requests",
        "licence": "CC0 1.0",
        "rows": len(rows["train"]),
        "held_out": len(rows["validation"]),
        "columns": ["tokens", "tags"],
        "tasks": ["token_classification"],
        "summary": "What a person said to a voice assistant, word by word: which words are the "
        f"artist, the city, the time and so on, {len(kinds)} kinds in all.",
    }
    write_facts(out, facts)
    card = f"""# slots

What a person said to a voice assistant, cut into words, and for each word whether it belongs to a
slot: an artist, a city, a time.

| | |
|---|---|
| rows | {len(rows["train"]):,} for training (`train.jsonl`), \
{len(rows["validation"]):,} held out (`validation.jsonl`) |
| columns | `tokens`, `tags`: lists of the same length |
| tags | BIO (IOB2): `O`, or `B-` and `I-` with one of {len(kinds)} kinds of slots |
| language | English |
| licence | CC0 1.0 (public domain dedication) |
| source | {SOURCE} |

One row:

```json
{json.dumps(rows["train"][0], ensure_ascii=False)}
```

The kinds: {", ".join(f"`{kind}`" for kind in kinds)}. \
{", ".join(f"`{tag}`" for tag in unseen) or "No tag"} occurs among the held-out rows only.

## Credit

{CREDIT}

## How it was made

`python tools/make_builtin_data.py` from a sample of {given["train"]:,} + {given["validation"]:,}
utterances: the first {SLOT_ROWS} of each of seven intents for training, and all held-out ones,
without those that repeat an earlier one when only letters and digits are compared. A text was cut
into runs of word characters and single other characters; the source's marked chunks became tags.

## Limits

Slots are not always tagged consistently; the same utterances, said as requests, are in the set
`requests`.
"""
    (out / "README.md").write_text(card, encoding="utf-8")
