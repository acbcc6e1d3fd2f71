"""The project list: laid by the user, what is new on top, kept on disk."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.errors import StudioError
from easymodel_nb.store import order
from easymodel_nb.store.projects import ProjectStore


def names(store: ProjectStore) -> list[str]:
    return [info.name for info in ProjectStore(store.home).list_projects()]


@pytest.fixture
def store(home: Path) -> ProjectStore:
    return ProjectStore(home)


@pytest.fixture
def ids(store: ProjectStore) -> dict[str, str]:
    """Projects C, B, A: the newest is on top."""
    return {name: store.create(name).id for name in "ABC"}


def test_what_is_new_is_on_top(store: ProjectStore, ids: dict[str, str]):
    assert names(store) == ["C", "B", "A"]
    store.move(ids["A"], ids["B"])
    assert names(store) == ["C", "A", "B"]
    store.create("D")
    assert names(store) == ["D", "C", "A", "B"]


def test_a_project_is_put_before_another_one_or_at_the_end(
    store: ProjectStore, ids: dict[str, str]
):
    store.move(ids["C"], None)
    assert names(store) == ["B", "A", "C"]
    store.move(ids["C"], ids["B"])
    assert names(store) == ["C", "B", "A"]
    store.move(ids["B"], ids["B"])
    assert names(store) == ["C", "B", "A"]
    for before in ("gone", ids["A"]):
        with pytest.raises(StudioError, match="no project 'gone'"):
            store.move("gone" if before != "gone" else ids["A"], before)


def test_a_copy_stands_below_its_original(store: ProjectStore, ids: dict[str, str]):
    store.duplicate(ids["B"])
    store.duplicate(ids["A"])
    assert names(store) == ["C", "B", "B copy", "A", "A copy"]


def test_what_is_restored_stands_where_it_stood(store: ProjectStore, ids: dict[str, str]):
    store.move(ids["A"], ids["B"])  # C, A, B
    store.delete(ids["A"])
    store.move(ids["B"], ids["C"])
    assert names(store) == ["B", "C"]
    store.restore(ids["A"])
    assert names(store) == ["B", "C", "A"]  # behind the one it followed


def test_a_name_of_the_list_is_no_path(store: ProjectStore, ids: dict[str, str]):
    store.settings.remember(theme="dark")
    for name in ("../settings", "..", "", f"./{ids['A']}"):
        with pytest.raises(StudioError, match="no project"):
            store.load(name)


IDS = st.lists(st.sampled_from("abcdefgh"), unique=True)


@given(IDS, IDS, st.data())
def test_whatever_is_moved_nothing_is_lost_and_the_others_keep_their_order(
    there: list[str], known: list[str], data: st.DataObject
):
    shown = order.arranged(there, known)
    assert sorted(shown) == sorted(there)
    if not shown:
        return
    moving = data.draw(st.sampled_from(shown))
    before = data.draw(st.sampled_from([None, *shown]))
    if moving == before:
        return
    remembered = order.moved(shown, known, moving, before)
    assert len(remembered) == len(set(remembered))
    assert set(remembered) == set(shown) | set(known)
    after = order.arranged(there, remembered)
    assert [i for i in after if i != moving] == [i for i in shown if i != moving]
    at = after.index(moving)
    assert (after[at + 1] if at + 1 < len(after) else None) == before
