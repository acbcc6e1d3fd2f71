"""The audit's figures agree with an independent count on the shared sets.

The count below reads the files with json, csv and pyarrow and asks the plain tokenizer; nothing of
ours is used for it. Every row is trained, so that it does not hang on the seeded draw: a set
without an evaluation split is measured on its first rows, which are trained as well. Columns and
formats are left to be guessed, as `benchmarks/every_set.py` does.
"""

import csv
import json
import math
import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
import pytest
from transformers import AutoTokenizer

from easymodel_nb import builtin
from easymodel_nb.train.auditing.asking import audit_request
from easymodel_nb.train.auditing.audit import audit
from easymodel_nb.train.control import Control
from easymodel_nb.workflow.document import Edge, Node, Workflow

DATA = Path(os.environ.get("EASYMODEL_SHARED", Path(__file__).parents[3] / "shared")) / "data"
MODELS = {
    "generation": "tiny-gpt2",
    "seq2seq": "tiny-t5",
    "classification": "minilm",
    "token_classification": "minilm",
}
BATCH = 4
FIRST = 40  # rows of a set without a split of its own that are measured


class Row(NamedTuple):
    """One trained row: tokens before anything is cut, and what is left."""

    length: int
    cut: bool
    wanted: int  # targets before anything is cut
    learned: int
    read: int  # tokens in one epoch
    windows: int = 1


@dataclass
class Count:
    """What a set gives: its usable rows, of how many in the split, and its classes."""

    rows: list[Row]
    split: int
    classes: Counter[str] = field(default_factory=Counter)


Read = Callable[..., Any]


# ---------------------------------------------------------------- what a task makes of a row


def answered(read: Read, pairs: Iterable[tuple[str, str]], limit: int) -> Count:
    """The prompt loses its start, the target its end where it is too long by itself."""
    rows = []
    for prompt, target in pairs:
        asked, wanted = len(read(prompt)["input_ids"]), len(read(target)["input_ids"]) + 1
        length = asked + wanted
        # With no room for the prompt the first token has nothing to be predicted from.
        learned = wanted if wanted < limit else limit - 1
        rows.append(Row(length, length > limit, wanted, learned, min(length, limit)))
    return Count(rows, len(rows))


def translated(read: Read, pairs: Iterable[tuple[str, str]], limit: int) -> Count:
    """Each side loses its end."""
    rows = []
    for source, target in pairs:
        a, b = len(read(source)["input_ids"]), len(read(text_target=target)["input_ids"])
        kept = min(b, limit)
        rows.append(Row(max(a, b), max(a, b) > limit, b, kept, min(a, limit) + kept))
    return Count(rows, len(rows))


def classed(read: Read, pairs: Iterable[tuple[str | None, str | None]], limit: int) -> Count:
    """Texts lose their end; a row without a text or a class is dropped."""
    found = list(pairs)
    kept = [(text, label) for text, label in found if text and text.strip() and label]
    rows = []
    for text, _ in kept:
        length = len(read(text)["input_ids"])
        rows.append(Row(length, length > limit, 1, 1, min(length, limit)))
    return Count(rows, len(found), Counter(str(label) for _, label in kept))


def tagged(read: Read, texts: Iterable[tuple[list[str], list[str]]], limit: int) -> Count:
    """No word is lost; an entity begins with each B."""
    rows, classes = [], Counter[str]()
    for words, tags in texts:
        length = len(read(words, is_split_into_words=True)["input_ids"])
        assert length <= limit, "windows are counted in tests/unit"
        rows.append(Row(length, cut=False, wanted=len(words), learned=len(words), read=length))
        classes.update(tag[2:] for tag in tags if tag.startswith("B-"))
    return Count(rows, len(rows), classes=classes)


# ---------------------------------------------------------------- the sets


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def tinyshakespeare(read: Read, path: Path, limit: int) -> Count:
    """Blocks between blank lines; windows that overlap by one token."""
    blocks = [block.strip("\n") for block in path.read_text(encoding="utf-8").split("\n\n")]
    rows = []
    for block in filter(None, blocks):
        length = len(read(block)["input_ids"]) + 1
        windows = math.ceil((length - 1) / (limit - 1))
        learned, read_again = length - 1, windows - 1
        rows.append(Row(length, False, learned, learned, length + read_again, windows))  # noqa: FBT003
    return Count(rows, len(rows))


def gsm8k(read: Read, path: Path, limit: int) -> Count:
    rows = lines(path / "train.jsonl")
    return answered(read, [(row["question"], row["answer"]) for row in rows], limit)


def sgd_chat(read: Read, path: Path, limit: int) -> Count:
    """The oldest questions go with their answers; the last pair as a prompt and its target do."""
    rows = []
    for row in lines(path / "train.jsonl"):
        turns = [turn["content"] for turn in row["messages"]]
        pairs = list(zip(turns[::2], turns[1::2], strict=True))
        asked = [f"User: {question}\nAssistant:" for question, _ in pairs]
        answers = [f" {answer}<|endoftext|>" for _, answer in pairs]
        sizes = [len(read("".join(p))["input_ids"]) for p in zip(asked, answers, strict=True)]
        wanted = [len(read(answer)["input_ids"]) for answer in answers]
        first = next((n for n in range(len(pairs)) if sum(sizes[n:]) <= limit), len(pairs) - 1)
        length, kept = sum(sizes), sum(sizes[first:])
        learned = sum(wanted[first:]) if wanted[-1] < limit else limit - 1
        rows.append(Row(length, length > limit, sum(wanted), learned, min(kept, limit)))
    return Count(rows, len(rows))


def questions(path: Path, layout: str) -> list[tuple[str, str]]:
    data = json.loads(path.read_text(encoding="utf-8"))["data"]
    paragraphs = [paragraph for article in data for paragraph in article["paragraphs"]]
    return [
        (layout.format(context=p["context"], question=q["question"]), q["answers"][0]["text"])
        for p in paragraphs
        for q in p["qas"]
    ]


def xquad(read: Read, path: Path, limit: int) -> Count:
    return answered(read, questions(path, "{context}\n\nQuestion: {question}\nAnswer:"), limit)


def xquad_written(read: Read, path: Path, limit: int) -> Count:
    return translated(read, questions(path, "question: {question} context: {context}"), limit)


def e2e_nlg(read: Read, path: Path, limit: int) -> Count:
    return translated(read, [(row["mr"], row["ref"]) for row in table(path / "train.csv")], limit)


def ntrex(read: Read, path: Path, limit: int) -> Count:
    rows = [row["translation"] for row in lines(path / "train.jsonl")]
    return translated(read, [(row["en"], row["de"]) for row in rows], limit)


def banking77(read: Read, path: Path, limit: int) -> Count:
    found = pq.read_table(path / "data" / "train-00000-of-00001.parquet")
    info = json.loads(found.schema.metadata[b"huggingface"])
    names = info["info"]["features"]["label"]["names"]
    return classed(read, [(r["text"], names[r["label"]]) for r in found.to_pylist()], limit)


def snips_intents(read: Read, path: Path, limit: int) -> Count:
    rows = table(path / "train.csv")
    return classed(read, [(row["utterance"], row["intent"]) for row in rows], limit)


def wisesight(read: Read, path: Path, limit: int) -> Count:
    return classed(read, [(row["message"], row["sentiment"]) for row in table(path)], limit)


def wnut17(read: Read, path: Path, limit: int) -> Count:
    texts: list[tuple[list[str], list[str]]] = [([], [])]
    for line in (path / "train.conll").read_text(encoding="utf-8").split("\n"):
        if line.strip():
            word, tag = line.split("\t")
            texts[-1][0].append(word)
            texts[-1][1].append(tag)
        elif texts[-1][0]:
            texts.append(([], []))
    return tagged(read, [text for text in texts if text[0]], limit)


def snips_slots(read: Read, path: Path, limit: int) -> Count:
    rows = lines(path / "train.jsonl")
    return tagged(read, [(row["tokens"], row["slot_tags"]) for row in rows], limit)


class Case(NamedTuple):
    """A set, its task, a maximum length that cuts some of it, and how it is counted."""

    path: str
    task: str
    limit: int
    by: Callable[[Read, Path, int], Count]
    split: bool = True  # whether it has one to measure


CASES = (
    Case("tinyshakespeare/input.txt", "generation", 64, tinyshakespeare, split=False),
    Case("gsm8k", "generation", 128, gsm8k),
    Case("sgd_chat", "generation", 256, sgd_chat),
    Case("sgd_chat", "generation", 8, sgd_chat),  # shorter than some answers are
    Case("xquad_en/xquad.en.json", "generation", 256, xquad, split=False),
    Case("xquad_en/xquad.en.json", "seq2seq", 192, xquad_written, split=False),
    Case("e2e_nlg", "seq2seq", 48, e2e_nlg),
    Case("ntrex_en_de", "seq2seq", 48, ntrex),
    Case("banking77", "classification", 16, banking77),
    Case("snips_intents", "classification", 12, snips_intents),
    Case("wisesight_th/wisesight.csv", "classification", 32, wisesight, split=False),
    Case("wnut17", "token_classification", 256, wnut17),
    Case("snips_slots", "token_classification", 64, snips_slots),
)


def source(name: str) -> Path:
    if not (DATA / name).exists():
        if os.environ.get("CI") == "1" and os.environ.get("EASYMODEL_SHARED"):
            pytest.fail(f"{DATA / name} is not there")
        pytest.skip(f"the shared set {name} is not there (EASYMODEL_SHARED)")
    return DATA / name


def request(case: Case, path: Path) -> dict[str, Any]:
    finetune = {
        "task": case.task,
        "max_length": case.limit,
        "subset_size": None,
        "epochs": 2,
        "batch_size": BATCH,
    }
    dataset = {"source": str(path)} | ({} if case.split else {"eval_split": f"train[:{FIRST}]"})
    nodes = [
        Node(id="m1", type="model", data={"source": f"builtin:{MODELS[case.task]}"}),
        Node(id="d1", type="dataset", data=dataset),
        Node(id="f1", type="finetune", data=finetune),
    ]
    edges = [
        Edge(id="a", source="m1", sourceHandle="model", target="f1", targetHandle="model"),
        Edge(id="b", source="d1", sourceHandle="dataset", target="f1", targetHandle="dataset"),
    ]
    return audit_request(Workflow(nodes=nodes, edges=edges), "f1")


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.by.__name__}-{c.limit}")
def test_the_figures_agree_with_an_independent_count(case: Case, home: Path):
    path = source(case.path)
    read = AutoTokenizer.from_pretrained(builtin.path(MODELS[case.task]))
    count = case.by(read, path, case.limit)
    found = audit(request(case, path), home, lambda: None, Control(home))
    assert [p for p in found.problems if p.severity == "error"] == []
    rows = count.rows
    lengths = np.array([row.length for row in rows])
    wanted, learned = (sum(getattr(row, name) for row in rows) for name in ("wanted", "learned"))
    assert found.split_rows == count.split
    assert found.rows == len(rows)
    assert found.cut_rows == sum(row.cut for row in rows)
    assert found.cut_share == pytest.approx(found.cut_rows / len(rows))
    parts = case.task in ("generation", "seq2seq")
    assert found.cut_target_tokens == (wanted - learned if parts else None)
    if parts:
        assert found.cut_target_share == pytest.approx((wanted - learned) / wanted)
    assert found.tokens == sum(row.read for row in rows)
    assert found.learned_tokens == learned
    assert found.empty_rows == sum(row.learned == 0 for row in rows)
    assert (found.median_length, found.longest) == (np.median(lengths), lengths.max())
    assert [bar.count for bar in found.lengths] == [
        int(((bar.low <= lengths) & (lengths <= bar.high)).sum()) for bar in found.lengths
    ]
    assert sum(bar.count for bar in found.lengths) == len(rows)
    assert found.classes == dict(count.classes)
    examples = sum(row.windows for row in rows)
    steps = math.ceil(examples / BATCH)
    assert found.examples_per_epoch == examples
    assert (found.steps_per_epoch, found.steps) == (steps, 2 * steps)


def test_rows_without_a_value_are_counted_by_their_reason(home: Path):
    case = next(case for case in CASES if case.by is wisesight)
    path = source(case.path)
    rows, held = table(path), table(path)[:FIRST]
    message = sum(not row["message"].strip() for row in [*rows, *held])
    sentiment = sum(not row["sentiment"] and bool(row["message"].strip()) for row in [*rows, *held])
    found = audit(request(case, path), home, lambda: None, Control(home))
    assert found.dropped == {"'message' is empty": message, "'sentiment' is empty": sentiment}
