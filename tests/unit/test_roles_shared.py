"""The roles that are guessed in the shared real data sets, where they are on this machine."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from easymodel_nb.train.drawing import draw
from easymodel_nb.train.roles import choose, class_names, prompt_and_target, turns
from easymodel_nb.workflow.document import DatasetData, FinetuneData

_BESIDE = Path(__file__).parents[3] / "shared"
SHARED = Path(os.environ.get("EASYMODEL_SHARED", _BESIDE)) / "data"


def _csv(path: Path) -> pa.Table:
    quoted = pyarrow.csv.ParseOptions(newlines_in_values=True)
    empty = pyarrow.csv.ConvertOptions(strings_can_be_null=True, null_values=[""])
    return pyarrow.csv.read_csv(path, parse_options=quoted, convert_options=empty)


def _jsonl(path: Path) -> pa.Table:
    lines = path.read_text(encoding="utf-8").split("\n")  # JSON may hold U+2028 as it is
    return pa.Table.from_pylist([json.loads(line) for line in lines if line.strip()])


def _conll(path: Path) -> pa.Table:
    sentences: list[list[list[str]]] = [[]]
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line.strip():
            sentences[-1].append(line.split("\t"))
        elif sentences[-1]:
            sentences.append([])
    kept = [sentence for sentence in sentences if sentence]
    return pa.table({"tokens": [[w for w, _ in s] for s in kept],
                     "tags": [[t for _, t in s] for s in kept]})  # fmt: skip


def _squad(path: Path) -> pa.Table:
    articles = json.loads(path.read_text(encoding="utf-8"))["data"]
    rows = [
        {"id": qa["id"], "context": paragraph["context"], "question": qa["question"],
         "answers": {key: [a[key] for a in qa["answers"]] for key in ("text", "answer_start")}}
        for article in articles for paragraph in article["paragraphs"] for qa in paragraph["qas"]
    ]  # fmt: skip
    return pa.Table.from_pylist(rows)


def _lines(path: Path) -> pa.Table:
    blocks = path.read_text(encoding="utf-8").split("\n\n")
    return pa.table({"text": [block for block in blocks if block.strip()]})


BANKING = "banking77/data/train-00000-of-00001.parquet"
QA = "{context}\n\nQuestion: {question}\nAnswer:"
CASES: list[tuple[str, Callable[[Path], pa.Table], str, dict[str, str]]] = [
    ("gsm8k/train.jsonl", _jsonl, "generation",
     {"prompt_field": "question", "target_field": "answer"}),
    ("sgd_chat/train.jsonl", _jsonl, "generation", {"messages_field": "messages"}),
    ("tinyshakespeare/input.txt", _lines, "generation", {"text_field": "text"}),
    ("xquad_en/xquad.en.json", _squad, "generation",
     {"template": QA, "target_field": "answers.text[0]"}),
    ("xquad_en/xquad.en.json", _squad, "seq2seq",
     {"template": "question: {question} context: {context}", "target_field": "answers.text[0]"}),
    ("e2e_nlg/train.csv", _csv, "seq2seq", {"prompt_field": "mr", "target_field": "ref"}),
    ("e2e_nlg/train.csv", _csv, "generation", {"prompt_field": "mr", "target_field": "ref"}),
    ("ntrex_en_de/train.jsonl", _jsonl, "seq2seq",
     {"prompt_field": "translation.en", "target_field": "translation.de"}),
    (BANKING, pyarrow.parquet.read_table, "classification",
     {"text_field": "text", "label_field": "label"}),
    ("snips_intents/train.csv", _csv, "classification",
     {"text_field": "utterance", "label_field": "intent"}),
    ("wisesight_th/wisesight.csv", _csv, "classification",
     {"text_field": "message", "label_field": "sentiment"}),
    ("snips_slots/train.jsonl", _jsonl, "classification",
     {"text_field": "text", "label_field": "intent"}),
    ("wnut17/train.conll", _conll, "token_classification",
     {"text_field": "tokens", "label_field": "tags"}),
    ("snips_slots/train.jsonl", _jsonl, "token_classification",
     {"text_field": "tokens", "label_field": "slot_tags"}),
]  # fmt: skip


def shared(name: str, read: Callable[[Path], pa.Table]) -> pa.Table:
    path = SHARED / name
    if not path.exists():
        if os.environ.get("CI") and os.environ.get("EASYMODEL_SHARED"):
            pytest.fail(f"EASYMODEL_SHARED is set, but {name} is not there")
        pytest.skip(f"the shared data set {name} is not on this machine")
    return read(path)


@pytest.mark.parametrize(
    ("name", "read", "task", "expected"), CASES, ids=[f"{c[0].split('/')[0]}-{c[2]}" for c in CASES]
)
def test_the_roles_of_a_shared_set(name: str, read: Any, task: Any, expected: dict[str, str]):
    table = shared(name, read)
    data = FinetuneData(task=task)
    roles = choose(table, data)
    assert roles.fields == expected
    assert {field for field, *_ in roles.reasons} == set(expected)
    drawn = draw(table, None, roles, data, DatasetData())
    assert drawn.train.num_rows + drawn.evaluation.num_rows == min(1000, table.num_rows)
    if task == "generation" and roles.messages is None:
        assert all(prompt_and_target(row, roles) for row in drawn.train.to_pylist())


def test_the_conversations_alternate_and_end_with_the_assistant():
    table = shared("sgd_chat/train.jsonl", _jsonl)
    for talk in table["messages"].to_pylist():
        said = turns(talk)
        assert said
        assert [turn["role"] for turn in said] == ["user", "assistant"] * (len(said) // 2)


def test_the_names_of_the_classes_come_from_the_parquet_file():
    names = class_names(shared(BANKING, pyarrow.parquet.read_table), "label")
    assert names is not None
    assert len(names) == 77
    assert names[1] == "activate_my_card"


def test_blank_cells_are_counted_and_left_out():
    table = shared("wisesight_th/wisesight.csv", _csv)
    data = FinetuneData(task="classification", subset_size=None)
    drawn = draw(table, None, choose(table, data), data, DatasetData())
    assert drawn.dropped == {"'message' is empty": 20, "'sentiment' is empty": 40}
    assert drawn.train.num_rows + drawn.evaluation.num_rows == 3440
