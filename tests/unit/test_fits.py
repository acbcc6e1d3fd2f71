"""Fit checks in the studio: when they run, what ends them, what is remembered of them."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from easymodel_nb.errors import Problem, problem_error
from easymodel_nb.train import turns
from easymodel_nb.train.auditing.audited import Audit, Fit
from easymodel_nb.train.control import Control
from easymodel_nb.widgets.fits import Fits

PATIENCE = 60


class Asked(NamedTuple):
    """A question with nothing but a name."""

    key: str
    request: dict[str, Any]
    lasting: bool = True


NODE = Asked("a", {"node": "f1"})


def a_fit(**changes: Any) -> Fit:
    """What a check may find."""
    known = {"seconds_per_step": 0.5, "seconds": 60.0, "memory_bytes": 2, "free_bytes": 10}
    more = {"longest": 8, "batch_size": 4, "device": "", "measured": "2026-01-01T00:00:00Z"}
    return Fit(**(known | more | changes))


class World:
    """A studio's surroundings: whether a run is under way, and a check that can be held."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.busy = False
        self.hold = False  # the check then waits until it is stopped
        self.found: Fit | Exception = a_fit()
        self.seen: list[tuple[dict[str, Any], bool]] = []  # what was asked, and whether afresh
        self.stopped = 0
        self._changed = threading.Condition()
        self.fits = self.studio()

    def studio(self) -> Fits:
        """A session on this home."""
        return Fits(self.home, self._tell, busy=lambda: self.busy, check=self.check)

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def check(
        self, request: dict[str, Any], home: Path, token: object, control: Control, *, fresh: bool
    ) -> Fit:
        """Stands for the check of the trainer."""
        assert (home, callable(token)) == (self.home, True)
        self.seen.append((request, fresh))
        self._tell()
        try:
            while self.hold:
                control.check()
                control._event.wait(0.02)
            control.check()
        except BaseException:
            self.stopped += 1
            raise
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    def state(self, asked: Asked = NODE) -> str:
        """What the strip would show."""
        return self.fits.of(asked, Audit()).fit_state

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something to come true."""
        deadline = time.monotonic() + PATIENCE
        while not condition():  # not all of it is told
            assert time.monotonic() < deadline
            with self._changed:
                self._changed.wait(0.02)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A home of its own."""
    made = World(tmp_path)
    yield made
    made.hold = False
    made.fits.close()


def test_a_node_is_measured_when_asked_and_not_before(world: World):
    assert (world.state(), world.seen) == ("none", [])
    world.fits.measure(NODE)
    world.until(lambda: world.state() == "done")
    assert world.fits.of(NODE, Audit()).fit == world.found
    assert world.seen == [(NODE.request, False)]
    world.fits.measure(NODE)  # "Check again"
    world.until(lambda: len(world.seen) == 2 and world.state() == "done")
    assert world.seen[1] == (NODE.request, True)


def test_a_check_waits_for_the_run_that_is_under_way(world: World):
    world.busy = True
    looked = threading.Event()
    world.fits._busy = lambda: looked.set() or world.busy
    world.fits.measure(NODE)
    assert looked.wait(PATIENCE)
    assert (world.state(), world.seen) == ("waiting", [])
    world.busy = False
    world.until(lambda: world.state() == "done")


def test_a_run_that_begins_ends_the_check_which_goes_on_afterwards(world: World):
    world.hold = True
    world.fits.measure(NODE)
    world.until(lambda: bool(world.seen))
    assert world.state() == "checking"
    world.busy = True  # a run was queued
    turns.make_way()
    assert world.stopped == 1  # before the run begins, and not at some time
    world.until(lambda: world.state() == "waiting")
    world.hold = world.busy = False
    world.until(lambda: world.state() == "done")
    assert len(world.seen) == 2


def test_the_next_edit_ends_the_check(world: World):
    world.hold = True
    world.fits.measure(NODE)
    world.until(lambda: bool(world.seen))
    world.fits.follow({"a", "b"})  # another node was added
    assert world.state() == "checking"
    world.fits.follow({"b"})
    world.until(lambda: world.stopped == 1)
    world.until(lambda: world.state() == "none")
    assert world.fits.of(Asked("b", {}), Audit()).fit is None


def test_what_was_asked_and_edited_while_it_waited_is_never_begun(world: World):
    world.busy = True
    world.fits.measure(NODE)
    world.fits.follow(set())
    world.busy = False
    world.until(lambda: world.fits._thread is None)
    assert (world.state(), world.seen) == ("none", [])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (problem_error("hub.missing", "There is no such model.", field="source"), "hub.missing"),
        (ZeroDivisionError("hf_abcdefghijklmnopqrstuvwxyz"), "fit.error"),
    ],
)
def test_what_goes_wrong_is_told_on_the_node(world: World, error: Exception, code: str):
    world.found = error
    world.fits.measure(NODE)
    world.until(lambda: world.state() == "failed")
    problem = world.fits.of(NODE, Audit()).fit_problem
    assert problem is not None
    assert problem.code == code
    assert "hf_" not in problem.message


def test_the_next_session_knows_it(world: World, monkeypatch: pytest.MonkeyPatch):
    from easymodel_nb import environment

    here = environment.Device(kind="cpu", name="CPU, 2 cores", memory_bytes=1)
    monkeypatch.setattr(environment, "device", lambda: here)
    world.found = a_fit(device=here.name)
    world.fits.measure(NODE)
    world.until(lambda: world.state() == "done" and world.fits._path("a").exists())
    world.fits = world.studio()
    assert world.fits.of(NODE, Audit()).fit == world.found
    other = here.model_copy(update={"name": "CPU, 8 cores"})
    monkeypatch.setattr(environment, "device", lambda: other)
    world.fits = world.studio()
    assert world.state() == "none"  # another machine


def test_a_want_of_memory_is_not_remembered(world: World):
    world.found = a_fit(problems=[Problem(code="fit.memory", message="Out of memory.")])
    world.fits.measure(NODE)
    world.until(lambda: world.state() == "done" and world.fits._thread is None)
    world.fits = world.studio()
    assert world.state() == "none"


def test_a_variable_is_not_remembered(world: World):
    asked = Asked("v", {}, lasting=False)
    world.fits.measure(asked)
    world.until(lambda: world.state(asked) == "done" and world.fits._thread is None)
    world.fits = world.studio()
    assert world.state(asked) == "none"


def test_closing_ends_what_is_measured(world: World):
    world.hold = True
    world.fits.measure(NODE)
    world.until(lambda: bool(world.seen))
    world.fits.close()
    world.until(lambda: world.fits._thread is None)
    assert world.stopped == 1
    world.fits.measure(NODE)
    assert len(world.seen) == 1
