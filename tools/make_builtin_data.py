"""Make the built-in data sets from the project's shared material.

python tools/make_builtin_data.py --shared ../shared

needs nothing but Python; the same input gives the same files, byte for byte.
"""

from __future__ import annotations

import argparse
import json
import os
import re
from pathlib import Path

from snips_sets import CREDIT, SOURCE, bare, write_facts, write_intents, write_slots

ROOT = Path(__file__).resolve().parent.parent

Row = dict[str, str]


def words(name: str) -> str:
    """Split a name of the source (GetWeather, best_rating, timeRange) into lower-case words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).lower()


def slots(row: dict[str, list[str] | str]) -> list[tuple[str, str]]:
    """Names and values of the slots of one row, each value as it stands in the text."""
    text = str(row["text"])
    found: list[tuple[str, int, int]] = []
    at = 0
    for token, tag in zip(row["tokens"], row["slot_tags"], strict=True):
        start = text.index(token, at)
        at = start + len(token)
        if tag.startswith("B-"):
            found.append((tag[2:], start, at))
        elif tag.startswith("I-"):
            name, begin, _ = found[-1]
            found[-1] = (name, begin, at)
    return [(words(name), text[start:end]) for name, start, end in found]


def request(row: dict[str, list[str] | str]) -> Row:
    """Turn a tagged utterance into a prompt and its target.

    The target begins with a space and the prompt ends without one: a byte-level tokenizer keeps a
    space with the word after it, so prompt and target may be tokenised apart and their ids joined.
    """
    lines = [f"Intent: {words(str(row['intent']))}"]
    lines += [f"{name}: {value}" for name, value in slots(row)]
    prompt = "\n".join([*(line[0].upper() + line[1:] for line in lines), "Request:"])
    return {
        "prompt": prompt,
        "target": " " + str(row["text"]).strip(),
        "intent": str(row["intent"]),
    }


def read(file: Path) -> list[Row]:
    """Read one split, without repeated rows."""
    rows = [request(json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]
    return list({(row["prompt"], row["target"]): row for row in rows}.values())


def write_requests(source: Path, out: Path) -> None:
    """Write the data set of requests."""
    out.mkdir(parents=True, exist_ok=True)
    given = {
        split: len((source / f"{split}.jsonl").read_text(encoding="utf-8").splitlines())
        for split in ("train", "validation")
    }
    train, validation = read(source / "train.jsonl"), read(source / "validation.jsonl")
    repeated = given["train"] - len(train), given["validation"] - len(validation)
    seen = {bare(row["target"]) for row in train}
    kept = [row for row in validation if bare(row["target"]) not in seen]
    for name, rows in (("train", train), ("validation", kept)):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (out / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    facts = {
        "kind": "dataset",
        "title": "Requests to a voice assistant",
        "licence": "CC0 1.0",
        "rows": len(train),
        "held_out": len(kept),
        "columns": ["prompt", "target", "intent"],
        "tasks": ["generation", "classification", "seq2seq"],
        "summary": "An intent and its details as the prompt, what a person said as the target: "
        "book a table, add a song, ask for the weather. Seven intents; the column intent also "
        "serves for classification.",
    }
    write_facts(out, facts)
    example = train[0]
    card = f"""# requests

Requests to a voice assistant, turned into a task of writing: from an intent and its details, say it
as a person would.

| | |
|---|---|
| rows | {len(train):,} for training (`train.jsonl`), \
{len(kept):,} held out (`validation.jsonl`) |
| columns | `prompt`, `target`, `intent` |
| language | English |
| licence | CC0 1.0 (public domain dedication) |
| source | {SOURCE} |

One row:

```json
{json.dumps(example, ensure_ascii=False, indent=2)}
```

## Credit

{CREDIT}

## How it was made

`python tools/make_builtin_data.py` from a sample of {given["train"]:,} + {given["validation"]:,}
utterances with their slots, 430 of each of seven intents for training. The intent and the slots
became the lines of the prompt, in the order in which they occur; names were split into words;
values are as in the utterance. The utterance, without spaces at its ends, is the target; nothing
else in it was changed, spelling and capitals included. Rows with the same prompt and target as an
earlier one were dropped ({repeated[0]} from training, {repeated[1]} from validation), and so were
{len(validation) - len(kept)} validation rows whose utterance occurs in training when only letters
and digits are compared.

The target begins with one space and the prompt ends with none, so that prompt and target can be
tokenised apart by a byte-level tokenizer.

## Limits

Short utterances with the errors of the people who wrote them; slots are not always tagged
consistently.
"""
    (out / "README.md").write_text(card, encoding="utf-8")


def write_shakespeare(source: Path, out: Path) -> None:
    """Write the text of plays, cut in two at a blank line."""
    out.mkdir(parents=True, exist_ok=True)
    text = source.read_bytes().decode("utf-8")
    cut = text.index("\n\n", int(len(text) * 0.9)) + 2
    parts = {"train": text[:cut], "validation": text[cut:]}
    counts = {}
    for name, part in parts.items():
        (out / f"{name}.txt").write_bytes(part.encode("utf-8"))
        counts[name] = len([speech for speech in part.split("\n\n") if speech.strip()])
    facts = {
        "kind": "dataset",
        "title": "Shakespeare",
        "licence": "Public domain",
        "rows": counts["train"],
        "held_out": counts["validation"],
        "columns": ["text"],
        "tasks": ["generation"],
        "summary": "Plain text of plays by William Shakespeare, 1.1 MB. A row is a speech: the "
        "speaker's name, then the lines; blank lines stand between.",
    }
    write_facts(out, facts)
    size = {name: len(part.encode()) for name, part in parts.items()}
    card = f"""# shakespeare

Plays by William Shakespeare as plain text, known as "tiny Shakespeare".

| | |
|---|---|
| `train.txt` | {counts["train"]:,} speeches, {size["train"]:,} bytes |
| `validation.txt` | {counts["validation"]:,} speeches, {size["validation"]:,} bytes |
| form | speaker and colon on a line, the lines of the speech, a blank line |
| language | English, about 1600 |
| licence | the text is in the public domain; the repository it comes from is MIT |
| source | [karpathy/char-rnn](https://github.com/karpathy/char-rnn) @ 6f9487a6fe5b, \
`data/tinyshakespeare/input.txt` |

## Credit

William Shakespeare; put together by Andrej Karpathy.

## How it was made

`python tools/make_builtin_data.py` cut the text at the first blank line after 90 % of it. The
two files one after the other are the source, byte for byte.

## Limits

The language, the view of the world and the insults are those of 1600. The held-out part is the end
of the text, with persons who hardly occur before it, so it is harder than a random sample would be.
"""
    (out / "README.md").write_text(card, encoding="utf-8")


def main() -> None:
    """Make all data sets."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shared = os.environ.get("EASYMODEL_SHARED", str(ROOT.parent / "shared"))
    parser.add_argument("--shared", type=Path, default=Path(shared))
    parser.add_argument("--out", type=Path, default=ROOT / "src" / "easymodel_nb" / "builtin")
    args = parser.parse_args()
    write_intents(args.shared / "data" / "snips_intents", args.out / "intents")
    write_slots(args.shared / "data" / "snips_slots", args.out / "slots")
    write_requests(args.shared / "data" / "snips_slots", args.out / "requests")
    write_shakespeare(
        args.shared / "data" / "tinyshakespeare" / "input.txt", args.out / "shakespeare"
    )


if __name__ == "__main__":
    main()
