"""What is kept warm: handed over once, told apart by all it depends on, let go of in time."""

import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from easymodel_nb.store.first import first_workflow
from easymodel_nb.train import warm as keeping
from easymodel_nb.train.auditing.audited import Audit
from easymodel_nb.train.control import Control, Stopped
from easymodel_nb.train.warm import KEEPER, Keeper, Warm
from easymodel_nb.train.warm_key import warm_key
from easymodel_nb.widgets.warming import Warming
from easymodel_nb.workflow.document import Workflow

PATIENCE = 60


def until(condition: Callable[[], Any]) -> None:
    """Wait for something to come true."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


class Thing:
    """Stands for what was prepared."""


def hold(keeper: Keeper, key: str = "a", *, short: Callable[[Warm], bool] = lambda _: False) -> Any:
    """Let it hold something, and give a weak reference to it."""
    thing = Thing()
    control = Control(Path("/nowhere"))
    assert keeper.make(key, control, lambda: Warm(key, thing, 0), short)
    return weakref.ref(thing)


def test_it_is_handed_over_once():
    keeper = Keeper()
    thing = hold(keeper)
    assert keeper.key == "a"
    found = keeper.take("a")
    assert found is not None
    assert found.ready is thing()
    assert (keeper.key, keeper.take("a")) == (None, None)
    del found
    assert thing() is None  # whoever took it had the only one


@pytest.mark.parametrize("end", [lambda k: k.take("b"), lambda k: k.take(None), lambda k: k.drop()])
def test_it_goes_when_another_run_begins_and_when_it_is_told_to(end: Callable[[Keeper], Any]):
    keeper = Keeper()
    thing = hold(keeper)
    end(keeper)
    assert (thing(), keeper.key) == (None, None)


def test_what_is_made_anew_takes_the_place_of_what_was_there_before():
    keeper = Keeper()
    first = hold(keeper)
    there: list[Any] = []

    def work() -> Warm:
        there.append(first())
        return Warm("b", Thing(), 0)

    assert keeper.make("b", Control(Path("/nowhere")), work, lambda _: False)
    assert (there, keeper.key) == ([None], "b")  # never two at once


def test_nobody_asks_for_it_or_memory_is_short(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keeping, "_LOOK_SECONDS", 0.01)
    idle, short = Keeper(idle_seconds=0.05), Keeper()
    forgotten = hold(idle)
    until(lambda: forgotten() is None)
    asked = threading.Event()
    squeezed = hold(short, short=lambda warm: warm.key == "a" and asked.is_set())
    assert short.key == "a"
    asked.set()
    until(lambda: squeezed() is None)
    assert (idle.key, short.key) == (None, None)


class Slow:
    """Something that is made warm in a thread until it is let on."""

    def __init__(self, keeper: Keeper, key: str) -> None:
        self.go, self.begun, self.ended = threading.Event(), threading.Event(), threading.Event()
        self.control = Control(Path("/nowhere"))

        def work() -> Warm | None:
            self.begun.set()
            while not self.go.wait(0.01):
                self.control.check()
            return Warm(key, Thing(), 0)

        def make() -> None:
            try:
                keeper.make(key, self.control, work, lambda _: False)
            except Stopped:
                pass
            finally:
                self.ended.set()

        threading.Thread(target=make, daemon=True).start()
        assert self.begun.wait(PATIENCE)


def test_a_run_waits_for_what_is_being_made_for_it():
    keeper = Keeper()
    slow = Slow(keeper, "a")
    ticks: list[int] = []

    def tick() -> None:
        ticks.append(1)
        slow.go.set()

    found = keeper.take("a", tick)
    assert found is not None
    assert ticks


def test_another_run_gives_up_what_is_being_made():
    keeper = Keeper()
    slow = Slow(keeper, "a")
    assert keeper.take("b") is None
    assert slow.ended.wait(PATIENCE)  # and it has let go when the run goes on
    assert (slow.go.is_set(), keeper.key) == (False, None)


def test_a_stop_ends_the_wait():
    keeper = Keeper()
    slow = Slow(keeper, "a")

    def tick() -> None:
        raise Stopped("user")

    with pytest.raises(Stopped):
        keeper.take("a", tick)
    assert slow.ended.wait(PATIENCE)


# ------------------------------------------------------------ the key


def request(folder: Path, **changes: Any) -> dict[str, Any]:
    """A request of a local model and a local file."""
    model, data = folder / "model", folder / "rows.csv"
    model.mkdir(exist_ok=True)
    for path in (model / "config.json", model / "model.safetensors", data):
        if not path.exists():
            path.write_text("text\na\n")
    nodes = {
        "node": {"id": "f1", "data": {"epochs": 1}},
        "model": {"id": "m1", "data": {"source": str(model)}},
        "dataset": {"id": "d1", "data": {"source": str(data)}},
    }
    for name, data_of in changes.items():
        nodes[name]["data"] |= data_of
    return nodes


def touched(path: Path) -> None:
    """Another content of the same size, a moment later."""
    state = path.stat()
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1_000_000))


def test_the_key_holds_all_that_data_and_model_depend_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def key(**changes: Any) -> str | None:
        return warm_key(request(tmp_path, **changes), tmp_path)

    known = [key()]
    assert known[0] is not None
    assert key() == known[0]
    known += [
        key(node={"epochs": 2}),
        key(node={"seed": 1}),
        key(node={"accept": ["rows.duplicates"]}),
        key(model={"revision": "x"}),
        key(dataset={"eval_fraction": 0.2}),
        warm_key(request(tmp_path), tmp_path / "other"),
    ]
    for path in ("rows.csv", "model/model.safetensors", "model/config.json"):
        touched(tmp_path / path)
        known.append(key())
    (tmp_path / "model" / "added.json").write_text("{}")
    known.append(key())
    (tmp_path / "consents.json").write_text("{}")
    known.append(key())
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    known.append(key())
    assert len({*known}) == len(known)


def test_what_cannot_be_told_is_never_warm(tmp_path: Path):
    variable = request(tmp_path, dataset={"source": "variable:frame"})
    chained = {**request(tmp_path), "model": {"run_of": "f0", "run": "r"}}
    many = tmp_path / "many"
    many.mkdir()
    for number in range(501):
        (many / f"{number}.txt").write_text("a")
    crowded = request(tmp_path, dataset={"source": str(many)})
    assert [warm_key(r, tmp_path) for r in (variable, chained, crowded)] == [None, None, None]


# ------------------------------------------------------------ in the studio


class World:
    """A studio's surroundings, and a maker that writes down what it is asked."""

    def __init__(self, home: Path) -> None:
        self.busy = False
        self.made: list[dict[str, Any]] = []
        self.workflow = first_workflow()
        self.audit = Audit(state="done", rows=10)
        self.warming = Warming(home, busy=lambda: self.busy, make=self.make)

    def make(
        self, request: dict[str, Any], home: Path, token: object, *, busy: Callable[[], bool]
    ) -> bool:
        """Stands for the trainer's."""
        assert callable(token)
        assert home.exists()
        assert not busy()
        self.made.append(request)
        return True

    def look(self, *, trained: bool = False, project: str = "p") -> None:
        """What the session does at each snapshot."""
        audits = {node.id: self.audit for node in self.workflow.of_type("finetune")}
        self.warming.follow(project, self.workflow, audits, trained=trained)

    def edit(self, workflow: Workflow | None = None, **data: Any) -> None:
        """Change the first Finetuning node."""
        node = (workflow or self.workflow).of_type("finetune")[0]
        node.data |= data


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A studio that has settled at once."""
    monkeypatch.setattr("easymodel_nb.widgets.warming._SETTLED_SECONDS", 0.02)
    monkeypatch.setattr("easymodel_nb.widgets.warming._LOOK_SECONDS", 0.02)
    found = World(tmp_path)
    yield found
    found.warming.close()


def test_a_complete_node_is_made_ready_once(world: World):
    world.look()
    until(lambda: world.made)
    for _ in range(3):
        world.look()
    world.edit(epochs=7)
    world.look()
    until(lambda: len(world.made) == 2)
    assert [r["node"]["data"]["epochs"] for r in world.made] == [3, 7]
    assert all("data" in r["model"] and "data" in r["dataset"] for r in world.made)


def test_what_is_not_complete_or_is_being_measured_is_not(world: World):
    for audit in (Audit(state="checking"), Audit(state="done", fit_state="checking")):
        world.audit = audit
        world.look()
    world.audit = Audit(state="done", rows=10, fit_state="done")
    world.look()
    until(lambda: world.made)
    assert len(world.made) == 1


def test_it_waits_for_the_run_that_is_under_way(world: World):
    world.busy = True
    looked = threading.Event()
    world.warming._busy = lambda: looked.set() or world.busy
    world.look()
    assert looked.wait(PATIENCE)
    assert not world.made
    world.busy = False
    until(lambda: world.made)


def test_a_project_whose_runs_are_looked_at_imports_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    world.look(trained=True)
    assert world.warming._wanted is None
    assert world.warming._thread is None
    world.edit(epochs=5)
    world.look(trained=True)
    until(lambda: world.made)


def test_an_edit_lets_go_of_what_was_warm_and_so_does_the_end(world: World):
    thing = hold(KEEPER)
    world.look()
    assert thing() is None
    until(lambda: world.made)
    thing = hold(KEEPER)
    world.warming.close()
    assert thing() is None
