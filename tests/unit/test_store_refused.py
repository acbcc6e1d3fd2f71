"""The disk refuses: work goes on in memory, and is saved by itself as soon as it can be."""

import errno
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from easymodel_nb import ids
from easymodel_nb.errors import StudioError
from easymodel_nb.store import record, shelf, two_slot
from easymodel_nb.store.first import ensure_project
from easymodel_nb.store.projects import ProjectStore
from easymodel_nb.workflow.document import Node, Workflow

REFUSALS = {
    errno.ENOSPC: "is full",
    errno.EDQUOT: "is full",
    errno.EROFS: "can only be read",
    errno.EACCES: "no permission",
    errno.EIO: "cannot be written",
}


class Disk:
    """A disk that can be told to refuse what is written to it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.error: int | None = None
        put, unlink = two_slot._put, Path.unlink
        monkeypatch.setattr(two_slot, "_put", self._guarded(put))
        monkeypatch.setattr(Path, "unlink", self._guarded(unlink))

    def _guarded(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(path: Path, *args: Any, **more: Any) -> Any:
            if self.error is not None:
                raise OSError(self.error, "refused", str(path))
            return work(path, *args, **more)

        return guarded


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    monkeypatch.setattr(shelf, "RETRY_SECONDS", 3600.0)  # the tests say when it is tried
    return Disk(monkeypatch)


@pytest.fixture
def store(home: Path) -> ProjectStore:
    return ProjectStore(home)


def noted(text: str) -> Workflow:
    return Workflow(nodes=[Node(id="n1", type="note", data={"text": text})])


def on_disk(store: ProjectStore) -> dict[str, Any]:
    """What another process would find."""
    folder = store.home / "projects"
    return {name: record.read(folder / name, "project") for name in record.stamps(folder)}


@pytest.mark.parametrize(("error", "says"), REFUSALS.items())
def test_every_change_goes_on_in_memory_and_is_saved_later(
    store: ProjectStore, disk: Disk, error: int, says: str
):
    edited, renamed, deleted, thrown = (store.create(name) for name in "ABCD")
    store.delete(thrown.id)
    before = on_disk(store)
    told: list[str | None] = []
    store.shelf.subscribe(lambda: told.append(store.shelf.problem))

    disk.error = error
    assert store.save(edited.id, noted("kept"), 1).revision == 2
    assert store.save(edited.id, noted("kept again"), 2).revision == 3
    store.rename(renamed.id, "B2")
    store.delete(deleted.id)
    store.restore(thrown.id)
    made = store.create("E", noted("new"))
    store.move(made.id, None)
    store.settings.remember(theme="dark")

    def seen(store: ProjectStore) -> tuple[Any, ...]:
        return (
            [(info.id, info.name) for info in store.list_projects()],
            [(gone.id, gone.name) for gone in store.trash.items()],
            store.load(edited.id),
            store.load(made.id),
            store.settings.read(),
        )

    expected = seen(store)
    assert [name for _, name in expected[0]] == ["D", "B2", "A", "E"]
    assert [name for _, name in expected[1]] == ["C"]
    assert expected[2].workflow.nodes[0].data["text"] == "kept again"
    assert expected[4].theme == "dark"
    assert says in (store.shelf.problem or "")
    assert "memory" in (store.shelf.problem or "")
    assert told == [store.shelf.problem], "told once"
    assert on_disk(store) == before
    assert seen(ProjectStore(store.home)) == expected, "a studio in another cell finds it all"
    assert not store.shelf.keep()

    disk.error = None
    assert store.shelf.keep()
    assert store.shelf.problem is None
    assert told[-1] is None
    shelf.shelf_at.cache_clear()  # as a new process
    assert seen(ProjectStore(store.home)) == expected


def test_the_next_change_brings_the_earlier_ones_to_the_disk(store: ProjectStore, disk: Disk):
    project = store.create("A")
    disk.error = errno.ENOSPC
    store.save(project.id, noted("1"), 1)
    disk.error = None
    store.save(project.id, noted("2"), 2)
    assert store.shelf.problem is None
    assert on_disk(store)[project.id]["workflow"]["nodes"][0]["data"] == {"text": "2"}


def test_it_is_tried_again_by_itself(
    store: ProjectStore, disk: Disk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(shelf, "RETRY_SECONDS", 0.01)
    saved = threading.Event()
    store.shelf.subscribe(lambda: None if store.shelf.problem else saved.set())
    disk.error = errno.ENOSPC
    project = store.create("A")
    assert store.shelf.problem
    disk.error = None
    assert saved.wait(30)
    assert on_disk(store)[project.id]["name"] == "A"


def test_what_was_changed_elsewhere_meanwhile_is_not_overwritten(store: ProjectStore, disk: Disk):
    project = store.create("A")
    store.settings.remember(theme="dark", active="x")
    disk.error = errno.EACCES
    store.save(project.id, noted("mine"), 1)
    store.settings.remember(active="y")
    disk.error = None
    stem = store.home / "projects" / project.id
    theirs = {**(record.read(stem, "project") or {}), "revision": 2}
    theirs["workflow"] = {**theirs["workflow"], "nodes": noted("theirs").dump()["nodes"]}
    record.write(stem, "project", theirs)
    settings = record.read(store.home / "settings", "settings") or {}
    record.write(store.home / "settings", "settings", {**settings, "theme": "light"})

    assert store.shelf.keep()
    assert store.load(project.id).workflow.nodes[0].data["text"] == "theirs"
    mine = next(info for info in store.list_projects() if info.id != project.id)
    assert mine.name == "A (from this notebook)"
    assert store.load(mine.id).workflow.nodes[0].data["text"] == "mine"
    assert "yours is beside it" in store.damaged()[0].message
    known = store.settings.read()
    assert (known.theme, known.active) == ("light", "y"), "each side's own change"


def test_a_deletion_does_not_take_what_was_saved_elsewhere_meanwhile(
    store: ProjectStore, disk: Disk
):
    project = store.create("A")
    disk.error = errno.ENOSPC
    store.delete(project.id)
    disk.error = None
    stem = store.home / "projects" / project.id
    record.write(stem, "project", {**(record.read(stem, "project") or {}), "revision": 9})
    assert store.shelf.keep()
    assert store.load(project.id).revision == 9


@pytest.mark.usefixtures("disk")
def test_a_home_that_cannot_be_made_opens_in_memory(tmp_path: Path):
    home = tmp_path / "a file" / "Łódź 家"
    home.parent.write_text("")
    store = ProjectStore(home)
    project = ensure_project(store)
    store.save(project.id, noted("typed"), 1)
    assert str(home) in (store.shelf.problem or "")
    home.parent.unlink()
    assert store.shelf.keep()
    shelf.shelf_at.cache_clear()
    other = ProjectStore(home)
    assert other.load(project.id).workflow.nodes[0].data["text"] == "typed"
    assert other.settings.read().active == project.id


@pytest.mark.usefixtures("disk")
def test_a_file_that_may_not_be_read_is_left_alone(store: ProjectStore):
    project = store.create("A")
    path = two_slot.slot_paths(store.home / "projects" / project.id)[0]
    content = path.read_bytes()
    path.unlink()
    path.mkdir()  # reading it is refused, for root as well
    with pytest.raises(StudioError, match="cannot be read"):
        store.load(project.id)
    assert store.list_projects() == []
    assert path.is_dir()
    path.rmdir()
    path.write_bytes(content)
    assert store.load(project.id) == project


@pytest.mark.usefixtures("disk")
def test_one_of_two_that_may_not_be_read_is_not_written_over(store: ProjectStore):
    project = store.create("A")
    store.save(project.id, noted("newest"), 1)
    stem = store.home / "projects" / project.id
    newest = two_slot.newest(stem)
    assert newest is not None
    content = newest.path.read_bytes()
    newest.path.unlink()
    newest.path.mkdir()
    assert store.load(project.id).revision == 1
    assert "as far as it can be read" in store.damaged()[0].message
    store.rename(project.id, "B")
    assert store.shelf.holding
    newest.path.rmdir()
    newest.path.write_bytes(content)
    assert store.shelf.keep()
    assert store.load(project.id).workflow.nodes[0].data["text"] == "newest"
    assert [info.name for info in store.list_projects()] == ["B (from this notebook)", "A"]


def test_on_a_slow_disk_changes_wait_for_each_other_and_none_is_lost(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    store = ProjectStore(home)
    first, second = (store.load(store.create(name).id) for name in "AB")
    store.settings.read()
    begun, go = threading.Event(), threading.Event()
    put = two_slot._put

    def slow(path: Path, content: bytes) -> None:
        begun.set()
        assert go.wait(60)
        put(path, content)

    monkeypatch.setattr(two_slot, "_put", slow)
    done: list[int] = []

    def save(project_id: str, text: str) -> None:
        done.append(store.save(project_id, noted(text), 1).revision)

    saves = [
        threading.Thread(target=save, args=(project.id, project.name))
        for project in (first, second)
    ]
    saves[0].start()
    assert begun.wait(60)
    saves[1].start()
    # What is known is shown meanwhile, and nothing is said to be saved.
    assert store.load(second.id) == second
    assert store.settings.read().theme == "auto"
    assert done == []
    go.set()
    for thread in saves:
        thread.join(60)
    assert done == [2, 2]
    assert [store.load(p.id).workflow.nodes[0].data["text"] for p in (first, second)] == ["A", "B"]


def test_ids_are_new_and_sort_also_when_the_clock_goes_back(
    store: ProjectStore, monkeypatch: pytest.MonkeyPatch
):
    now = datetime.now(UTC)
    made: list[str] = []

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]  # noqa: ARG003
            return now - timedelta(days=len(made))

    monkeypatch.setattr(ids, "datetime", Clock)
    while len(made) < 6:
        made.append(store.create(f"P{len(made)}").id)
        if len(made) == 3:
            store.delete(made[2])  # what is in the trash has its id still
    assert made == sorted(set(made))
    assert [info.name for info in store.list_projects()] == ["P5", "P4", "P3", "P1", "P0"]
    (store.home / "projects" / "99991231T235959999999-ffff.a.json").write_text("made up")
    assert store.create("P6").id < "3"
