"""Plain text and CoNLL files."""

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
WORD = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=9
).filter(lambda word: not word.startswith(("#", "-DOCSTART-")) and word.split() == [word])
TAG = st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "E-LOC", "S-ORG"])
SENTENCE = st.lists(st.tuples(WORD, WORD, TAG), min_size=1, max_size=6)

# ------------------------------------------------------------ plain text


def test_a_block_between_blank_lines_is_a_row(reads: Any):
    text = "\n\none\ntwo\n \t\n\n    three\n    four\n\n"
    assert reads.rows("a.txt", text) == [
        {"text": "one\ntwo"},
        {"text": "    three\n    four"},  # an indented first line stays indented
    ]
    assert reads.guess("format.rows") == "blocks"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_without_blank_lines_a_line_is_a_row(reads: Any, end: str):
    text = end.join(["one", "two", "three", ""])
    assert reads.rows("a.txt", text) == [{"text": t} for t in ("one", "two", "three")]
    assert reads.guess("format.rows") == "lines"


LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=20)


@same_folder
@given(st.lists(LINE.filter(lambda line: bool(line.strip())), min_size=1, max_size=9))
def test_every_line_comes_back(reads: Any, lines: list[str]):
    assert [r["text"] for r in reads.rows("a.txt", "\n".join(lines))] == lines
    apart = [r["text"] for r in reads.rows("a.txt", "\n\n".join(lines))]
    assert apart == lines


def test_many_blank_lines_take_no_time(reads: Any):
    began = time.monotonic()
    assert len(reads.rows("a.txt", "x" + "\n \t" * 100_000 + "\ny\n\nz")) == 3
    assert time.monotonic() - began < 5


# ------------------------------------------------------------ CoNLL


@same_folder
@given(
    st.lists(SENTENCE, min_size=1, max_size=5), st.sampled_from(["\t", " ", "  "]), st.booleans()
)
def test_sentences_come_back(
    reads: Any, sentences: list[list[tuple[str, str, str]]], between: str, middle: Any
):
    def line(word: tuple[str, str, str]) -> str:
        return between.join(word if middle else (word[0], word[2]))

    text = "\n\n".join("\n".join(map(line, words)) for words in sentences) + "\n"
    rows = reads.rows("a.conll", text)
    assert [row["tokens"] for row in rows] == [[w[0] for w in s] for s in sentences]
    assert [row["tags"] for row in rows] == [[w[2] for w in s] for s in sentences]
    if middle:
        assert [row["tags_2"] for row in rows] == [[w[1] for w in s] for s in sentences]
    else:
        assert set(rows[0]) == {"tokens", "tags"}


CONLL_2003 = """-DOCSTART- -X- -X- O

EU NNP B-NP B-ORG
rejects VBZ B-VP O

Peter NNP B-NP B-PER

-DOCSTART- -X- -X- O

LONDON NNP B-NP B-LOC
"""


@pytest.mark.parametrize("name", ["a.conll", "train.txt", "a.bio", "a.tsv"])
def test_conll_2003_under_its_usual_names(reads: Any, name: str):
    assert reads.rows(name, CONLL_2003) == [
        {
            "tokens": ["EU", "rejects"],
            "tags": ["B-ORG", "O"],
            "tags_2": ["NNP", "VBZ"],
            "tags_3": ["B-NP", "B-VP"],
            "document": 0,
        },
        {
            "tokens": ["Peter"],
            "tags": ["B-PER"],
            "tags_2": ["NNP"],
            "tags_3": ["B-NP"],
            "document": 0,
        },
        {
            "tokens": ["LONDON"],
            "tags": ["B-LOC"],
            "tags_2": ["NNP"],
            "tags_3": ["B-NP"],
            "document": 1,
        },
    ]


def test_a_document_without_sentence_breaks_is_a_row(reads: Any):
    text = "".join(f"-DOCSTART-\tO\nword{n}\tO\nName{n}\tB-PER\n" for n in range(3))
    assert [row["tokens"] for row in reads.rows("a.conll", text)] == [
        [f"word{n}", f"Name{n}"] for n in range(3)
    ]


def test_separator_lines_may_hold_a_tab(reads: Any):
    rows = reads.rows("a.conll", "a\tO\nb\tB-X\n\t\nc\tO\n")
    assert [row["tokens"] for row in rows] == [["a", "b"], ["c"]]


def test_a_token_of_a_hash_is_a_token(reads: Any):
    rows = reads.rows("a.conll", "#\tO\n#tag\tB-X\n\nc\tO\n")
    assert rows[0] == {"tokens": ["#", "#tag"], "tags": ["O", "B-X"]}


def test_comments_between_sentences(reads: Any):
    text = "# id 12 domain=train\nthe _ _ O\ncat _ _ B-ANIMAL\n\n# id 13\na _ _ O\n"
    assert [row["tags"] for row in reads.rows("a.conll", text)] == [["O", "B-ANIMAL"], ["O"]]


def test_conll_u(reads: Any):
    def row(*cells: str) -> str:
        return "\t".join([*cells, *["_"] * (10 - len(cells))])

    text = "\n".join(
        [
            "# sent_id = 1",
            "# text = Im Haus",
            row("1-2", "Im"),
            row("1", "In", "in", "ADP"),
            row("2", "dem", "der", "DET"),
            row("3", "Haus", "Haus", "NOUN"),
            "",
        ]
    )
    assert reads.rows("a.conllu", text) == [
        {"tokens": ["In", "dem", "Haus"], "tags": ["ADP", "DET", "NOUN"]}
    ]


def test_a_line_without_its_tag_is_named(reads: Any):
    problem = reads.refused("a.conll", "a\tO\nb\tB-X\nc\nd\tO\n")
    assert problem.message.startswith("Line 3 of a.conll has 1 of the 2 columns")
    assert reads.refused("a.conll", "one\ntwo\n").code == "file.layout"
    assert reads.refused("a.conll", "\n\n").code == "file.empty"


def test_text_that_ends_in_a_letter_o_is_text(reads: Any):
    assert reads.rows("a.txt", "plan B or plan O\nwhat O\nhello O\n")[0] == {
        "text": "plan B or plan O"
    }
    assert reads.rows("a.tsv", "text\tlabel\nfine\tpos\n") == [{"text": "fine", "label": "pos"}]


# ------------------------------------------------------------ tables in a .txt


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_table_that_excel_wrote_as_text_is_a_table(reads: Any, encoding: str):
    text = "Text\tKlasse\r\nsehr gut, wirklich\tgut\r\nleider, kaputt\tschlecht\r\n"
    assert reads.rows("a.txt", text.encode(encoding)) == [
        {"Text": "sehr gut, wirklich", "Klasse": "gut"},
        {"Text": "leider, kaputt", "Klasse": "schlecht"},
    ]
    assert reads.guess("format.kind") == "csv"


@pytest.mark.parametrize("text", ["a\tb\nc\n", "\ta\n\tb\n", "a\tb\n", "a\tb\n\nc\td\n"])
def test_a_text_with_tabs_is_a_text(reads: Any, text: str):
    assert all(list(row) == ["text"] for row in reads.rows("a.txt", text))
