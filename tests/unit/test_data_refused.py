"""What is not read, each with a sentence that says what to do instead."""

import bz2
import gzip
import io
import lzma
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

CSV = b"text,label\n" + b"fine day,pos\nbad day,neg\n" * 50


def parquet() -> bytes:
    file = io.BytesIO()
    pd.DataFrame({"text": ["a", "b"] * 500}).to_parquet(file)
    return file.getvalue()


def archive(name: str = "a.csv") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr(name, CSV)
    return file.getvalue()


class Harmful:
    """Says so when it was unpickled."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("it-was-run"),)


FILES: list[tuple[str, bytes, str, str]] = [
    ("a.pkl", pickle.dumps([1]), "file.pickle", "run code"),
    ("a.csv", pickle.dumps(pd.DataFrame({"a": [1]})), "file.pickle", "to_parquet"),
    ("a.csv.gz", gzip.compress(pickle.dumps([1]), mtime=0), "file.pickle", "run code"),
    ("model.bin", b"anything", "file.pickle", "run code"),
    ("a.pt", archive(), "file.pickle", "run code"),
    ("a.xlsx", archive(), "file.spreadsheet", "read_excel"),
    ("a.zip", archive(), "file.archive", "Unpack it"),
    ("a.csv", archive(), "file.archive", "Unpack it"),
    ("a.csv", archive("[Content_Types].xml"), "file.spreadsheet", "read_excel"),
    ("a.csv", archive("docProps/app.xml"), "file.spreadsheet", "read_excel"),
    ("a.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "file.spreadsheet", "read_excel"),
    ("a.zip", archive("xl/a.csv"), "file.archive", "Unpack it"),
    ("a.docx", b"x", "file.format", "document"),
    ("a.docx", archive("[Content_Types].xml"), "file.format", "document"),
    ("a.csv", b"%PDF-1.7 x", "file.format", "document"),
    ("a.csv", b"\n <!DOCTYPE html><html>", "file.html", "Raw button"),
    ("a.csv", b"version https://git-lfs.github.com/spec/v1\noid", "file.lfs", "git lfs pull"),
    ("a.xyz", CSV, "file.format", ".jsonl"),
    ("noname", CSV, "file.format", ".jsonl"),
    ("a.parquet", parquet()[:-40], "file.unreadable", "damaged"),
    ("a.parquet", b"PAR1" + parquet()[200:], "file.unreadable", "damaged"),
    ("a.parquet", b"no parquet", "file.unreadable", "damaged"),
    ("a.parquet.gz", gzip.compress(parquet(), mtime=0), "file.packed", "Unpack it"),
    ("a.arrow", b"ARROW1 not really", "file.unreadable", "damaged"),
    ("a.csv.gz", gzip.compress(CSV, mtime=0)[:-20], "file.truncated", "again"),
    ("a.csv.gz", gzip.compress(CSV, mtime=0)[:40] + b"\0" * 30, "file.unreadable", "again"),
    ("a.jsonl.xz", lzma.compress(b'{"a": 1}\n' * 99)[:-30], "file.truncated", "again"),
    ("a.csv", b"", "file.empty", "rows"),
    ("a.csv", b"a,b\n", "file.empty", "rows"),
    ("a.csv", b"\n\n", "file.empty", "rows"),
    ("a.csv", b",,\n,,\n", "file.empty", "rows"),
    ("a.txt", b"\n \n", "file.empty", "rows"),
    ("a.jsonl", b"\n", "file.empty", "rows"),
    ("a.csv.gz", gzip.compress(b"", mtime=0), "file.empty", "rows"),
]


@pytest.mark.parametrize(("name", "content", "code", "says"), FILES)
def test_files(
    reads: Any, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, code: str, says: str
):
    reads.write(name, content)
    monkeypatch.chdir(reads.folder)
    problem = reads.refused(name)
    assert (problem.code, problem.field) == (code, "source")
    assert name in problem.message
    assert says in problem.message


def test_a_pickle_is_never_opened(reads: Any, monkeypatch: pytest.MonkeyPatch):
    reads.write("a.parquet", pickle.dumps(Harmful()))
    monkeypatch.chdir(reads.folder)
    assert reads.refused("a.parquet").code == "file.pickle"
    assert not Path("it-was-run").exists()
    pickle.loads((reads.folder / "a.parquet").read_bytes())  # it would have
    assert Path("it-was-run").exists()


def test_a_file_that_is_not_there(reads: Any):
    problem = reads.refused("gone.csv")
    assert (problem.code, problem.field) == ("file.missing", "source")


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_gzip_that_is_cut_anywhere(reads: Any, cut: int):
    whole = gzip.compress(CSV, mtime=0)
    problem = reads.refused("a.csv.gz", whole[: len(whole) * cut // 12])
    assert problem.code in {"file.truncated", "file.unreadable"}


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_files_are_read_whatever_their_names_say(reads: Any, pack: Callable[[bytes], bytes]):
    suffix = {gzip.compress: ".gz", bz2.compress: ".bz2", lzma.compress: ".xz"}[pack]
    assert len(reads.rows(f"a.csv{suffix}", pack(CSV))) == 100
    assert len(reads.rows("a.csv", pack(CSV))) == 100
    assert len(reads.rows(f"a.txt{suffix}", pack(b"one\ntwo\n"))) == 2


def test_one_row_is_read(reads: Any):
    assert len(reads.rows("a.csv", "a,b\nx,y\n")) == 1
    assert len(reads.rows("a.txt", "x")) == 1
    assert len(reads.rows("a.jsonl", '{"a": 1}')) == 1


def test_rows_of_200_000_characters(reads: Any):
    long = "สวัสดี 😀 " * 20_000
    assert reads.rows("a.jsonl", f'{{"text": "{long}"}}\n')[0]["text"] == long
    assert reads.rows("a.txt", long)[0]["text"] == long
