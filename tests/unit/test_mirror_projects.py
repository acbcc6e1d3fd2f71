"""Projects on two machines with one synced folder: nothing acknowledged is lost or overwritten."""

from pathlib import Path
from random import Random

import pytest
from clouds import Cloud, FaultyFolder, Killed, Machine, notes

from easymodel_nb.errors import problem_error


@pytest.fixture
def two(tmp_path: Path) -> tuple[Machine, Machine]:
    cloud = Cloud()
    return (
        Machine(tmp_path / "a", FaultyFolder(cloud, Random(1))),
        Machine(tmp_path / "b", FaultyFolder(cloud, Random(2))),
    )


def exchange(*machines: Machine) -> None:
    """All save, everything travels, all look anew as new processes do."""
    for machine in machines:
        machine.save()
    for machine in (*machines, *machines):
        machine.folder.sync()
    for machine in machines:
        machine.begin()
        machine.look()


def names(machine: Machine) -> list[str]:
    return sorted(info.name for info in machine.store.list_projects())


def test_a_project_comes_to_an_empty_home(two: tuple[Machine, Machine]):
    a, b = two
    made = a.store.create("Poems", notes("one"))
    a.store.settings.remember(active=made.id, theme="dark")
    exchange(a, b)
    assert names(b) == ["Poems"]
    assert b.store.load(made.id).workflow.dump() == a.store.load(made.id).workflow.dump()
    assert b.store.settings.read().active is not None


def test_the_newest_descendant_wins_and_views_see_another_revision(two: tuple[Machine, Machine]):
    a, b = two
    made = a.store.create("Poems", notes("one"))
    exchange(a, b)
    b.write(made.id, "two")
    exchange(a, b)
    assert a.tokens() == {"one", "two"}
    assert a.store.load(made.id).revision > made.revision
    assert names(a) == names(b) == ["Poems"]


def test_what_diverged_is_kept_beside_once(two: tuple[Machine, Machine]):
    a, b = two
    made = a.store.create("Poems", notes("one"))
    exchange(a, b)
    a.write(made.id, "left")
    b.write(made.id, "right")
    for _ in range(4):
        exchange(a, b)
    for machine, other in ((a, b), (b, a)):
        mine = machine.store.load(made.id).workflow.dump()["nodes"]
        assert len(mine) == 2
        assert len(names(machine)) == 2
        beside = next(name for name in names(machine) if name != "Poems")
        assert beside.startswith(f"Poems (from {other.memory.host}, ")
        assert machine.tokens() == {"one", "left", "right"}


def test_a_copy_that_nobody_changed_follows_its_branch(two: tuple[Machine, Machine]):
    a, b = two
    made = a.store.create("Poems", notes("one"))
    exchange(a, b)
    a.write(made.id, "left")
    b.write(made.id, "right")
    exchange(a, b)
    a.write(made.id, "more")
    exchange(a, b)
    assert len(names(b)) == 2
    assert b.tokens() == {"one", "left", "right", "more"}


def test_a_copy_that_was_changed_stays_as_it_is(two: tuple[Machine, Machine]):
    a, b = two
    made = a.store.create("Poems", notes("one"))
    exchange(a, b)
    a.write(made.id, "left")
    b.write(made.id, "right")
    exchange(a, b)
    copy = next(one for one in b.projects() if one != made.id)
    b.write(copy, "mine")
    a.write(made.id, "more")
    exchange(a, b)
    exchange(a, b)
    assert a.tokens() == b.tokens() == {"one", "left", "right", "mine", "more"}


def test_undone_and_done_again_is_no_divergence(two: tuple[Machine, Machine]):
    a, b = two
    made = a.store.create("Poems", notes("one"))
    exchange(a, b)
    a.write(made.id, "two")
    exchange(a, b)
    a.erase(made.id)
    exchange(a, b)
    assert b.tokens() == {"one"}
    assert names(b) == ["Poems"]


def test_deleted_there_is_in_the_trash_here_and_emptied_never_comes_back(
    two: tuple[Machine, Machine], tmp_path: Path
):
    a, b = two
    made = a.store.create("Poems", notes("one"))
    exchange(a, b)
    a.store.delete(made.id)
    exchange(a, b)
    assert names(b) == []
    assert [item.name for item in b.store.trash.items()] == ["Poems"]
    a.store.trash.empty()
    exchange(a, b)
    c = Machine(tmp_path / "c", FaultyFolder(a.folder.cloud, Random(3)))
    exchange(a, c)
    assert names(c) == []
    assert c.store.trash.items() == []


def test_an_edit_survives_a_deletion_elsewhere(two: tuple[Machine, Machine]):
    a, b = two
    made = a.store.create("Poems", notes("one"))
    exchange(a, b)
    a.store.delete(made.id)
    a.save()
    a.store.trash.empty()
    b.write(made.id, "two")
    exchange(a, b)
    exchange(a, b)
    assert a.tokens() == b.tokens() == {"one", "two"}


def test_a_project_that_is_damaged_here_comes_back(two: tuple[Machine, Machine]):
    a, b = two
    made = a.store.create("Poems", notes("one"))
    exchange(a, b)
    for path in (a.home / "projects").glob("*.json"):
        path.write_bytes(b"\0" * 20)
    a.begin()
    a.look()
    assert a.store.load(made.id).workflow.dump()["nodes"][0]["data"]["text"] == "one"


def test_a_home_that_lost_its_memory_knows_its_projects_again(two: tuple[Machine, Machine]):
    a, b = two
    a.store.create("Poems", notes("one"))
    exchange(a, b)
    (a.home / "mirror" / "memory.json").unlink()
    exchange(a, b)
    exchange(a, b)
    assert names(a) == names(b) == ["Poems"]


def test_nothing_is_written_outside_the_own_folder_and_nothing_twice(two: tuple[Machine, Machine]):
    a, b = two
    made = a.store.create("Poems", notes("one"))
    exchange(a, b)
    before = dict(a.folder.cloud.files)
    b.write(made.id, "two")
    b.save()
    written = {path for path, content in b.folder.uploads if content is not None}
    assert all(path.startswith(f"{b.memory.machine}/") for path in written)
    b.folder.sync()
    theirs = {p: c for p, c in before.items() if p.startswith(f"{a.memory.machine}/")}
    assert theirs.items() <= a.folder.cloud.files.items()


def test_a_pass_that_is_killed_anywhere_is_finished_by_the_next(tmp_path: Path):
    for step in range(1, 60):
        cloud = Cloud()
        folder = FaultyFolder(cloud, Random(step))
        machine = Machine(tmp_path / f"m{step}", folder)
        machine.store.create("Poems", notes("one"))
        machine.save()
        machine.store.create("Songs", notes("two"))
        folder.kill_after = step
        try:
            machine.save()
            done = True
        except Killed:
            done = False
        folder.kill_after = None
        folder.sync()
        other = Machine(tmp_path / f"o{step}", FaultyFolder(cloud, Random(0)))
        other.folder.sync()
        other.look()
        assert other.tokens() in ({"one"}, {"one", "two"})  # never half of a state
        machine.begin()
        machine.save()
        folder.sync()
        other.folder.sync()
        other.begin()
        other.look()
        assert other.tokens() == {"one", "two"}
        if done:
            return
    pytest.fail("the pass has more operations than were tried")


def test_what_cannot_be_read_for_now_is_neither_gone_nor_replaced(
    two: tuple[Machine, Machine], monkeypatch: pytest.MonkeyPatch
):
    a, b = two
    made = a.store.create("Poems", notes("one"))
    exchange(a, b)
    b.write(made.id, "two")
    b.save()
    for machine in (b, a):
        machine.folder.sync()
    a.begin()
    with monkeypatch.context() as patched:

        def refuse(name: str) -> None:
            raise problem_error("store.unreadable", f"{name} cannot be read")

        patched.setattr(a.contents, "record", refuse)
        before = dict(a.memory.projects)
        a.look()
        a.save()
        assert a.memory.projects == before
        assert a.memory.gone == {}
    a.look()
    assert a.tokens() == {"one", "two"}
