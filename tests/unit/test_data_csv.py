"""CSV as the world writes it: what was written is what is read, or a sentence says why not."""

import csv
import io
import itertools
import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from easymodel_nb.train.roles import text_columns

same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
# Every character but surrogates, which no file can hold; line ends are a test of their own.
CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=30)
SANE = st.text(
    st.characters(codec="cp1252", exclude_characters="\r\n\x1f", exclude_categories=["Cc"]),
    min_size=1,
    max_size=20,
).filter(lambda cell: bool(cell.strip()))
DELIMITERS = [",", ";", "\t", "|"]


def written(rows: Any, delimiter: str = ",", **dialect: Any) -> str:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator="\n", **dialect).writerows(rows)
    return file.getvalue()


def told(rows: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [tuple("" if v is None else str(v) for v in row.values()) for row in rows]


# ------------------------------------------------------------ round trips


@same_folder
@given(
    st.lists(st.tuples(CELL, CELL).filter(any), min_size=1, max_size=8),
    st.sampled_from(DELIMITERS),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_a_named_format_gives_back_every_cell(
    reads: Any, rows: list[tuple[str, str]], delimiter: str, encoding: str
):
    text = written([("prompt", "target"), *rows], delimiter, quoting=csv.QUOTE_ALL)
    found = reads.rows(
        "a.csv", text.encode(encoding), delimiter=delimiter, encoding=encoding, header=True
    )
    assert told(found) == rows


@same_folder
@given(
    st.lists(st.tuples(SANE, SANE, SANE), min_size=3, max_size=30),
    st.sampled_from(DELIMITERS),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_a_guessed_format_gives_back_every_cell(
    reads: Any, rows: list[tuple[str, str, str]], delimiter: str, encoding: str, quoting: int
):
    text = written([("id", "text", "label"), *rows], delimiter, quoting=quoting)
    assert told(reads.rows("a.csv", text.encode(encoding))) == rows
    assert reads.guess("format.delimiter") == delimiter


@pytest.mark.parametrize("seed", range(40))
def test_plain_comma_csv_is_never_misread(reads: Any, seed: int):
    """Sentences with every other delimiter in them, quoted where the writer must."""
    draw = random.Random(seed)
    words = ["well;", "a|b", "it's", 'so "good"', "tab\there", "12:30", "no, no", "x-y", "5;6"]
    rows = [
        (" ".join(draw.choices(words, k=draw.randint(1, 8))), draw.choice(["pos", "neg"]))
        for _ in range(draw.randint(2, 60))
    ]
    assert told(reads.rows("a.csv", written([("text", "label"), *rows]))) == rows


# ------------------------------------------------------------ the delimiter


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_the_delimiter_is_found(reads: Any, delimiter: str):
    others = "".join({",", ";", "|"} - {delimiter})
    text = f"prompt{delimiter}target\nhello{others} you{delimiter}hi{others} there\n"
    expected = {"prompt": f"hello{others} you", "target": f"hi{others} there"}
    assert reads.rows("a.csv", text) == [expected]
    assert reads.guess("format.delimiter") == delimiter


def test_a_given_delimiter_wins_and_is_no_guess(reads: Any):
    assert reads.rows("a.csv", "a;b,c\n1;x,y\n", delimiter=";") == [{"a": 1, "b,c": "x,y"}]
    assert reads.guess("format.delimiter") is None


@pytest.mark.parametrize("delimiter", ["", "ab", '"', "\n"])
def test_what_cannot_be_a_delimiter(reads: Any, delimiter: str):
    if not delimiter:  # an empty field is none
        assert reads.rows("a.csv", "a,b\nx,y\n", delimiter=None) == [{"a": "x", "b": "y"}]
        return
    problem = reads.refused("a.csv", "a,b\nx,y\n", delimiter=delimiter)
    assert (problem.code, problem.field) == ("format.delimiter", "format")


def test_decimal_commas_do_not_part_columns(reads: Any):
    text = "name;price\n" + "".join(f"item {n};{n},5\n" for n in range(9))
    assert reads.rows("a.csv", text)[2] == {"name": "item 2", "price": "2,5"}
    without = "".join(f"{n};{n},5\n" for n in range(9))
    assert told(reads.rows("a.csv", without))[2] == ("2", "2,5")


def test_what_excel_puts_first(reads: Any):
    assert reads.rows("a.csv", "sep=;\r\na;b\r\nx;y\r\n") == [{"a": "x", "b": "y"}]


def test_tsv_is_parted_by_tabs(reads: Any):
    assert reads.rows("a.tsv", "a\tb\nx, y\tz\n") == [{"a": "x, y", "b": "z"}]


def test_one_column_of_sentences_needs_no_quotes(reads: Any):
    rows = reads.rows("a.csv", "text\nHello, world\nOne, two, three\nPlain\n")
    assert [row["text"] for row in rows] == ["Hello, world", "One, two, three", "Plain"]
    assert reads.guess("format.delimiter") == ""


# ------------------------------------------------------------ quotes


def test_quoted_cells_keep_their_newlines_and_quotes(reads: Any):
    rows = reads.rows("a.csv", 'prompt,target\n"two\nlines, and","say ""hi"""\n')
    assert rows == [{"prompt": "two\nlines, and", "target": 'say "hi"'}]


def test_a_cell_over_lines_is_not_torn_where_its_lines_look_like_rows(reads: Any):
    assert reads.rows("a.csv", 'id,text\n7,"Hello\nwell, bye"\n8,fine\n') == [
        {"id": 7, "text": "Hello\nwell, bye"},
        {"id": 8, "text": "fine"},
    ]
    assert reads.rows("a.tsv", '"a"\t"b"\n""\t"\n\t"\n') == [{"a": None, "b": "\n\t"}]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(reads: Any, end: str):
    assert reads.rows("a.csv", end.join(["a,b", "x,y", "z,w", ""])) == [
        {"a": "x", "b": "y"},
        {"a": "z", "b": "w"},
    ]


def test_backslashes_before_quotes(reads: Any):
    text = "text,label\n" + '"say \\"hi, you\\" now",pos\n' * 3
    assert reads.rows("a.csv", text)[0] == {"text": 'say "hi, you" now', "label": "pos"}
    assert reads.guess("format.quote") is None


def test_single_quotes(reads: Any):
    text = "text,label\n" + "".join(f"'hello, you {n}',pos\n" for n in range(4))
    assert reads.rows("a.csv", text)[1] == {"text": "hello, you 1", "label": "pos"}
    assert reads.guess("format.quote") == "'"


def test_apostrophes_are_no_quotes(reads: Any):
    text = "text,label\n'tis a thing,pos\ndon't,neg\n'twas,pos\n"
    assert [r["text"] for r in reads.rows("a.csv", text)] == ["'tis a thing", "don't", "'twas"]


def test_a_tsv_that_knows_no_quotes(reads: Any):
    """Two stray quotes must not swallow the rows between them."""
    lines = ["text\tlabel", '"Oh no\tneg', "fine\tpos", 'good "\tpos', "bad\tneg"]
    rows = reads.rows("a.tsv", "\n".join(lines) + "\n")
    assert [row["text"] for row in rows] == ['"Oh no', "fine", 'good "', "bad"]
    assert reads.guess("format.quote") == ""


def test_a_stray_quote_far_down_in_a_tsv(reads: Any):
    lines = [f"sentence number {n} of this file\tpos" for n in range(40_000)]
    lines[39_000] = '"quoted" only in part\tneg'
    rows = reads.rows("a.tsv", "\n".join(["text\tlabel", *lines]) + "\n")
    assert len(rows) == 40_000
    assert rows[39_000] == {"text": '"quoted" only in part', "label": "neg"}


def test_a_file_that_is_cut_off_in_a_quoted_cell_is_refused(reads: Any):
    text = 'text,label\n"one",pos\n"two",neg\n"thr'
    problem = reads.refused("a.csv", text)
    assert (problem.code, problem.field) == ("format.delimiter", "format")
    assert "a quote that does not end" in problem.message


# ------------------------------------------------------------ the header


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("text,label\nfine,pos\n", True),
        ("Bewertung,Urteil\ngut,ja\nschlecht,nein\n", True),
        ("Timestamp,How do you like our shop?\n2024-01-01,well\n2024-01-02,not\n", True),
        ("age,review\n31,x\n45,y\n", True),
        ("good film,pos\nbad film,neg\nfine film,pos\n", False),
        ("1,good film\n2,bad film\n3,fine film\n", False),
        ("It was a very long evening.,sad\nAnd then all of it was over.,glad\n", False),
    ],
)
def test_whether_there_is_a_header(reads: Any, text: str, *, header: bool):
    rows = reads.rows("a.csv", text)
    lines = text.count("\n")
    assert (reads.guess("format.header"), len(rows)) == (header, lines - header)
    given = reads.rows("a.csv", text, header=not header)
    assert len(given) == lines - (not header)
    assert reads.guess("format.header") is None


def test_a_file_without_a_header(reads: Any):
    rows = reads.rows("a.csv", "x,y\nz,w\n", header=False)
    assert rows == [{"column_0": "x", "column_1": "y"}, {"column_0": "z", "column_1": "w"}]


def test_duplicate_and_nameless_columns_get_names(reads: Any):
    rows = reads.rows("a.csv", ",text,text, text_2 ,\n0,a,b,c,d\n")
    assert rows == [{"column_0": 0, "text": "a", "text_3": "b", "text_2": "c", "column_4": "d"}]
    assert {"columns.nameless", "columns.twice"} <= set(reads.notes)


@same_folder
@given(st.lists(st.sampled_from(["a", "a_2", "b", "", " ", "column_0"]), min_size=2, max_size=7))
def test_names_are_unique(reads: Any, names: list[str]):
    if not any(name.strip() for name in names):
        return
    text = written([names, [str(n) for n in range(len(names))]])
    (row,) = reads.rows("a.csv", text, delimiter=",", header=True)
    assert list(row.values()) == list(range(len(names)))


# ------------------------------------------------------------ rows and cells


def test_blank_rows_are_left_out_and_counted(reads: Any):
    rows = reads.rows("a.csv", "a,b\nx,y\n\n,\nz,w\n\n\n")
    assert rows == [{"a": "x", "b": "y"}, {"a": "z", "b": "w"}]
    (note,) = reads.reading.notes
    assert (note.code, note.message) == ("rows.blank", "2 blank rows of a.csv left out.")


def test_short_rows_and_trailing_delimiters_are_read(reads: Any):
    assert reads.rows("a.csv", "a,b\nx\n") == [{"a": "x", "b": None}]
    assert reads.notes == ["rows.short"]
    assert reads.rows("a.csv", "a,b\nx,y,\nz,w,\n")[1] == {"a": "z", "b": "w"}
    assert reads.rows("a.csv", "a,b,\nx,y,\nz,w,\n")[1] == {"a": "z", "b": "w"}
    assert reads.notes == []


@pytest.mark.parametrize("text", ["a,b\nx,y,z\nx,y,z\n", "a,b\nx,y\nx,y,z\n", 'a,b\n"x,y\n'])
def test_rows_longer_than_the_header_are_refused_not_shifted(reads: Any, text: str):
    problem = reads.refused("a.csv", text)
    assert (problem.code, problem.field) == ("format.delimiter", "format")


def test_the_ragged_row_is_named(reads: Any):
    text = "a,b\n" + "x,y\n" * 200 + "x,y,z\n"
    assert (
        "Row 202 of a.csv has 3 cells and the first row has 2"
        in reads.refused("a.csv", text).message
    )


@pytest.mark.parametrize(
    "cell", ["007", "1.50", "1e3", "true", "NA", "nan", "null", "None", " 5", "+5", "1_000", "-0"]
)
def test_a_cell_is_never_rewritten(reads: Any, cell: str):
    """The model learns the text of the file, not what a parser thinks it means."""
    assert reads.rows("a.csv", f"text\n{cell}\n", header=True) == [{"text": cell}]
    assert reads.rows("a.csv", f"n,text\n1,{cell}\n2,{cell}\n")[1] == {"n": 2, "text": cell}


def test_numbers_are_numbers_where_all_are_written_plainly(reads: Any):
    table = reads.table("a.csv", "id,score,half,text\n1,0.5,1,x\n-2,,0.5,y\n")
    assert [str(kind) for kind in table.schema.types] == ["int64", "double", "string", "string"]
    assert text_columns(table) == ["half", "text"]  # 1 would become 1.0


def test_an_empty_cell_is_null(reads: Any):
    assert reads.rows("a.csv", "a,b\nx,\n,y\n") == [{"a": "x", "b": None}, {"a": None, "b": "y"}]


def test_long_cells(reads: Any):
    text = "word " * 40_000
    rows = reads.rows("a.csv", f'text,label\n"{text}",a\n{text}x,b\n')
    assert [len(row["text"]) for row in rows] == [200_000, 200_001]


def test_every_script_and_emoji(reads: Any):
    cells = ["😀👩‍👩‍👧", "مرحبا بالعالم", "שלום", "สวัสดีครับ", "你好,世界", "naïve"]
    text = written([("text", "n"), *zip(cells, itertools.count(), strict=False)])
    assert [row["text"] for row in reads.rows("a.csv", text)] == cells


def test_null_bytes_in_text_are_kept_and_told(reads: Any):
    assert reads.rows("a.csv", "text,n\na\0b,1\nc,2\n")[0] == {"text": "a\0b", "n": 1}
    assert reads.notes == ["text.null_bytes"]


# ------------------------------------------------------------ files put one after another


@pytest.mark.parametrize("names", [("text", "label"), ("Beleg", "Menge")])
def test_a_header_that_stands_again_is_no_row(reads: Any, names: tuple[str, str]):
    body = [(f"sentence {n}", str(n)) for n in range(20)]
    found = reads.rows("a.csv", written([names, *body, names, *body, names, *body]))
    assert told(found) == body * 3
    assert reads.guess("format.header") is True
    assert reads.notes == ["rows.headers"]


def test_without_a_header_a_row_that_comes_twice_stays(reads: Any):
    rows = [("good thing", "pos"), ("bad thing", "neg")] * 3
    assert told(reads.rows("a.csv", written(rows))) == rows


# ------------------------------------------------------------ lists in cells


@pytest.mark.parametrize("write", [json.dumps, repr])
@pytest.mark.parametrize("name", ["labels", "tags", "ner_tags", "tokens"])
def test_lists_of_labels_and_words_are_lists(reads: Any, write: Any, name: str):
    lists: list[list[Any]] = [["sport", "it's"], [], ["art, fine"], ['"a"']]
    rows = [(f"text {n}", write(cell)) for n, cell in enumerate(lists)]
    found = reads.rows("a.csv", written([("text", name), *rows]))
    assert [row[name] for row in found] == lists
    assert reads.guess("format.lists") == name


@pytest.mark.parametrize("name", ["text", "output", "answer", "target", "note"])
def test_elsewhere_a_list_is_text(reads: Any, name: str):
    rows = [("1", "[1, 2]"), ("2", "['a']")]
    assert told(reads.rows("a.csv", written([("id", name), *rows]))) == rows


@pytest.mark.parametrize(
    "cells",
    [
        ["['a' 'b']", "['c']"],  # as NumPy writes: in Python it is one text
        ["['a'\n 'b']", "['c']"],
        ["['a']", "b"],
        ["['a']", "[1]"],
        ["[['a']]", "[['b']]"],
        ["[]", "[]"],
        ["[__import__('os').getcwd()]", "['a']"],
        ["[" * 9999 + "]" * 9999, "['a']"],
    ],
)
def test_what_are_no_lists_stays_as_it_is(reads: Any, cells: list[str]):
    rows = list(zip(["x", "y"], cells, strict=True))
    assert told(reads.rows("a.csv", written([("text", "labels"), *rows]))) == rows
