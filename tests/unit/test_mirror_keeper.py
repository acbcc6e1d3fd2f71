"""The mirror's thread: what it tells, and that nobody waits for it."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random

import pytest
from clouds import Cloud, FaultyFolder, notes

from easymodel_nb.store.mirror.folder import DiskFolder
from easymodel_nb.store.mirror.keeper import Keeper, Status
from easymodel_nb.store.projects import ProjectStore

PATIENCE = 30.0


def until(keeper: Keeper, true: Callable[[Status], bool]) -> Status:
    """Wait for what the keeper tells."""
    told = threading.Event()
    end = keeper.subscribe(told.set)
    deadline = time.monotonic() + PATIENCE
    while not true(status := keeper.status()):
        assert time.monotonic() < deadline, status
        told.wait(0.05)
        told.clear()
    end()
    return status


def saved(status: Status) -> bool:
    return not status.pending and status.saved is not None and status.problem is None


class SlowFolder(FaultyFolder):
    """It takes a file, and does not answer until it is told to."""

    def __init__(self) -> None:
        super().__init__(Cloud(), Random(1))
        self.go, self.waiting = threading.Event(), threading.Event()

    def create(self, path: str, parts: Iterable[bytes]) -> None:
        self.waiting.set()
        assert self.go.wait(PATIENCE)
        super().create(path, parts)


@pytest.fixture
def keepers() -> Iterator[list[Keeper]]:
    made: list[Keeper] = []
    yield made
    for keeper in made:
        keeper.close(1)


def test_a_change_is_pending_then_saved_and_save_does_not_wait(
    home: Path, tmp_path: Path, keepers: list[Keeper]
):
    store = ProjectStore(home)
    keeper = Keeper(home, DiskFolder(tmp_path / "Drive", "Drive"), debounce=3600)
    keepers.append(keeper)
    keeper.start()
    first = until(keeper, saved)
    store.create("Poems", notes("one"))
    keeper.poke()
    until(keeper, lambda status: status.pending)
    keeper.save_now()
    second = until(keeper, saved)
    assert second.saved > first.saved
    again = ProjectStore(tmp_path / "other")
    other = Keeper(tmp_path / "other", DiskFolder(tmp_path / "Drive", "Drive"))
    keepers.append(other)
    other.start()
    assert other.ready(PATIENCE)
    assert [info.name for info in again.list_projects()] == ["Poems"]


def test_save_also_brings_what_another_machine_did_meanwhile(
    home: Path, tmp_path: Path, keepers: list[Keeper]
):
    store, theirs = ProjectStore(home), ProjectStore(tmp_path / "other")
    drive = DiskFolder(tmp_path / "Drive", "Drive")
    keeper = Keeper(home, drive, debounce=3600)
    other = Keeper(theirs.home, DiskFolder(tmp_path / "Drive", "Drive"), debounce=0.01)
    keepers += [keeper, other]
    keeper.start()
    until(keeper, saved)
    theirs.create("Theirs", notes("one"))
    other.start()
    until(other, saved)
    assert store.list_projects() == []
    keeper.save_now()
    until(keeper, lambda _: [info.name for info in store.list_projects()] == ["Theirs"])


def test_what_another_machine_does_is_looked_for_now_and_then(
    home: Path, tmp_path: Path, keepers: list[Keeper], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("easymodel_nb.store.mirror.keeper.OTHERS_SECONDS", 0.05)
    store, theirs = ProjectStore(home), ProjectStore(tmp_path / "other")
    keeper = Keeper(home, DiskFolder(tmp_path / "Drive", "Drive"), debounce=3600)
    keepers.append(keeper)
    keeper.start()
    until(keeper, saved)
    theirs.create("Theirs", notes("one"))
    other = Keeper(theirs.home, DiskFolder(tmp_path / "Drive", "Drive"), debounce=0.01)
    keepers.append(other)
    other.start()
    until(keeper, lambda _: [info.name for info in store.list_projects()] == ["Theirs"])


def test_what_was_changed_is_saved_by_itself(home: Path, tmp_path: Path, keepers: list[Keeper]):
    store = ProjectStore(home)
    keeper = Keeper(home, DiskFolder(tmp_path / "Drive", "Drive"), debounce=0.01)
    keepers.append(keeper)
    keeper.start()
    first = until(keeper, saved)
    store.create("Poems", notes("one"))
    keeper.poke()
    until(keeper, lambda status: saved(status) and status.saved != first.saved)
    assert list((tmp_path / "Drive").rglob("projects/*.json"))


def test_nobody_waits_for_a_folder_that_does_not_answer(
    home: Path, keepers: list[Keeper], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("easymodel_nb.store.mirror.keeper._SLOW_SECONDS", 0.0)
    ProjectStore(home).create("Poems", notes("one"))
    folder = SlowFolder()
    keeper = Keeper(home, folder)
    keepers.append(keeper)
    keeper.start()
    assert folder.waiting.wait(PATIENCE)
    keeper.poke()  # none of these waits, or the test would not end
    keeper.save_now()
    status = keeper.status()
    assert status.pending
    assert status.saved is None
    assert "has not answered" in (status.problem or "")
    assert not keeper.close(0.01)  # a kernel that ends does not wait for it either
    folder.go.set()
    assert keeper.close(PATIENCE)


def test_what_failed_is_told_with_what_to_do_and_saved_when_it_can_be(
    home: Path, tmp_path: Path, keepers: list[Keeper]
):
    ProjectStore(home).create("Poems", notes("one"))
    drive = tmp_path / "content" / "MyDrive"
    keeper = Keeper(home, DiskFolder(drive / "EasyModel", "Drive"))
    keepers.append(keeper)
    keeper.start()
    status = until(keeper, lambda status: status.problem is not None)
    assert "Drive is not mounted" in status.problem
    assert "drive.mount" in status.problem
    assert status.saved is None
    assert not drive.exists()  # a folder made there would only look like Drive
    drive.mkdir(parents=True)
    keeper.save_now()
    assert until(keeper, saved).problem is None


def test_a_folder_that_refuses_everything_never_says_saved(home: Path, keepers: list[Keeper]):
    ProjectStore(home).create("Poems", notes("one"))
    folder = FaultyFolder(Cloud(), Random(4), faults=1.0)
    keeper = Keeper(home, folder)
    keepers.append(keeper)
    keeper.start()
    for _ in range(5):
        until(keeper, lambda status: status.problem is not None)
        keeper.save_now()
    status = until(keeper, lambda status: status.problem is not None)
    assert status.saved is None
    folder.faults = 0.0
    keeper.save_now()
    assert until(keeper, saved).saved


def test_what_somebody_deleted_there_is_copied_again_on_save(
    home: Path, tmp_path: Path, keepers: list[Keeper]
):
    ProjectStore(home).create("Poems", notes("one"))
    drive = tmp_path / "Drive"
    keeper = Keeper(home, DiskFolder(drive, "Drive"))
    keepers.append(keeper)
    keeper.start()
    until(keeper, saved)
    (gone,) = drive.rglob("projects/*.json")
    gone.unlink()
    before = keeper.status().saved
    keeper.save_now()
    until(keeper, lambda status: saved(status) and status.saved != before)
    assert gone.exists()


def test_the_last_change_is_saved_when_the_process_ends(
    home: Path, tmp_path: Path, keepers: list[Keeper]
):
    store = ProjectStore(home)
    keeper = Keeper(home, DiskFolder(tmp_path / "Drive", "Drive"), debounce=3600)
    keepers.append(keeper)
    keeper.start()
    until(keeper, saved)
    store.create("Poems", notes("one"))
    assert keeper.close(PATIENCE)
    assert list((tmp_path / "Drive").rglob("projects/*.json"))


def test_two_processes_on_one_home_do_not_both_save(
    home: Path, tmp_path: Path, keepers: list[Keeper]
):
    first, second = (Keeper(home, DiskFolder(tmp_path / "Drive", "Drive")) for _ in range(2))
    keepers += [first, second]
    first.start()
    told = until(first, saved)
    second.start()
    assert until(second, saved).saved == told.saved
    assert first.close(PATIENCE)
    machines = [path.name for path in (tmp_path / "Drive").iterdir()]
    assert len(machines) == 1
