"""The queue: places, order, cancelling, what waits for what; with runners that train nothing."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.log import RunLog
from easymodel_nb.runlog.run import Run
from easymodel_nb.store.first import first_workflow
from easymodel_nb.train.manager import RunManager
from easymodel_nb.train.waiting import moved, settled
from easymodel_nb.workflow.document import Edge, Node, Workflow

PATIENCE = 20


class Stage:
    """Where runs go instead of to the trainer: each ends when the test says how."""

    def __init__(self, home: Path) -> None:
        self.manager = RunManager(home, self.make)
        self.begun: list[str] = []
        self._runner: Scripted | None = None

    def make(self, **_: Any) -> "Scripted":
        self._runner = Scripted(self)
        return self._runner

    def now(self, run: Run) -> None:
        """Wait until this run is the one under way."""
        self.until(lambda: self.begun[-1:] == [run.id])

    def end(self, run: Run, type: str = "run_finished", **fields: Any) -> None:  # noqa: A002
        self.now(run)
        assert self._runner is not None
        self._runner.end(type, fields)
        self.until(lambda: not run.view.active and run.id not in self.manager._current_id())

    def finish(self, run: Run) -> None:
        self.end(run, summary={}, model_path=str(run.folder / "model"))

    def fail(self, run: Run) -> None:
        problem = {"code": "run.made_up", "message": "It broke.", "node": run.view.node_id}
        self.end(run, "run_failed", problem=problem, detail="")

    def until(self, condition: Callable[[], Any]) -> None:
        limit = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < limit, (self.begun, self.manager.queue())
            threading.Event().wait(0.01)


class Scripted:
    """A runner that writes the end it is told."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.over = stage, threading.Event()

    def start(self, folder: Path) -> None:
        self.log = RunLog(folder)
        self.log.append("stage", stage="loading", message="Loading")
        self.stage.begun.append(folder.name)

    def end(self, type: str, fields: dict[str, Any]) -> None:  # noqa: A002
        self.log.append(type, **fields)
        self.over.set()

    def stop(self, reason: str = "user") -> None:
        if not self.over.is_set():
            self.end("run_stopped", {"reason": reason, "summary": {}})

    def alive(self) -> bool:
        return not self.over.is_set()

    def join(self, timeout: float | None = None) -> None:
        self.over.wait(timeout)

    def log_lines(self) -> list[str]:
        return []


@pytest.fixture
def stage(home: Path) -> Iterator[Stage]:
    made = Stage(home)
    yield made
    made.until(lambda: made.manager.stop() or not made.manager.active())


def branches(*continues: str | None, **fields: Any) -> Workflow:
    """f1, f2 ...: each on m1, or on the result of the node that is named."""
    workflow = first_workflow()
    first = workflow.nodes[2]
    workflow.nodes, workflow.edges = workflow.nodes[:2], []
    for number, feeding in enumerate(continues, 1):
        name = f"f{number}"
        node = Node(id=name, type="finetune", label=f"Branch {number}", data=dict(first.data))
        node.data |= fields
        workflow.nodes.append(node)
        workflow.edges += [
            Edge(id=f"{h}{name}", source=s, sourceHandle=h, target=name, targetHandle=h)
            for s, h in ((feeding or "m1", "model"), ("d1", "dataset"))
        ]
    return workflow


def labels(runs: list[Run]) -> list[str]:
    return [run.view.request["node"]["label"] for run in runs]


# ------------------------------------------------------------ branches and sweeps


def test_one_that_fails_does_not_stop_the_next(stage: Stage):
    first, second, third = stage.manager.submit(branches(None, None, None))
    stage.fail(first)
    stage.finish(second)
    stage.finish(third)
    assert [r.status for r in (first, second, third)] == ["failed", "finished", "finished"]


def test_a_sweep_is_queued_as_runs_that_say_what_they_are(stage: Stage):
    workflow = branches(None, sweep={"learning_rate": [1e-5, 5e-5], "seed": [1, 2]})
    runs = stage.manager.submit(workflow)
    assert labels(runs)[0] == "Branch 1 · learning_rate 1e-05, seed 1"
    assert [run.view.request["variant"] for run in runs] == [
        {"learning_rate": rate, "seed": seed} for rate in (1e-5, 5e-5) for seed in (1, 2)
    ]
    assert {run.view.request["sweep"] for run in runs} == {runs[0].id}
    data = [run.view.request["node"]["data"] for run in runs]
    assert [(d["learning_rate"], d["seed"], d["sweep"]) for d in data[:2]] == [
        (1e-5, 1, {}),
        (1e-5, 2, {}),
    ]
    assert {run.view.node_id for run in runs} == {"f1"}


def test_a_sweep_that_is_wrong_queues_nothing(stage: Stage):
    with pytest.raises(StudioError) as caught:
        stage.manager.submit(branches(None, None, sweep={"epochs": [0, 1]}))
    assert {p.field for p in caught.value.problems} == {"epochs"}
    assert stage.manager.views() == []


# ------------------------------------------------------------ order


def test_a_waiting_run_takes_the_place_it_is_given(stage: Stage):
    first, *waiting = stage.manager.submit(branches(None, None, None, None))
    stage.now(first)
    second, third, fourth = (run.id for run in waiting)
    stage.manager.move(fourth, 0)
    assert stage.manager.queue() == [fourth, second, third]
    stage.manager.move(fourth, 99)
    assert stage.manager.queue() == [second, third, fourth]
    stage.manager.move(second, 1)
    stage.finish(first)
    stage.now(waiting[1])
    for run in (first.id, third, "no-such-run"):
        with pytest.raises(StudioError, match="does not wait"):
            stage.manager.move(run, 0)


def test_cancelling_a_waiting_run_lets_the_next_ones_move_up(stage: Stage):
    first, second, third = stage.manager.submit(branches(None, None, None))
    stage.now(first)
    stage.manager.stop(second.id)
    assert (second.status, second.view.reason) == ("stopped", "cancelled")
    assert stage.manager.queue() == [third.id]
    assert first.view.active


def test_the_second_of_a_chain_stays_behind_the_first_wherever_either_is_put(stage: Stage):
    other, one, two = stage.manager.submit(branches(None, None, "f2"))
    stage.now(other)
    stage.manager.move(two.id, 0)
    assert stage.manager.queue() == [one.id, two.id]
    stage.manager.move(one.id, 5)
    assert stage.manager.queue() == [one.id, two.id]


NAMES = list("abcdef")


@given(st.permutations(NAMES), st.lists(st.sampled_from(NAMES), min_size=6, max_size=6), st.data())
def test_no_order_puts_a_run_before_the_one_it_needs(
    order: list[str], needed: list[str], data: st.DataObject
):
    after = {name: of for name, of in zip(NAMES, needed, strict=True) if of < name}
    start = settled(order, after)
    run = data.draw(st.sampled_from(NAMES))
    for found in (start, moved(start, run, data.draw(st.integers(-1, 7)), after)):
        assert sorted(found) == NAMES
        assert all(found.index(of) < found.index(name) for name, of in after.items())
    assert settled(start, after) == start
    free = [name for name in NAMES if name not in after and name not in after.values()]
    if run in free:
        assert moved(start, run, 0, after)[0] == run


# ------------------------------------------------------------ chains


def test_what_waits_for_a_run_that_fails_is_skipped_at_once_and_says_why(stage: Stage):
    one, other, two, three = stage.manager.submit(branches(None, None, "f1", "f3"))
    stage.fail(one)
    stage.now(other)
    assert [run.status for run in (two, three)] == ["stopped", "stopped"]
    (why,) = two.view.warnings
    assert (why.code, why.node, why.field) == ("run.skipped", "f3", "model")
    assert "Branch 1" in why.message
    assert "it failed" in why.message
    assert "Branch 3" in three.view.summary["why"]
    assert stage.manager.queue() == []


def test_cancelling_the_first_of_a_chain_cancels_what_waits_for_it(stage: Stage):
    busy, one, two = stage.manager.submit(branches(None, None, "f2"))
    stage.now(busy)
    stage.manager.stop(one.id)
    assert [run.status for run in (one, two)] == ["stopped", "stopped"]
    assert "it was stopped" in two.view.summary["why"]


def test_trained_alone_it_waits_for_the_run_that_is_under_way(stage: Stage):
    workflow = branches(None, "f1")
    (one,) = stage.manager.submit(workflow, "f1")
    stage.now(one)
    (two,) = stage.manager.submit(workflow, "f2")
    assert two.view.request["model"] == {"run_of": "f1", "run": one.id}
    assert two.status == "queued"
    stage.finish(one)
    stage.finish(two)
    assert two.status == "finished"


def test_trained_alone_it_takes_the_finished_run_that_fits_what_the_node_holds(stage: Stage):
    workflow = branches(None, "f1", epochs=1)
    (old,) = stage.manager.submit(workflow, "f1")
    stage.finish(old)
    workflow.node("f1").data["epochs"] = 2  # type: ignore[union-attr]
    (new,) = stage.manager.submit(workflow, "f1")
    stage.finish(new)

    def begins_with(epochs: int) -> str:
        workflow.node("f1").data["epochs"] = epochs  # type: ignore[union-attr]
        (run,) = stage.manager.submit(workflow, "f2")
        return str(run.view.request["model"]["run"])

    assert begins_with(2) == new.id
    assert begins_with(1) == old.id  # as after "Restore these settings"
    assert begins_with(3) == new.id  # none fits: the newest


def test_without_a_model_to_begin_with_nothing_is_queued(stage: Stage):
    workflow = branches(None, "f1")
    (one,) = stage.manager.submit(workflow, "f1")
    stage.fail(one)
    with pytest.raises(StudioError) as caught:
        stage.manager.submit(workflow, "f2")
    (problem,) = caught.value.problems
    assert (problem.code, problem.node, problem.field) == ("run.no_model", "f2", "model")
