"""Local files become tables: what was written is what is read, and what cannot be read says why."""

import csv
import json
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.train.fields import text_columns
from easymodel_nb.train.data.files import read_file as _read_file
from easymodel_nb.train.data.folders import read_folder as _read_folder
from easymodel_nb.train.data.reading import Reading
from easymodel_nb.workflow.document import FileFormat

PLAIN = FileFormat()
# Every character but surrogates, which no file can hold; line ends are a test of their own.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=30)
same_folder = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read_file(path,form):
    return _read_file(path, Reading(form))["train"]
def read_folder(path,form):
    return _read_folder(path, Reading(form))
def rows_of(path: Path, content: str | bytes | None = None, **form: Any) -> list[dict[str, Any]]:
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_file(path, FileFormat(**form)).to_pylist()


def refused(path: Path, content: str | bytes | None = None, **form: Any) -> Problem:
    with pytest.raises(StudioError) as caught:
        rows_of(path, content, **form)
    (problem,) = caught.value.problems
    assert problem.message.endswith(".")
    return problem


# ------------------------------------------------------------ round trips


@same_folder
@given(st.lists(st.fixed_dictionaries({"prompt": TEXT, "target": TEXT}), min_size=1, max_size=8))
def test_jsonl_gives_back_what_was_written(tmp_path: Path, rows: list[dict[str, str]]):
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    assert rows_of(tmp_path / "a.jsonl", lines) == rows


@same_folder
@given(
    st.lists(st.tuples(TEXT, TEXT).filter(any), min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t", "|"]),
)
def test_csv_gives_back_every_cell(tmp_path: Path, rows: list[tuple[str, str]], delimiter: str):
    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
        writer.writerows([("prompt", "target"), *rows])
    read = rows_of(path, delimiter=delimiter)
    told = [tuple("" if v is None else str(v) for v in row.values()) for row in read]
    assert told == rows


@same_folder
@given(st.lists(st.fixed_dictionaries({"text": TEXT, "n": st.integers(-9, 9)}), min_size=1))
def test_parquet_gives_back_what_was_written(tmp_path: Path, rows: list[dict[str, Any]]):
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    assert rows_of(tmp_path / "a.parquet") == rows


# ------------------------------------------------------------ csv


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header(tmp_path: Path, delimiter: str):
    others = "".join({",", ";", "|"} - {delimiter})
    text = f"prompt{delimiter}target\nhello{others} you{delimiter}hi{others} there\n"
    expected = {"prompt": f"hello{others} you", "target": f"hi{others} there"}
    assert rows_of(tmp_path / "a.csv", text) == [expected]


def test_a_given_delimiter_wins(tmp_path: Path):
    assert rows_of(tmp_path / "a.csv", "a;b,c\n1;x,y\n", delimiter=";") == [{"a": 1, "b,c": "x,y"}]


def test_tsv_is_parted_by_tabs(tmp_path: Path):
    assert rows_of(tmp_path / "a.tsv", "a\tb\nx\ty\n") == [{"a": "x", "b": "y"}]


def test_a_file_without_a_header(tmp_path: Path):
    rows = rows_of(tmp_path / "a.csv", "x,y\nz,w\n", header=False)
    assert rows == [{"column_0": "x", "column_1": "y"}, {"column_0": "z", "column_1": "w"}]


@pytest.mark.parametrize(
    ("encoding", "given"), [("utf-8-sig", None), ("cp1252", None), ("cp1252", "cp1252"),
                            ("utf-16", None), ("shift_jis", "shift_jis")]
)  # fmt: skip
def test_encodings(tmp_path: Path, encoding: str, given: str | None):
    word = "カナ" if encoding == "shift_jis" else "naïve café"
    rows = rows_of(tmp_path / "a.csv", f"text\n{word}\n".encode(encoding), encoding=given)
    assert rows == [{"text": word}]


def test_a_wrong_encoding_names_the_field(tmp_path: Path):
    problem = refused(tmp_path / "a.csv", "text\ncafé\n".encode("latin-1"), encoding="utf-8")
    assert (problem.code, problem.field) == ("format.encoding", "format")
    assert refused(tmp_path / "a.csv", "text\nx\n", encoding="klingon").code == "format.encoding"


def test_quoted_cells_keep_their_newlines_and_quotes(tmp_path: Path):
    rows = rows_of(tmp_path / "a.csv", 'prompt,target\n"two\nlines","say ""hi"""\n')
    assert rows == [{"prompt": "two\nlines", "target": 'say "hi"'}]


@pytest.mark.parametrize("cell", ["007", "1.50", "1e3", "true", "NA", "nan", "null", "None", " 5"])
def test_a_cell_is_never_rewritten(tmp_path: Path, cell: str):
    """The model learns the text of the file, not what a parser thinks it means."""
    assert rows_of(tmp_path / "a.csv", f"text\n{cell}\n") == [{"text": cell}]


def test_columns_of_numbers_are_no_text_columns(tmp_path: Path):
    path = tmp_path / "a.csv"
    rows_of(path, "id,score,text\n1,0.5,x\n2,,y\n")
    assert text_columns(read_file(path, PLAIN)) == ["text"]


def test_an_empty_cell_is_null(tmp_path: Path):
    assert rows_of(tmp_path / "a.csv", "a,b\nx,\n,y\n") == [
        {"a": "x", "b": None},
        {"a": None, "b": "y"},
    ]


def test_short_rows_and_trailing_delimiters_are_read(tmp_path: Path):
    assert rows_of(tmp_path / "a.csv", "a,b\nx\n") == [{"a": "x", "b": None}]
    assert rows_of(tmp_path / "a.csv", "a,b\nx,y,\nz,w,\n")[1] == {"a": "z", "b": "w"}


@pytest.mark.parametrize("text", ["a,b\nx,y,z\nx,y,z\n", "a,b\nx,y\nx,y,z\n", 'a,b\n"x,y\n'])
def test_rows_longer_than_the_header_are_refused_not_shifted(tmp_path: Path, text: str):
    problem = refused(tmp_path / "a.csv", text)
    assert (problem.code, problem.field) == ("format.delimiter", "format")


def test_a_long_cell(tmp_path: Path):
    text = "word " * 200_000
    assert rows_of(tmp_path / "a.csv", f'text\n"{text}"\n') == [{"text": text}]


# ------------------------------------------------------------ json


@pytest.mark.parametrize(
    "content",
    [
        [{"a": "x"}, {"a": "y"}],
        {"data": [{"a": "x"}, {"a": "y"}]},
        {"rows": [{"a": "x"}, {"a": "y"}]},
        {"a": ["x", "y"]},
    ],
)
def test_json_layouts(tmp_path: Path, content: Any):
    assert rows_of(tmp_path / "a.json", json.dumps(content)) == [{"a": "x"}, {"a": "y"}]


def test_json_lines_under_the_name_json(tmp_path: Path):
    assert rows_of(tmp_path / "a.json", '{"a": 1}\n{"a": 2}\n') == [{"a": 1}, {"a": 2}]


def test_a_list_of_strings_is_text(tmp_path: Path):
    assert rows_of(tmp_path / "a.json", '["x", "y"]') == [{"text": "x"}, {"text": "y"}]
    assert rows_of(tmp_path / "a.jsonl", '"x"\n"y"\n') == [{"text": "x"}, {"text": "y"}]


def test_rows_with_different_keys_and_kinds(tmp_path: Path):
    rows = rows_of(tmp_path / "a.jsonl", '{"a": 1, "b": "x"}\n\n{"a": {"c": 2}}\n')
    assert rows == [{"a": "1", "b": "x"}, {"a": '{"c": 2}', "b": None}]


def test_a_number_too_large_for_a_column(tmp_path: Path):
    assert rows_of(tmp_path / "a.jsonl", f'{{"a": {10**30}}}\n') == [{"a": str(10**30)}]


def test_a_bad_line_is_named(tmp_path: Path):
    problem = refused(tmp_path / "a.jsonl", '{"a": 1}\n{"a": 2}\n{"a": \n')
    assert problem.message.startswith("Line 3 of a.jsonl is not valid JSON")


def test_json_that_is_no_table(tmp_path: Path):
    assert refused(tmp_path / "a.json", '{"a": 1}').code == "file.layout"
    assert refused(tmp_path / "a.json", "{").code == "file.unreadable"


# ------------------------------------------------------------ txt


def test_a_block_between_blank_lines_is_a_row(tmp_path: Path):
    text = "\n\none\ntwo\n \t\n\n    three\n    four\n\n"
    assert rows_of(tmp_path / "a.txt", text) == [
        {"text": "one\ntwo"},
        {"text": "    three\n    four"},  # an indented first line stays indented
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_without_blank_lines_a_line_is_a_row(tmp_path: Path, end: str):
    text = end.join(["one", "two", "three", ""])
    assert rows_of(tmp_path / "a.txt", text) == [{"text": t} for t in ("one", "two", "three")]


def test_many_blank_lines_take_no_time(tmp_path: Path):
    began = time.monotonic()
    assert len(rows_of(tmp_path / "a.txt", "x" + "\n \t" * 100_000 + "\ny\n\nz")) == 3
    assert time.monotonic() - began < 5


# ------------------------------------------------------------ what cannot be read


@pytest.mark.parametrize("suffix", ["txt", "csv", "json", "jsonl", "parquet"])
def test_missing_and_empty_files(tmp_path: Path, suffix: str):
    path = tmp_path / f"a.{suffix}"
    assert (refused(path).code, refused(path).field) == ("file.missing", "source")
    assert refused(path, b"").code == "file.empty"


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", "a,b\n"), ("a.csv", "\n\n"), ("a.txt", "\n \n"), ("a.json", "[]"), ("a.jsonl", "\n")]
)  # fmt: skip
def test_files_without_rows(tmp_path: Path, name: str, content: str):
    assert refused(tmp_path / name, content).code == "file.empty"


def test_other_kinds_of_files(tmp_path: Path):
    assert refused(tmp_path / "a.docx", "x").code == "file.format"
    assert refused(tmp_path / "a.parquet", "no parquet").code == "file.unreadable"
    assert refused(tmp_path / "a.csv", b"\xff\x00\x81\x00\x01").code == "file.unreadable"


def test_categories_are_text(tmp_path: Path):
    frame = pd.DataFrame({"text": pd.Categorical(["x", "y", "x"])})
    frame.to_parquet(tmp_path / "a.parquet")
    assert text_columns(read_file(tmp_path / "a.parquet", PLAIN)) == ["text"]


# ------------------------------------------------------------ folders


def folder_of(folder: Path, *names: str) -> dict[str, int]:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"text": "x"}\n' if path.suffix == ".jsonl" else "one\ntwo\n")
    return {split: table.num_rows for split, table in read_folder(folder, PLAIN).items()}


def test_split_files_by_name_or_by_folder(tmp_path: Path):
    found = folder_of(tmp_path / "a", "train.jsonl", "dev.jsonl", "test.jsonl", "README.txt")
    assert found == {"train": 1, "validation": 1, "test": 1}
    assert folder_of(tmp_path / "b", "train/0.jsonl", "train/1.jsonl", "val/0.jsonl") == {
        "train": 2,
        "validation": 1,
    }


def test_shards_with_different_columns_are_joined(tmp_path: Path):
    (tmp_path / "train-0.jsonl").write_text('{"a": "x"}\n')
    (tmp_path / "train-1.jsonl").write_text('{"a": "y", "b": 1}\n')
    assert read_folder(tmp_path, PLAIN)["train"].to_pylist() == [
        {"a": "x", "b": None},
        {"a": "y", "b": 1},
    ]


def test_a_folder_of_texts_has_a_row_a_file(tmp_path: Path):
    assert folder_of(tmp_path, "one.txt", "two.txt") == {"train": 2}


def test_a_folder_of_one_file(tmp_path: Path):
    assert folder_of(tmp_path, "any.jsonl") == {"train": 1}


def test_folders_that_cannot_be_read(tmp_path: Path):
    with pytest.raises(StudioError, match="holds no data file"):
        read_folder(tmp_path, PLAIN)
    with pytest.raises(StudioError, match="none is named train"):
        folder_of(tmp_path, "a.jsonl", "b.jsonl")
