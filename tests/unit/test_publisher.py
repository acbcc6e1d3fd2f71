"""The publisher: only what changed, at most 4 Hz, at once when it matters, silent when idle."""

import itertools
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.widgets.publisher import (
    BEAT,
    PERIOD,
    RESEND_AFTER,
    REST,
    SLOWEST,
    TOLD,
    Publisher,
)
from easymodel_nb.widgets.state import Beat, ProblemsState, RunCard, RunsState, Snapshot

WAIT = 10.0


class Bench:
    """A publisher whose world, clock and wire are in the test's hands."""

    def __init__(self) -> None:
        self.time = 100.0
        self.runs = RunsState()
        self.active, self.watched = False, True
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.resent: list[str] = []
        self.after = 0
        self.heard = threading.Condition()
        self.moments = itertools.count()
        self.publisher = Publisher(
            build=self.build,
            write=self.write,
            resend=self.resend,
            after=self.shown,
            watched=lambda: self.watched,
            clock=lambda: self.time,
            stamp=lambda: f"moment {next(self.moments)}",
        )

    def build(self) -> dict[str, Snapshot]:
        return {
            "runs": self.runs,
            "problems": ProblemsState(),
            "beat": Beat(active=self.active),
        }

    def write(self, states: Any) -> None:
        with self.heard:
            self.sent += states.items()
            self.heard.notify_all()

    def resend(self, names: list[str]) -> None:
        with self.heard:
            self.resent += names
            self.heard.notify_all()

    def shown(self) -> None:
        self.after += 1

    def card(self, status: Any, step: int = 0) -> None:
        self.runs = RunsState(
            items=[RunCard(id="r1", node_id="f1", status=status, created="", step=step)]
        )
        self.active = status in {"queued", "running"}

    def names(self) -> list[str]:
        names, self.sent = [name for name, _ in self.sent], []
        return names


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.publisher.close()


def test_only_what_changed_is_written(bench: Bench):
    assert bench.publisher.publish() == {"runs", "problems", "beat"}
    bench.names()
    assert bench.publisher.publish() == set()
    assert bench.sent == []
    bench.card("queued")
    assert bench.publisher.publish() == {"runs", "beat"}
    bench.card("queued", step=1)
    assert bench.publisher.publish() == {"runs"}
    assert bench.after == 4


@given(st.lists(st.integers(0, 2), max_size=20))
def test_seq_grows_by_one_with_each_change_and_only_then(steps: list[int]):
    bench = Bench()
    expected, last = 0, None
    for step in steps:
        bench.card("running", step)
        bench.publisher.publish()
        expected += step != last
        last = step
        assert bench.publisher.states["runs"].seq == expected


def test_a_beat_every_five_seconds_while_something_runs(bench: Bench):
    bench.card("running")
    bench.publisher.publish()
    bench.names()
    bench.time += BEAT - 0.1
    assert bench.publisher.publish() == set()
    bench.time += 0.2
    assert bench.publisher.publish() == {"beat"}
    bench.card("finished")
    bench.publisher.publish()
    bench.time += 100 * BEAT
    assert bench.publisher.publish() == set()


def test_a_pull_sends_what_the_view_has_not_got_and_nothing_twice(bench: Bench):
    bench.publisher.publish()
    bench.names()
    seen = {name: state.seq for name, state in bench.publisher.states.items()}
    bench.publisher.pull({**seen, "problems": 0})
    assert bench.names() == ["beat"], "a pull is answered with a sign of life"
    assert bench.resent == ["problems"]
    bench.resent.clear()
    bench.card("running")
    bench.publisher.pull({})
    assert sorted(bench.names()) == ["beat", "runs"]
    assert bench.resent == ["problems"]


def test_a_pull_alone_drives_a_run_from_start_to_end(bench: Bench):
    seen: dict[str, int] = {}
    for status, step in (("queued", 0), ("running", 1), ("running", 2), ("finished", 2)):
        bench.card(status, step)
        bench.publisher.pull(seen)
        state = dict(bench.sent)["runs"]
        assert (state["items"][0]["status"], state["items"][0]["step"]) == (status, step)
        seen = {name: s.seq for name, s in bench.publisher.states.items()}
    assert bench.after == 4


def test_idle_it_sleeps_until_poked(bench: Bench):
    bench.publisher.publish()
    assert bench.publisher._seconds_to_wait() is None
    bench.publisher.poke()
    assert bench.publisher._seconds_to_wait() == pytest.approx(PERIOD)
    bench.publisher.poke(urgent=True)
    assert bench.publisher._seconds_to_wait() == 0


def test_active_it_looks_four_times_a_second(bench: Bench):
    bench.card("running")
    bench.publisher.publish()
    assert bench.publisher._seconds_to_wait() == pytest.approx(PERIOD)
    bench.time += PERIOD
    assert bench.publisher._seconds_to_wait() == 0


def test_a_step_after_a_pause_is_shown_at_once_and_others_in_their_turn(bench: Bench):
    bench.card("running")
    bench.publisher.publish()
    bench.time += PERIOD - 0.01
    bench.publisher.step()
    assert bench.publisher._seconds_to_wait() == pytest.approx(TOLD - PERIOD + 0.01)
    bench.time += 0.02
    bench.publisher.step()
    assert bench.publisher._seconds_to_wait() == 0


def test_while_steps_tell_of_themselves_it_does_not_look_for_them(bench: Bench):
    bench.card("running")
    bench.publisher.publish()
    bench.publisher.step()
    assert bench.publisher._seconds_to_wait() == pytest.approx(TOLD)
    bench.time += 2 * TOLD  # a long step, or the model is measured
    bench.publisher.publish()
    assert bench.publisher._seconds_to_wait() == pytest.approx(PERIOD)


@pytest.mark.parametrize("cost", [0.0, 0.001, 0.004, 0.5])
def test_it_rests_in_proportion_to_what_it_costs(bench: Bench, cost: float):
    moments = itertools.count()
    bench.publisher._spent = lambda: next(moments) * cost
    bench.card("running")
    bench.publisher.publish()
    expected = min(max(PERIOD, REST * cost), SLOWEST)
    assert bench.publisher._seconds_to_wait() == pytest.approx(expected)


def test_what_nobody_sees_is_published_with_the_beat_or_on_a_change_of_stage(bench: Bench):
    bench.watched = False
    bench.card("running")
    bench.publisher.publish()
    bench.time += BEAT - 0.1
    bench.publisher.step()
    assert bench.publisher._seconds_to_wait() == pytest.approx(0.1)
    bench.publisher.poke(urgent=True)
    assert bench.publisher._seconds_to_wait() == 0


def test_the_thread_asks_for_what_moves_and_for_all_when_poked_or_at_a_beat(bench: Bench):
    asked: list[str] = []

    def build() -> dict[str, Snapshot]:
        asked.append("all")
        return bench.build()

    def moving() -> dict[str, Snapshot]:
        asked.append("moving")
        return {"runs": bench.runs, "beat": Beat(active=bench.active)}

    bench.publisher._build, bench.publisher._moving = build, moving
    bench.card("running")
    bench.publisher.publish()
    bench.time += PERIOD
    bench.card("running", step=1)
    bench.names()
    bench.publisher._tick(poked=False)
    assert bench.names() == ["runs"]
    bench.publisher._tick(poked=True)
    bench.time += BEAT
    bench.publisher._tick(poked=False)
    bench.publisher.pull({})
    assert asked == ["all", "moving", "all", "all", "all"]


def test_an_end_is_sent_again_after_a_second_by_the_thread():
    bench = Bench()
    bench.card("running")
    bench.publisher.publish()
    bench.card("finished")
    bench.publisher.publish()
    assert bench.publisher._seconds_to_wait() == pytest.approx(RESEND_AFTER)
    bench.time += RESEND_AFTER
    bench.publisher.start()
    with bench.heard:
        assert bench.heard.wait_for(lambda: "runs" in bench.resent, WAIT)
    assert bench.publisher._seconds_to_wait() is None
    bench.publisher.close()


def test_the_thread_publishes_what_it_is_poked_about(bench: Bench):
    bench.publisher.publish()
    bench.publisher.start()
    bench.card("queued")
    bench.publisher.poke(urgent=True)
    with bench.heard:
        assert bench.heard.wait_for(lambda: "runs" in dict(bench.sent), WAIT)


def test_the_thread_outlives_an_error(bench: Bench, caplog: pytest.LogCaptureFixture):
    bench.publisher.publish()
    bench.names()
    failing = threading.Event()

    def build() -> dict[str, Snapshot]:
        if not failing.is_set():
            failing.set()
            raise OSError("the disk is full")
        return {"runs": RunsState(queue=1)}

    bench.publisher._build = build
    bench.publisher.start()
    bench.publisher.poke(urgent=True)
    assert failing.wait(WAIT)
    bench.publisher.poke(urgent=True)
    with bench.heard:
        assert bench.heard.wait_for(lambda: "runs" in dict(bench.sent), WAIT)
    assert "the disk is full" in caplog.text


def test_after_close_nothing_is_written(bench: Bench):
    bench.publisher.start()
    thread = bench.publisher.thread
    bench.publisher.close()
    assert thread is not None
    assert not thread.is_alive()
    bench.names()
    bench.card("running")
    assert bench.publisher.publish() == set()
    assert bench.sent == []


def test_with_a_real_clock_a_running_run_is_published_at_four_hertz():
    bench = Bench()
    moments: list[float] = []

    def build() -> dict[str, Snapshot]:
        moments.append(time.monotonic())
        bench.card("running", step=len(moments))
        return bench.build()

    bench.publisher._clock, bench.publisher._build = time.monotonic, build
    bench.publisher.publish()
    bench.publisher.start()
    for _ in range(3):  # pokes do not make it faster
        bench.publisher.poke()
    with bench.heard:
        assert bench.heard.wait_for(lambda: len(moments) >= 4, WAIT)
    bench.publisher.close()
    gaps = [after - before for before, after in itertools.pairwise(moments)]
    assert min(gaps) >= PERIOD * 0.95
