"""Uploads: part by part, checked, stored once, under a name that every file system takes."""

import hashlib
import os
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.errors import StudioError
from easymodel_nb.widgets import uploads as module
from easymodel_nb.widgets.uploads import CHUNK, Uploads, safe_name

CONTENT = bytes(range(256)) * 5000  # 1.28 MB, so that it takes two parts


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path)


def send(uploads: Uploads, name: str, content: bytes, sha256: str | None = None) -> Path:
    upload, known = uploads.begin(name, len(content), sha256)
    if known:
        return known
    for offset in range(0, len(content), CHUNK):
        part = memoryview(content)[offset : offset + CHUNK]
        assert uploads.chunk(upload, offset, part) == offset + len(part)
    return uploads.end(upload)


def code(error: pytest.ExceptionInfo[StudioError]) -> str:
    return error.value.problems[0].code


def stored(root: Path) -> list[str]:
    return sorted(p.name for p in root.rglob("*") if p.is_file())


def test_a_file_arrives_whole_and_nothing_else_is_left(uploads: Uploads, tmp_path: Path):
    place = send(uploads, "reviews.csv", CONTENT)
    assert place.read_bytes() == CONTENT
    assert place.name == "reviews.csv"
    assert place.is_relative_to(tmp_path / "uploads")
    assert stored(tmp_path) == ["reviews.csv"]


def test_the_same_content_is_sent_and_stored_once(uploads: Uploads, tmp_path: Path):
    digest = hashlib.sha256(CONTENT).hexdigest()
    first = send(uploads, "a.csv", CONTENT, digest)
    upload, known = uploads.begin("a.csv", len(CONTENT), digest)
    assert known == first
    with pytest.raises(StudioError):  # nothing is to be sent
        uploads.chunk(upload, 0, memoryview(b""))
    assert send(uploads, "a.csv", CONTENT) == first, "known at the end alone"
    other = send(uploads, "b.txt", CONTENT, digest)
    assert other.name == "b.txt", "the ending says how it is read"
    assert other.samefile(first), "one copy on the disk"
    assert stored(tmp_path) == ["a.csv", "b.txt"]


def test_other_content_under_the_same_name_is_another_file(uploads: Uploads):
    first, second = send(uploads, "a.csv", b"1"), send(uploads, "a.csv", b"2")
    assert (first.read_bytes(), second.read_bytes()) == (b"1", b"2")


def test_a_part_whose_answer_was_lost_is_sent_again(uploads: Uploads):
    upload, _ = uploads.begin("a.txt", 6, None)
    assert uploads.chunk(upload, 0, memoryview(b"abc")) == 3
    assert uploads.chunk(upload, 0, memoryview(b"abc")) == 3
    assert uploads.chunk(upload, 2, memoryview(b"cdef")) == 6
    assert uploads.end(upload).read_bytes() == b"abcdef"


@pytest.mark.parametrize(("offset", "size"), [(4, 1), (0, 7), (0, CHUNK + 1)])
def test_a_part_that_does_not_fit_is_refused(uploads: Uploads, offset: int, size: int):
    upload, _ = uploads.begin("a.txt", 6 if size < CHUNK else 2 * CHUNK, None)
    with pytest.raises(StudioError) as error:
        uploads.chunk(upload, offset, memoryview(bytes(size)))
    assert code(error) == "upload.chunk"


def test_what_is_missing_or_damaged_is_never_put_in_place(uploads: Uploads, tmp_path: Path):
    upload, _ = uploads.begin("a.txt", 2, "0" * 64)
    with pytest.raises(StudioError) as error:
        uploads.end(upload)
    assert code(error) == "upload.incomplete"
    uploads.chunk(upload, 0, memoryview(b"ab"))
    with pytest.raises(StudioError) as error:
        uploads.end(upload)
    assert code(error) == "upload.damaged"
    assert stored(tmp_path) == []


def test_a_digest_told_at_the_end_is_checked(uploads: Uploads):
    upload, _ = uploads.begin("a.txt", 2, None)
    uploads.chunk(upload, 0, memoryview(b"ab"))
    with pytest.raises(StudioError) as error:
        uploads.end(upload, "f" * 64)
    assert code(error) == "upload.damaged"


def test_cancelled_or_unknown(uploads: Uploads, tmp_path: Path):
    upload, _ = uploads.begin("a.txt", 2, None)
    uploads.cancel(upload)
    uploads.cancel(upload)
    assert stored(tmp_path) == []
    with pytest.raises(StudioError) as error:
        uploads.chunk(upload, 0, memoryview(b"a"))
    assert code(error) == "upload.unknown"


def test_an_empty_file_and_a_full_disk(uploads: Uploads, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(StudioError, match="is empty"):
        uploads.begin("a.txt", 0, None)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=200 << 20))
    assert uploads.begin("a.txt", 50 << 20, None)
    with pytest.raises(StudioError, match="Make room"):
        uploads.begin("a.txt", 150 << 20, None)


def test_what_other_kernels_left_is_removed_after_a_day(uploads: Uploads, tmp_path: Path):
    uploads.begin("a.txt", 2, None)
    (old,) = (tmp_path / "uploads" / ".partial").iterdir()
    os.utime(old, (1, time.time() - module._STALE_SECONDS - 60))
    Uploads(tmp_path).begin("b.txt", 2, None)
    assert not old.exists()


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("reviews.csv", "reviews.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\my file.csv", "my file.csv"),
        ("..", "data"),
        ("", "data"),
        (".hidden", "hidden"),
        ("a:b?.csv", "a_b_.csv"),
        ("CON.csv", "_CON.csv"),
        ("übersicht.csv.gz", "übersicht.csv.gz"),
        ("x" * 300 + ".csv.gz", "x" * 113 + ".csv.gz"),
    ],
)
def test_safe_names(name: str, safe: str):
    assert safe_name(name) == safe


@given(st.text())
def test_any_name_becomes_one_file_in_its_folder(name: str):
    safe = safe_name(name)
    assert safe
    assert Path(safe).name == safe
    assert safe not in {".", ".."}
    assert len(safe.encode()) <= 255
    assert safe_name(safe) == safe
