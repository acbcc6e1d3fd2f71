"""Write builtin/general: passages of English that the built-in models were never trained on.

python tools/make_general_text.py --shared ../shared

Drawn evenly from the held-out blocks of every part of the corpus; the same input gives the same
files, byte for byte.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

from pretraining import BUILTIN, PARTS, SHARED, read_part, split_part

PASSAGES = 12  # of each part
LEAST, MOST = 600, 1200  # bytes of a passage
STRETCH = 60  # characters
SHORT = 400  # bytes of a story that is taken all the same
TITLES = {
    "novels": "English novels, 1852 to 1928 (public domain)",
    "speeches": "addresses of US presidents (public domain, US government works)",
    "textbook": "OpenStax, *Principles of Economics*, © 2014 OpenStax College (CC BY)",
    "stories": "African Storybook (CC BY), by the authors named below",
}

README = """\
# general

Passages of general English, on which a causal language model's perplexity is measured beside that
of its own task: where it rises, the model forgets. Shown in the studio as forgetting.

| | |
|---|---|
| passages | {passages} in `passages.jsonl`, {bytes:,} bytes of text |
| columns | `text`, `part` |
| language | English |
| licence | public domain and CC BY, see below |
| source | the corpus that the built-in models are pretrained on, its held-out blocks |

{parts}

## How it was drawn

`python tools/make_general_text.py` took the blocks of the corpus that were held out when
tiny-gpt2 and tiny-t5 were pretrained, joined neighbouring paragraphs into passages of
{least} to {most:,} bytes (a story is a passage of its own, cut at a sentence where it is longer),
and took up to {count} of each part, spaced evenly. The parts take turns, so that the first
passages are already a mixture: a measurement with a bound on its tokens reads from the start. A
passage of which {stretch} characters stand word for word in what is trained on was left out.

## Limits

Half of it is old: novels to 1928 and speeches since 1789. Other models than the built-in ones may
have seen the novels and speeches when they were pretrained; what is read is how the perplexity
changes, not how low it is. It says nothing about other languages, code or chat.

## Credit

OpenStax, *Principles of Economics*, is licensed under CC BY (download for free at
openstax.org). The stories come from the African Storybook (africanstorybook.org), CC BY:

{credits}
"""


def passages_of(blocks: list[str]) -> list[str]:
    """Neighbouring paragraphs put together, each passage between LEAST and MOST bytes."""
    found: list[str] = []
    for block in blocks:
        passage = ""
        for paragraph in block.split("\n\n"):
            longer = f"{passage}\n\n{paragraph}" if passage else paragraph
            if len(longer.encode()) > MOST:
                found.append(passage)
                passage = cut(paragraph)
            else:
                passage = longer
            if len(passage.encode()) >= LEAST:
                found.append(passage)
                passage = ""
    return [passage for passage in found if LEAST <= len(passage.encode()) <= MOST]


def stories_of(blocks: list[str], titles: set[str]) -> list[tuple[str, str]]:
    """Title and text of each story; the first of a block may lack its title and is left out."""
    found: list[tuple[str, str]] = []
    for block in blocks:
        title = ""
        for paragraph in block.split("\n\n"):
            if paragraph in titles:
                title = paragraph
            elif title:
                text = cut(paragraph)
                if len(text.encode()) >= SHORT:
                    found.append((title, text))
                title = ""
    return found


def cut(text: str) -> str:
    """As many whole sentences from the start as fit into MOST bytes."""
    ends = [i for i in range(1, len(text)) if text[i].isspace() and text[i - 1] in '.!?"”']
    fitting = [i for i in ends if len(text[:i].encode()) <= MOST]
    if len(text.encode()) <= MOST:
        return text
    return text[: fitting[-1]] if fitting else ""


def repeats(text: str, train: str) -> bool:
    """Whether a stretch of it stands word for word in what is trained on: a story told twice."""
    starts = range(0, len(text) - STRETCH + 1, STRETCH)
    return any(text[start : start + STRETCH] in train for start in starts)


def evenly(found: list[tuple[str, str]], count: int) -> list[tuple[str, str]]:
    """`count` of them, spaced evenly, or all if there are fewer."""
    count = min(count, len(found))
    return [found[int((i + 0.5) * len(found) / count)] for i in range(count)]


def main() -> None:
    """Write the passages, their card and their facts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--out", type=Path, default=BUILTIN / "general")
    args = parser.parse_args()
    corpus = args.shared / "corpus"
    with (corpus / "african_storybook_attribution.tsv").open(encoding="utf-8", newline="") as file:
        authors = {title: author for _, title, author in csv.reader(file, delimiter="\t")}
    drawn: dict[str, list[tuple[str, str]]] = {}
    for part, settings in PARTS.items():
        stretches, held = split_part(
            read_part(corpus, part), int(settings["blocks"]), settings["held_out"]
        )
        if part == "stories":
            found = stories_of(held, set(authors))
        else:
            found = [("", passage) for passage in passages_of(held)]
        train = "\n\n".join("\n\n".join(stretch) for stretch in stretches)
        drawn[part] = evenly([one for one in found if not repeats(one[1], train)], PASSAGES)
    rows = [
        {"text": drawn[part][i][1], "part": part}
        for i in range(PASSAGES)
        for part in PARTS
        if i < len(drawn[part])
    ]
    args.out.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (args.out / "passages.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    size = sum(len(row["text"].encode()) for row in rows)
    write_card(args.out, drawn, authors, len(rows), size)


def write_card(
    out: Path, drawn: dict[str, list[tuple[str, str]]], authors: dict[str, str], n: int, size: int
) -> None:
    """Write README.md and facts.json."""
    parts = [f"- {len(drawn[part])} from {TITLES[part]}" for part in PARTS]
    credits_ = [f"- {title}: {authors[title]}" for title, _ in drawn["stories"]]
    told = {
        "passages": n,
        "bytes": size,
        "parts": "\n".join(parts),
        "credits": "\n".join(credits_),
        "least": LEAST,
        "most": MOST,
        "count": PASSAGES,
        "stretch": STRETCH,
    }
    (out / "README.md").write_text(README.format(**told), encoding="utf-8")
    facts = {
        "kind": "text",
        "title": "General English",
        "licence": "public domain and CC BY",
        "language": "English",
        "passages": n,
        "bytes": size,
        "summary": "Passages on which forgetting is measured.",
    }
    text = json.dumps(facts, indent=2, ensure_ascii=False)
    (out / "facts.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
