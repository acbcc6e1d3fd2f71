"""JSON lines and JSON files: every layout gives the rows that were written."""

import gzip
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from easymodel_nb.train.data import json_files

same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
VALUE = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), TEXT)
NESTED = st.fixed_dictionaries(
    {
        "role": TEXT,
        "parts": st.lists(st.fixed_dictionaries({"n": st.integers(-9, 9), "text": TEXT})),
    }
)
XY = [{"a": "x"}, {"a": "y"}]


def lines(rows: list[Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@same_folder
@given(st.lists(st.fixed_dictionaries({"prompt": TEXT, "target": TEXT}), min_size=1, max_size=8))
def test_jsonl_gives_back_what_was_written(reads: Any, rows: list[dict[str, str]]):
    assert reads.rows("a.jsonl", lines(rows)) == rows
    assert reads.rows("a.json", json.dumps(rows)) == rows
    assert reads.rows("a.jsonl.gz", gzip.compress(lines(rows).encode())) == rows


@same_folder
@given(st.lists(NESTED, min_size=1, max_size=5))
def test_nested_rows_are_given_back(reads: Any, rows: list[dict[str, Any]]):
    assert reads.rows("a.jsonl", lines(rows)) == rows


@same_folder
@given(st.lists(st.fixed_dictionaries({"a": VALUE}), min_size=1, max_size=8))
def test_values_of_mixed_kinds_are_json_text(reads: Any, rows: list[dict[str, Any]]):
    read = [row["a"] for row in reads.rows("a.jsonl", lines(rows))]
    for value, row in zip(read, rows, strict=True):
        assert value == row["a"] or value == json.dumps(row["a"], ensure_ascii=False)


def test_what_differs_deep_inside_costs_the_rest_nothing(reads: Any):
    rows = [
        {"messages": [{"role": "user", "content": "hi"}]},
        {"messages": [{"role": "tool", "content": {"n": 1}, "name": "f"}]},
    ]
    assert [row["messages"][0] for row in reads.rows("a.jsonl", lines(rows))] == [
        {"role": "user", "content": "hi", "name": None},
        {"role": "tool", "content": '{"n": 1}', "name": "f"},
    ]
    assert reads.notes == ["column.mixed"]


def test_kinds_are_those_of_all_chunks(reads: Any, monkeypatch: pytest.MonkeyPatch):
    """Of a file that is read in pieces the last piece counts as much as the first."""
    monkeypatch.setattr("easymodel_nb.train.data.reading.CHUNK", 100)
    monkeypatch.setattr(json_files, "_REMEMBERED", 150)
    rows = [{"a": n, "b": {"x": 1}} for n in range(50)] + [{"a": "x", "b": {"y": "z"}}]
    read = reads.rows("a.jsonl", lines(rows))
    assert [row["a"] for row in read] == [*map(str, range(50)), "x"]
    assert read[0]["b"] == {"x": 1, "y": None}
    assert read[-1]["b"] == {"x": None, "y": "z"}


def test_rows_with_different_keys_and_kinds(reads: Any):
    rows = reads.rows("a.jsonl", '{"a": 1, "b": "x"}\n\n{"a": {"c": 2}}\n')
    assert rows == [{"a": "1", "b": "x"}, {"a": '{"c": 2}', "b": None}]


def test_a_number_too_large_for_a_column(reads: Any):
    assert reads.rows("a.jsonl", f'{{"a": {10**30}}}\n') == [{"a": str(10**30)}]


# ------------------------------------------------------------ layouts


@pytest.mark.parametrize(
    "content",
    [
        XY,
        {"data": XY},
        {"rows": XY},
        {"train": XY},
        {"version": "1.0", "items": XY},
        {"a": ["x", "y"]},
        {"a": {"0": "x", "1": "y"}},
        {"columns": ["a"], "index": [0, 1], "data": [["x"], ["y"]]},
    ],
)
def test_layouts(reads: Any, content: Any):
    assert reads.rows("a.json", json.dumps(content)) == XY


def test_objects_by_their_id(reads: Any):
    assert reads.rows("a.json", '{"q1": {"text": "x"}, "q2": {"text": "y"}}') == [
        {"id": "q1", "text": "x"},
        {"id": "q2", "text": "y"},
    ]
    assert reads.rows("a.json", '{"q1": {"id": 7}, "q2": {"id": 8}}')[0] == {"key": "q1", "id": 7}
    assert reads.guess("format.layout") == "objects by their id"


def test_splits_in_one_file(reads: Any):
    splits = reads.splits("a.json", json.dumps({"train": XY, "dev": XY[:1]}))
    assert {name: table.num_rows for name, table in splits.items()} == {"train": 2, "validation": 1}


def test_squad_is_a_row_a_question(reads: Any):
    content = {
        "version": "2.0",
        "data": [
            {
                "title": "Bees",
                "paragraphs": [
                    {
                        "context": "Bees make honey.",
                        "qas": [
                            {
                                "id": "1",
                                "question": "What do bees make?",
                                "answers": [{"text": "honey", "answer_start": 10}],
                                "is_impossible": False,
                            },
                            {"id": "2", "question": "Why?", "answers": [], "is_impossible": True},
                        ],
                    }
                ],
            }
        ],
    }
    assert reads.rows("a.json", json.dumps(content)) == [
        {
            "id": "1",
            "title": "Bees",
            "context": "Bees make honey.",
            "question": "What do bees make?",
            "answers": {"text": ["honey"], "answer_start": [10]},
            "is_impossible": False,
        },
        {
            "id": "2",
            "title": "Bees",
            "context": "Bees make honey.",
            "question": "Why?",
            "answers": {"text": [], "answer_start": []},
            "is_impossible": True,
        },
    ]
    assert reads.rows("b.json", json.dumps(content["data"])) == reads.rows("a.json")
    assert reads.guess("format.layout") == "SQuAD"


def test_json_lines_under_the_name_json_and_the_other_way_round(reads: Any):
    assert reads.rows("a.json", '{"a": 1}\n{"a": 2}\n') == [{"a": 1}, {"a": 2}]
    assert reads.rows("a.jsonl", json.dumps(XY, indent=2)) == XY
    assert reads.rows("b.jsonl", json.dumps(XY)) == XY
    assert reads.rows("c.jsonl", '{"a": "x"}') == XY[:1]


def test_a_list_of_strings_is_text(reads: Any):
    assert reads.rows("a.json", '["x", "y"]') == [{"text": "x"}, {"text": "y"}]
    assert reads.rows("a.jsonl", '"x"\n"y"\n') == [{"text": "x"}, {"text": "y"}]


def test_the_lists_that_are_read_piece_by_piece(reads: Any, monkeypatch: pytest.MonkeyPatch):
    rows = [{"n": n, "text": f'a, "b" ]}} {n}' * 9, "m": {"k": [n, -1.5]}} for n in range(500)]
    expected = reads.rows("a.json", json.dumps(rows))
    monkeypatch.setattr("easymodel_nb.train.data.files.LARGE", 10)
    monkeypatch.setattr(json_files, "_MORE", 64)
    for number, indent in enumerate((None, 3)):
        name = f"piecewise-{number}.json"
        assert reads.rows(name, json.dumps(rows, indent=indent)) == expected
    cut = reads.refused("cut.json", json.dumps(rows)[:-30])
    assert cut.code == "file.unreadable"
    numbers = list(range(0, 10**6, 9_999))
    assert [r["text"] for r in reads.rows("numbers.json", json.dumps(numbers))] == numbers


# ------------------------------------------------------------ what cannot be read


def test_a_bad_line_is_named(reads: Any):
    problem = reads.refused("a.jsonl", '{"a": 1}\n{"a": 2}\n{"a": \n')
    assert problem.message.startswith("Line 3 of a.jsonl is not valid JSON")


def test_json_that_is_no_table(reads: Any):
    assert reads.refused("a.json", '{"a": 1}').code == "file.layout"
    assert reads.refused("a.json", "{").code == "file.unreadable"
    assert reads.refused("a.json", '"' + "x" * 99).code == "file.unreadable"
    assert reads.refused("a.json", "[" * 200_000).code == "file.unreadable"
    assert reads.refused("a.jsonl", "[" * 200_000).code == "file.unreadable"


@pytest.mark.parametrize("content", ["[]", "{}", '{"data": []}', "[{}]"])
def test_no_rows(reads: Any, content: str):
    assert reads.refused("a.json", content).code in {"file.empty", "file.layout"}


@pytest.mark.parametrize("value", ["NaN", "null"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_not_a_number_is_no_label(reads: Any, value: str, name: str):
    rows = [f'{{"text": "t{n}", "label": {value if n % 2 else json.dumps("x")}}}' for n in range(4)]
    text = "\n".join(rows) if name == "a.jsonl" else f"[{','.join(rows)}]"
    assert [row["label"] for row in reads.rows(name, text)] == ["x", None, "x", None]
    assert not reads.notes
