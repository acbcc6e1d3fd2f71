"""What is trained: real rows of `../shared/data`, in one plain form a kind of task."""

import csv
import json
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("EASYMODEL_SHARED", ROOT.parent / "shared")) / "data"
TRAIN_ROWS = 1_600
BATCH = 16  # rows a step, on average where batches are cut by tokens
EPOCHS = 2  # 200 steps

Kind = Literal["completion", "text", "classification", "tags", "seq2seq"]
Row = dict[str, Any]
Split = tuple[list[Row], list[Row]]


@dataclass(frozen=True)
class Workload:
    """One task on one data set.

    `rows` gives the trained and the held-out rows, as dicts with `prompt` and `completion`,
    `text`, `text` and `label`, `tokens` and `tags`, or `source` and `target`, by kind.
    `goal` is how many times the speed of the HF Trainer's defaults is aimed at.
    """

    name: str
    title: str
    kind: Kind
    model: str
    max_length: int
    learning_rate: float
    goal: float
    peers: tuple[str, ...]
    rows: Callable[[], Split]


class MissingDataError(Exception):
    """Data that is not where it is looked for; the message says what to do."""


def _file(*parts: str) -> Path:
    path = SHARED.joinpath(*parts)
    if not path.exists():
        raise MissingDataError(
            f"{path} is not there. The benchmark trains on the data sets of the shared folder: "
            "name the folder that holds data/ in EASYMODEL_SHARED."
        )
    return path


def _lines(*parts: str) -> list[Row]:
    with _file(*parts).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _table(*parts: str) -> list[Row]:
    with _file(*parts).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _some(rows: list[Row], count: int) -> list[Row]:
    """As many rows, drawn with a fixed seed."""
    return random.Random(7).sample(rows, min(count, len(rows)))


def _problems() -> Split:
    """A question with its line end, and the answer: tokenised apart or together, the same ids."""
    train, held = (
        [{"prompt": row["question"] + "\n", "completion": row["answer"]} for row in _lines(*name)]
        for name in (("gsm8k", "train.jsonl"), ("gsm8k", "validation.jsonl"))
    )
    return _some(train, TRAIN_ROWS), _some(held, 100)


def _problem_texts() -> Split:
    train, held = (
        [{"text": row["prompt"] + row["completion"]} for row in rows] for rows in _problems()
    )
    return train, held


_LONGEST = 1_400  # characters: no speech is cut at 512 tokens, so all peers learn the same ones


def _speeches() -> Split:
    whole = _file("tinyshakespeare", "input.txt").read_text(encoding="utf-8")
    found = list(dict.fromkeys(part.strip() for part in whole.split("\n\n")))
    rows = [{"text": part} for part in found if 0 < len(part) <= _LONGEST]
    chosen = _some(rows, TRAIN_ROWS + 300)
    return chosen[:TRAIN_ROWS], chosen[TRAIN_ROWS:]


def _intents() -> Split:
    train, held = (
        [{"text": row["utterance"], "label": row["intent"]} for row in _table("snips_intents", n)]
        for n in ("train.csv", "valid.csv")
    )
    return _some(train, TRAIN_ROWS), held


def _slots() -> Split:
    train, held = (
        [{"tokens": row["tokens"], "tags": row["slot_tags"]} for row in _lines("snips_slots", n)]
        for n in ("train.jsonl", "validation.jsonl")
    )
    return _some(train, TRAIN_ROWS), held


def _restaurants() -> Split:
    train, held = (
        [{"source": row["mr"], "target": row["ref"]} for row in _table("e2e_nlg", n)]
        for n in ("train.csv", "validation.csv")
    )
    return _some(train, TRAIN_ROWS), _some(held, 200)


_OURS = ("ours", "ours-fp32")
_LANGUAGE = ("hf", "hf-max", "hf-grouped", "hf-bf16", "trl", "trl-best", "llamafactory", *_OURS)
_FORMS = ("hf", "hf-max", "hf-grouped", "hf-bf16", "autotrain", *_OURS)
_SHORT = ("hf", "hf-max", "hf-bf16", *_OURS)

WORKLOADS = {
    found.name: found
    for found in (
        Workload(
            "gsm8k",
            "GSM8K, answers only (GPT-2 4x256, mean 159 tokens)",
            "completion",
            "gpt2-gsm8k",
            512,
            1e-3,
            2.2,
            _LANGUAGE,
            _problems,
        ),
        Workload(
            "speeches",
            "Tiny Shakespeare by speech (GPT-2 4x256, mean 46 tokens, lengths vary much)",
            "text",
            "gpt2-speeches",
            512,
            1e-3,
            4.0,
            _LANGUAGE,
            _speeches,
        ),
        Workload(
            "intents",
            "SNIPS intents, text classification (MiniLM-L6)",
            "classification",
            "minilm-intents",
            128,
            1e-4,
            2.0,
            _FORMS,
            _intents,
        ),
        Workload(
            "gsm8k-plain",
            "GSM8K as plain text (GPT-2 4x256)",
            "text",
            "gpt2-gsm8k",
            512,
            1e-3,
            3.0,
            _SHORT,
            _problem_texts,
        ),
        Workload(
            "slots",
            "SNIPS slots, token classification (MiniLM-L6)",
            "tags",
            "minilm-slots",
            128,
            1e-4,
            1.7,
            _SHORT,
            _slots,
        ),
        Workload(
            "e2e",
            "E2E NLG, sequence to sequence (T5 3+2x224)",
            "seq2seq",
            "tiny-t5",
            128,
            1e-3,
            1.7,
            _SHORT,
            _restaurants,
        ),
    )
}


def write(workload: Workload, folder: Path, rows: int = TRAIN_ROWS) -> Path:
    """The rows as `train.jsonl` and `validation.jsonl` below `folder`, once; of the first `rows`.

    Raises
    ------
    MissingDataError
        When the data is not there.

    """
    place = folder / f"{workload.name}-{rows}"
    if not (place / "validation.jsonl").exists():
        place.mkdir(parents=True, exist_ok=True)
        train, held = workload.rows()
        for name, found in (("train", train[:rows]), ("validation", held)):
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found)
            (place / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return place


def read(folder: Path, split: str) -> list[Row]:
    """The rows of one split, as `write` wrote them."""
    with (folder / f"{split}.jsonl").open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]  # not splitlines: a text may hold U+2028
