"""Slot files that are torn, cut, zeroed or edited: the good one counts, and it is told."""

from collections.abc import Callable
from pathlib import Path

import pytest

from easymodel_nb.errors import StudioError
from easymodel_nb.store.projects import Project, ProjectStore
from easymodel_nb.store.two_slot import newest, slot_paths
from easymodel_nb.workflow.document import Node, Workflow

Spoil = Callable[[bytes], bytes]
TORN: dict[str, Spoil] = {
    "empty": lambda _: b"",
    "half": lambda whole: whole[: len(whole) // 2],
    "its last byte missing": lambda whole: whole[:-1],
    "zeros": lambda whole: bytes(len(whole)),
    "zeros from the middle on": lambda whole: whole[:200] + bytes(len(whole) - 200),
}
ALTERED: dict[str, Spoil] = {
    "a word changed by hand": lambda whole: whole.replace(b"newest", b"typed here"),
    "a comma lost by hand": lambda whole: whole.replace(b'"newest"', b'"newest" "more"'),
    "zeros in the middle": lambda whole: whole[:100] + bytes(50) + whole[150:],
    "another program's": lambda _: b'{"project": {"1": {"name": "mine"}}}',
    "its checksum changed": lambda whole: whole.replace(b'"sha256": "', b'"sha256": "0'),
}


@pytest.fixture
def store(home: Path) -> ProjectStore:
    return ProjectStore(home)


@pytest.fixture
def project(store: ProjectStore) -> Project:
    made = store.create("A")
    older = store.save(made.id, noted("older"), 1)
    return store.save(made.id, noted("newest"), older.revision)


def noted(text: str) -> Workflow:
    return Workflow(nodes=[Node(id="n1", type="note", data={"text": text})])


def text_of(project: Project) -> str:
    return str(project.workflow.nodes[0].data["text"])


def spoiled(store: ProjectStore, project: Project, spoil: Spoil) -> Path:
    """Spoil the newest slot; answers its path."""
    slot = newest(store.home / "projects" / project.id)
    assert slot is not None
    slot.path.write_bytes(spoil(slot.path.read_bytes()))
    return slot.path


def notices(store: ProjectStore) -> dict[str, str]:
    return {problem.code: problem.message for problem in store.damaged()}


@pytest.mark.parametrize("spoil", TORN.values(), ids=TORN)
def test_a_torn_slot_is_told_and_written_next(store: ProjectStore, project: Project, spoil: Spoil):
    path = spoiled(store, project, spoil)
    assert [info.name for info in store.list_projects()] == ["A"]
    found = store.load(project.id)
    assert (text_of(found), found.revision) == ("older", 2)
    told = notices(store)["store.torn"]
    assert "'A' is shown as it was before its last save" in told
    assert path.name in told
    store.save(project.id, noted("again"), 2)
    assert text_of(ProjectStore(store.home).load(project.id)) == "again"
    slot = newest(store.home / "projects" / project.id)
    assert slot is not None
    assert slot.path == path
    assert "store.torn" in notices(store), "it is told as long as this studio lives"
    assert not list(store.home.rglob("*.damaged"))


@pytest.mark.parametrize("spoil", ALTERED.values(), ids=ALTERED)
def test_what_somebody_may_have_typed_is_set_aside(
    store: ProjectStore, project: Project, spoil: Spoil
):
    path = spoiled(store, project, spoil)
    content = path.read_bytes()
    assert text_of(store.load(project.id)) == "older"
    aside = path.with_name(path.name + ".damaged")
    assert str(aside) in notices(store)["store.damaged"]
    for number in range(4):
        store.save(project.id, noted(str(number)), 2 + number)
    assert aside.read_bytes() == content
    aside.unlink()
    assert notices(store) == {}


@pytest.mark.parametrize("spoil", [*TORN.values(), *ALTERED.values()], ids=[*TORN, *ALTERED])
def test_both_slots_bad_are_set_aside_and_never_written(
    store: ProjectStore, project: Project, spoil: Spoil
):
    other = store.create("Other", noted("of the other"))
    store.settings.remember(active=project.id)
    bad = {}
    for path in slot_paths(store.home / "projects" / project.id):
        path.write_bytes(spoil(path.read_bytes().replace(b"older", b"newest")))
        bad[path.name + ".damaged"] = path.read_bytes()
    assert [info.id for info in store.list_projects()] == [other.id]
    for refused in (
        lambda: store.load(project.id),
        lambda: store.save(project.id, noted("x"), 3),
        lambda: store.rename(project.id, "x"),
        lambda: store.delete(project.id),
    ):
        with pytest.raises(StudioError):
            refused()
    store.save(other.id, noted("goes on"), 1)
    assert store.create("New").name == "New"
    assert sum(problem.code == "store.damaged" for problem in store.damaged()) == 2
    kept = {path.name: path.read_bytes() for path in (store.home / "projects").glob("*.damaged")}
    assert kept == bad


def test_the_settings_are_told_and_kept_too(store: ProjectStore):
    store.settings.remember(theme="dark")
    store.settings.remember(active="p")
    slot = newest(store.home / "settings")
    assert slot is not None
    slot.path.write_bytes(slot.path.read_bytes()[:40])
    assert store.settings.read().theme == "dark"
    assert "What is remembered across projects" in notices(store)["store.torn"]
