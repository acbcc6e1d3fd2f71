"""Who has a project open: one process at a time, and never one that is gone."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from easymodel_nb import environment
from easymodel_nb.runlog import owners
from easymodel_nb.store.leases import Leases, Owner, this_process
from easymodel_nb.store.locks import lock_at
from easymodel_nb.store.projects import ProjectStore
from easymodel_nb.widgets.holding import Holding
from easymodel_nb.widgets.rpc import RpcError

Neighbour = tuple[subprocess.Popen[bytes], Owner]
SLEEPER = "import sys; print('up', flush=True); sys.stdin.read()"


def leases(home: Path, owner: Owner | None = None) -> Leases:
    return Leases(home, lock_at(home / ".store.lock"), owner or this_process("mine.ipynb"))


@pytest.fixture
def neighbour() -> Iterator[Neighbour]:
    """A process that lives until its input ends, as an owner."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield process, _owner(process.pid)
    process.kill()
    process.communicate()


def _owner(pid: int) -> Owner:
    me = this_process("theirs.ipynb")
    return me.model_copy(update={"pid": pid, "pid_started": environment.process_started(pid)})


def test_the_first_has_it_and_the_second_is_told_who(home: Path, neighbour: Neighbour):
    process, theirs = neighbour
    assert leases(home, theirs).take("p") is None
    mine = leases(home)
    held = mine.take("p")
    assert held is not None
    assert (held.title, held.pid) == ("theirs.ipynb", process.pid)
    assert mine.other("p") == held
    assert mine.take("q") is None


def test_what_a_killed_process_held_is_free(home: Path, neighbour: Neighbour):
    process, theirs = neighbour
    leases(home, theirs).take("p")
    mine = leases(home)
    assert mine.other("p") is not None
    process.kill()
    process.wait()
    assert mine.other("p") is None
    assert mine.take("p") is None
    assert mine.is_mine("p")


def test_a_pid_that_was_given_again_holds_nothing(home: Path, neighbour: Neighbour):
    _, theirs = neighbour
    earlier = theirs.model_copy(update={"pid_started": theirs.pid_started - 60})
    leases(home, earlier).take("p")
    assert leases(home).other("p") is None


def test_from_another_machine_it_counts_while_it_beats(home: Path):
    away = this_process("theirs.ipynb").model_copy(update={"host": "elsewhere", "pid": 1})
    theirs = leases(home, away)
    theirs.take("p")
    assert leases(home).other("p") is not None
    _age(home, 29)
    assert leases(home).other("p") is not None
    _age(home, 31)
    mine = leases(home)
    assert mine.other("p") is None
    theirs.beat("p")
    assert mine.other("p") is not None


def test_on_another_machine_the_clock_may_say_what_it_likes(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    away = this_process("theirs.ipynb").model_copy(update={"host": "elsewhere", "pid": 1})
    leases(home, away).take("p")
    _age(home, -3600)  # its clock is an hour ahead of ours
    mine, clock = leases(home), [1000.0]
    monkeypatch.setattr(owners.time, "monotonic", lambda: clock[0])
    assert mine.other("p") is None, "nobody can tell at first sight"
    for beat in range(5):
        clock[0] += 10
        _age(home, -3610 - beat)
        assert mine.other("p") is not None, "it goes on beating"
    clock[0] += 31
    assert mine.other("p") is None, "it stopped"


def test_after_another_boot_the_beat_alone_counts(home: Path):
    before = this_process().model_copy(update={"boot_id": "the boot before"})
    leases(home, before).take("p")
    _age(home, 31)
    assert leases(home).take("p") is None


def _age(home: Path, seconds: float) -> None:
    path = home / "open" / "p.json"
    then = datetime.now(UTC) - timedelta(seconds=seconds)
    path.write_text(json.dumps({**json.loads(path.read_text()), "beat": then.isoformat()}))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}', "\x00\x01"])
def test_a_torn_file_holds_nothing(home: Path, content: str):
    (home / "open").mkdir(parents=True)
    (home / "open" / "p.json").write_text(content)
    assert leases(home).take("p") is None


def test_a_beat_without_a_zone_is_no_error(home: Path):
    away = this_process().model_copy(update={"host": "elsewhere"})
    leases(home, away).take("p")
    path = home / "open" / "p.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "beat": "2026-01-01T00:00:00"}))
    assert leases(home).other("p") is None


def test_a_newer_studio_of_the_same_process_has_it_and_the_older_lets_it(home: Path):
    older, newer = leases(home), leases(home)
    older.take("p")
    assert newer.take("p") is None
    older.release("p")
    older.beat("p")
    assert newer.is_mine("p")
    newer.release("p")
    assert not (home / "open" / "p.json").exists()


def test_a_project_taken_over_is_held_by_the_other_and_what_is_released_is_free(
    home: Path, neighbour: Neighbour
):
    _, owner = neighbour
    theirs, mine = leases(home, owner), leases(home)
    mine.take("p")
    assert theirs.take("p") is not None
    assert theirs.take("p", over=True) is None
    assert mine.other("p") is not None
    assert not mine.is_mine("p")
    mine.release("p")  # no longer its own
    assert theirs.is_mine("p")
    theirs.release("p")
    assert mine.take("p") is None


class Told:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def test_looking_takes_what_is_free_and_lets_go_of_what_is_left(home: Path, neighbour: Neighbour):
    _, owner = neighbour
    store = ProjectStore(home)
    mine, theirs = Holding(store, Told()), Holding(store, Told(), owner)
    assert mine.look("p") is None
    held = theirs.look("p")
    assert held is not None
    # A program without a notebook: its number is all there is to find it by.
    assert held.by == f"another program on this machine (process {this_process().pid})"
    mine.look("q")
    assert theirs.look("p") is None
    assert mine.look("q") is None
    theirs.close()
    mine.close()
    assert not list((home / "open").glob("*.json"))


def test_one_that_does_not_hold_it_is_refused(home: Path, neighbour: Neighbour):
    _, owner = neighbour
    store = ProjectStore(home)
    mine, theirs = Holding(store, Told()), Holding(store, Told(), owner)
    theirs.look("p")
    with pytest.raises(RpcError, match=r"theirs[.]ipynb.*take over") as refused:
        mine.refuse("p")
    assert refused.value.code == "held"
    assert set(refused.value.data) == {"by", "since"}
    mine.take_over("p")
    mine.refuse("p")
    with pytest.raises(RpcError):
        theirs.refuse("p")


def test_a_home_without_leases_still_works(home: Path, monkeypatch: pytest.MonkeyPatch):
    def refused(*_: object, **__: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(Leases, "_write", refused)
    holding = Holding(ProjectStore(home), Told())
    assert holding.look("p") is None
    holding.refuse("p")
    holding.close()


@pytest.mark.parametrize(
    ("title", "own", "named"),
    [
        ("poems.ipynb", "prose.ipynb", "poems.ipynb on this machine"),
        ("poems.ipynb", "poems.ipynb", "another kernel of poems.ipynb on this machine"),
        ("another notebook", "another notebook", "another notebook on this machine"),
    ],
)
def test_who_has_it_is_named_by_what_one_can_find(
    home: Path,
    neighbour: Neighbour,
    monkeypatch: pytest.MonkeyPatch,
    title: str,
    own: str,
    named: str,
):
    process, owner = neighbour
    monkeypatch.setattr("easymodel_nb.widgets.holding.notebook", lambda: own)
    store = ProjectStore(home)
    theirs = Leases(home, store.lock, owner.model_copy(update={"title": title}))
    theirs.take("p")
    mine = Holding(store, Told())
    held = mine.look("p")
    assert held is not None
    assert held.by == named
    assert str(process.pid) not in held.by
    mine.close()
