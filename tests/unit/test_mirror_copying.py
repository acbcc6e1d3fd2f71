"""One file to the synced folder: whole and read back, or not there; and nothing that signs in."""

import errno
from pathlib import Path
from random import Random

import pytest
from clouds import Cloud, FaultyFolder
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.store.mirror import copying
from easymodel_nb.store.mirror.copying import Moving, Source, Stopped
from easymodel_nb.store.mirror.folder import Gone, why
from easymodel_nb.store.mirror.hiding import hidden


class Cutting(FaultyFolder):
    """It takes everything without a word, and keeps half of it."""

    def _put(self, path: str, content: bytes | None) -> None:
        super()._put(path, content and content[: len(content) // 2])


@pytest.fixture
def source(tmp_path: Path) -> Source:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"one\ntwo\n")
    return Source(path, 8, text=True)


def never() -> bool:
    return False


def test_what_the_folder_cut_off_without_a_word_is_no_success(source: Source):
    folder = Cutting(Cloud(), Random(1))
    with pytest.raises(OSError, match="other bytes"):
        copying.put(folder, source.parts(), "m/x.jsonl", copying.digest(source.parts()), never)
    assert folder.seen == {}


def test_what_changes_while_it_is_copied_is_for_the_next_pass(source: Source):
    folder, before = FaultyFolder(Cloud(), Random(1)), copying.digest(source.parts())
    source.path.write_bytes(b"one\nTWO\n")
    with pytest.raises(Moving):
        copying.put(folder, source.parts(), "m/x.jsonl", before, never)
    source.path.unlink()
    with pytest.raises(Moving):
        copying.put(folder, source.parts(), "m/x.jsonl", before, never)
    assert folder.seen == {}


def test_a_line_that_came_later_is_not_copied(source: Source):
    with source.path.open("ab") as file:
        file.write(b"thr")
    assert b"".join(source.parts()) == b"one\ntwo\n"


def test_an_end_is_heard_between_two_parts(source: Source):
    folder = FaultyFolder(Cloud(), Random(1))
    with pytest.raises(Stopped):
        copying.put(folder, source.parts(), "m/x", copying.digest(source.parts()), lambda: True)
    assert folder.seen == {}


def test_the_same_content_is_copied_once(source: Source):
    folder, wanted = FaultyFolder(Cloud(), Random(1)), copying.digest(source.parts())
    copying.put(folder, source.parts(), "m/x", wanted, never)
    written = len(folder.uploads)
    copying.put(folder, source.parts(), "m/x", wanted, never)
    assert len(folder.uploads) == written


def test_what_is_brought_is_whole_or_not_there(source: Source, tmp_path: Path):
    folder, wanted = FaultyFolder(Cloud(), Random(1)), copying.digest(source.parts())
    copying.put(folder, source.parts(), "m/x", wanted, never)
    whole, target = folder.seen["m/x"], tmp_path / "here" / "x"
    for torn in (b"", whole[:3], whole[:-1] + b"!", whole + b"!"):
        folder.seen["m/x"] = torn
        assert not copying.fetch(folder, "m/x", wanted, target, never)
        assert not list(tmp_path.glob("here/*"))
    folder.seen["m/x"] = whole
    assert copying.fetch(folder, "m/x", wanted, target, never)
    assert target.read_bytes() == whole


@pytest.mark.parametrize(
    ("error", "said", "do"),
    [
        (OSError(errno.ENOSPC, "No space left"), "Drive is full", "Free some space"),
        (OSError(errno.EDQUOT, "Quota"), "Drive is full", "its bin counts too"),
        (Gone(errno.ENOENT, "not mounted"), "Drive is not mounted", "drive.mount"),
        (OSError(errno.ENOTCONN, "Transport"), "Drive is not mounted", "drive.mount"),
        (PermissionError(errno.EACCES, "Permission denied"), "does not let", "Allow it"),
        (OSError(errno.EIO, "Input/output error"), "did not take", "tried again"),
    ],
)
def test_each_refusal_says_what_to_do(error: OSError, said: str, do: str):
    assert said in why(error, "Drive")
    assert do in why(error, "Drive")


@given(st.text())
def test_hiding_twice_changes_nothing_more(text: str):
    assert hidden(hidden(text)) == hidden(text)


@given(
    st.sampled_from(["", "?", "https://a:b@", "&token=", "?X-Amz-Signature=", '"', "\\", "hf_"]),
    st.text('abcXYZ019_=&?/@:"\\', max_size=60),
)
def test_hiding_is_settled_after_once(start: str, text: str):
    once = hidden(start + text)
    assert hidden(once) == once
