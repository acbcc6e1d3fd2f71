"""Two slots: whatever byte a write is torn at, the revision before it is still there."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinydb import TinyDB

from easymodel_nb.store import record
from easymodel_nb.store.two_slot import Damaged, TwoSlotStorage, newest, read_slot, slot_paths

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # Lone surrogates too: half an emoji is what a careless front end may send.
    | st.text(st.characters(), max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
records = st.dictionaries(st.text(max_size=5), values, max_size=4)


@pytest.fixture
def stem(tmp_path: Path) -> Path:
    return tmp_path / "p1"


def fresh(factory: pytest.TempPathFactory) -> Path:
    return factory.mktemp("slots") / "p1"


@given(st.lists(records, min_size=1, max_size=6))
def test_what_was_written_last_is_read(tmp_path_factory: Any, written: list[dict[str, Any]]):
    stem = fresh(tmp_path_factory)
    for content in written:
        record.write(stem, "project", content)
        assert record.read(stem, "project") == content
    slot = newest(stem)
    assert slot is not None
    assert slot.rev == len(written)


@given(st.lists(records, min_size=2, max_size=4), st.data())
def test_a_write_torn_at_any_byte_leaves_the_older_revision(
    tmp_path_factory: Any, written: list[dict[str, Any]], data: st.DataObject
):
    stem = fresh(tmp_path_factory)
    for content in written:
        record.write(stem, "project", content)
    slot = newest(stem)
    assert slot is not None
    whole = slot.path.read_bytes()
    cut = data.draw(st.integers(0, len(whole) - 1))
    garbage = data.draw(st.binary(max_size=5))
    slot.path.write_bytes(whole[:cut] + garbage)
    if read_slot(slot.path) is None:  # the garbage may have been just what was missing
        assert record.read(stem, "project") == written[-2]
        record.write(stem, "project", written[-1])  # and life goes on
        assert record.read(stem, "project") == written[-1]
        assert read_slot(slot.path) is not None, "the torn slot is the one to write"


def test_every_single_cut(stem: Path):
    record.write(stem, "project", {"name": "old"})
    record.write(stem, "project", {"name": "new"})
    slot = newest(stem)
    assert slot is not None
    whole = slot.path.read_bytes()
    for cut in range(len(whole)):
        slot.path.write_bytes(whole[:cut])
        assert record.read(stem, "project") == {"name": "old"}, cut


def test_any_tinydb_can_read_a_slot(stem: Path):
    record.write(stem, "project", {"id": "p1", "name": "Åsa"})
    with TinyDB(slot_paths(stem)[0]) as database:
        assert database.table("project").all() == [{"id": "p1", "name": "Åsa"}]
        assert database.table("_slot").get(doc_id=1)["rev"] == 1


def test_a_slot_changed_by_hand_no_longer_counts(stem: Path):
    record.write(stem, "project", {"name": "old"})
    record.write(stem, "project", {"name": "new"})
    path = slot_paths(stem)[1]
    path.write_text(path.read_text().replace("new", "bad"))
    assert record.read(stem, "project") == {"name": "old"}


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"_slot": {"1": {"rev": 1}}}', "\0\0"])
def test_two_slots_that_cannot_be_trusted_are_damage_not_emptiness(stem: Path, text: str):
    first, second = slot_paths(stem)
    first.write_text(text)
    with pytest.raises(Damaged) as damage:
        newest(stem)
    assert damage.value.paths == [first]
    second.write_text(text)
    with pytest.raises(Damaged):
        TwoSlotStorage(stem).write({"project": {}})
    assert first.read_text() == text, "nothing is written over what cannot be read"


def test_nothing_is_touched_when_a_value_cannot_be_json(stem: Path):
    record.write(stem, "project", {"name": "old"})
    before = {path.name: path.read_bytes() for path in stem.parent.iterdir()}
    with pytest.raises((TypeError, ValueError)):
        record.write(stem, "project", {"name": object()})
    with pytest.raises(ValueError, match="JSON"):
        record.write(stem, "project", {"name": float("nan")})
    assert {path.name: path.read_bytes() for path in stem.parent.iterdir()} == before


def test_a_key_that_was_taken_out_stays_out(stem: Path):
    record.write(stem, "project", {"name": "a", "extra": 1})
    record.write(stem, "project", {"name": "b"})
    assert json.loads(slot_paths(stem)[1].read_text())["project"]["1"] == {"name": "b"}
