"""What the workbench is told of branches: variants, results, the best run, the queue of a home."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from easymodel_nb.errors import StudioError
from easymodel_nb.measured import Measured
from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.runlog.log import runs_folder
from easymodel_nb.runlog.view import EpochPoint, RunView
from easymodel_nb.widgets import cards
from easymodel_nb.widgets.best import Best
from easymodel_nb.widgets.session import Session
from easymodel_nb.widgets.studio import Studio

HandManager = Any  # conftest.py has it
BUNDLE = ("export default {}", ".emnb {}")


def view(number: int, **fields: Any) -> RunView:
    request = {"node": {"label": fields.pop("label", None)}, **fields.pop("request", {})}
    known = {"project_id": "p", "node_id": "f1", "created": "2026-11-22T14:00:00Z"}
    return RunView(id=f"r{number}", request=request, **{**known, **fields})


def of_sweep(number: int, perplexity: float | None = None, **fields: Any) -> RunView:
    """A run of the sweep that r1 is the first of."""
    points = []
    if perplexity is not None:
        found = Measured(value=perplexity, low=perplexity - 1, high=perplexity + 1, n=60)
        for step in (0, 10):
            told = Analytics(perplexity={"validation": found})
            points.append(EpochPoint(step=step, epoch=step / 10, analytics=told))
    request = {"variant": {"learning_rate": 10.0**-number}, "sweep": "r1"}
    return view(number, request=request, points=points, **fields)


# ------------------------------------------------------------ cards


def test_a_run_of_a_sweep_says_which_it_is_and_what_came_of_it():
    state = cards.runs_state(
        [of_sweep(3, 13.2, status="finished"), of_sweep(4, status="failed")], "p", [], None
    )
    failed, finished = state.items
    assert (finished.variant, finished.sweep) == ("learning_rate 0.001", "r1")
    assert (finished.metric, finished.result) == ("validation perplexity", "13.2 (12.2 to 14.2)")
    assert (failed.result, failed.best) == ("", False)
    plain = cards.card(view(1), [])
    assert (plain.variant, plain.sweep, plain.result) == ("", None, "")


def test_every_run_of_the_sweep_a_node_shows_travels():
    other = [view(n, status="finished", node_id="f2") for n in range(100, 200)]
    old = [of_sweep(n, 20.0, status="finished") for n in range(1, 9)]
    state = cards.runs_state([*old, *other], "p", [], None)
    assert len([card for card in state.items if card.node_id == "f1"]) == 8
    assert len(state.items) < 100


def test_a_run_that_was_skipped_says_so_in_place_of_cancelled():
    why = "Not started: it continues the model of A, whose run did not finish: it failed."
    skipped = view(1, status="stopped", reason="cancelled", summary={"why": why})
    assert cards.reason(skipped) == why


# ------------------------------------------------------------ the queue


def test_the_queue_names_runs_of_every_project_and_what_they_wait_for():
    chained = {"model": {"run_of": "f1", "run": "r2"}}
    views = [
        view(1, status="running", label="Long", step=10, max_steps=40),
        view(2, label="Pretraining", project_id="q"),
        view(3, label="Instructions", request=chained, project_id="q"),
        view(4, project_id=None),
        view(5, status="finished"),
        view(
            7,
            label="Many · epochs 1",
            request={"node": {"label": "Many · epochs 1"}, "variant": {"epochs": 1}},
        ),
        view(6, label="Elsewhere"),  # in the queue of another process
    ]
    state = cards.runs_state(
        views, "p", ["r3", "r2", "r4", "r7"], None, names={"p": "Mine", "q": "Other"}
    )
    (running,) = state.under_way
    assert (running.title, running.project, running.fraction) == ("Long", "Mine", 0.25)
    found = [(item.run, item.place, item.project, item.waits_for) for item in state.waiting]
    assert found == [
        ("r3", 0, "Other", "Pretraining"),
        ("r2", 1, "Other", None),
        ("r4", 2, "", None),
        ("r7", 3, "Mine", None),
        ("r6", None, "Mine", None),
    ]
    assert [(i.title, i.variant) for i in state.waiting[2:4]] == [
        ("Finetuning", ""),
        ("Many", "epochs 1"),
    ]


def test_a_card_says_what_its_run_waits_for_until_that_has_ended():
    chained = {"model": {"run_of": "f1", "run": "r1"}}
    first, second = view(1, label="Pretraining"), view(2, node_id="f2", request=chained)
    (card, _) = cards.runs_state([first, second], "p", ["r1", "r2"], None).items
    assert card.waits_for == "Pretraining"
    over = first.model_copy(update={"status": "finished"})
    assert cards.runs_state([over, second], "p", ["r2"], None).items[0].waits_for is None


# ------------------------------------------------------------ the best run


class Later:
    """Does what is put off when the test says so."""

    def __init__(self) -> None:
        self.jobs: list[Any] = []
        self.changes = 0

    def submit(self, job: Any) -> None:
        self.jobs.append(job)

    def changed(self) -> None:
        self.changes += 1

    def work(self) -> None:
        while self.jobs:
            self.jobs.pop(0)()


def write_scores(home: Path, run: str, gain: float) -> None:
    """The same 60 texts, each easier by `gain` nats a token."""
    draw = random.Random(3)
    tokens = [float(draw.randint(5, 40)) for _ in range(60)]
    nll = [(draw.gauss(3.0, 0.3) - gain) * n for n in tokens]
    line = {"step": 10, "epoch": 1, "set": "validation", "digest": "d"}
    folder = runs_folder(home) / run
    folder.mkdir(parents=True)
    values = {"nll": nll, "tokens": tokens, "bytes": [4 * n for n in tokens]}
    (folder / "scores.jsonl").write_text(json.dumps({**line, "values": values}) + "\n")


@pytest.mark.parametrize(("gain", "best"), [(0.5, {"r2"}), (0.0, set())])
def test_a_run_is_best_only_where_the_paired_intervals_say_so(
    home: Path, gain: float, best: set[str]
):
    write_scores(home, "r1", 0.0)
    write_scores(home, "r2", gain)
    later = Later()
    found = Best(home, later.submit, later.changed)
    views = [of_sweep(n, 20.0, status="finished") for n in (1, 2)]
    assert found.of([*views, of_sweep(3)]) == set()  # one still waits
    assert later.jobs == []
    assert found.of(views) == set()
    assert found.of(views) == set()
    assert len(later.jobs) == 1  # asked once, on the worker
    later.work()
    assert found.of(views) == best
    assert later.changes == len(best)
    state = cards.runs_state(views, "p", [], None, best=found.of(views))
    assert {card.id for card in state.items if card.best} == best


# ------------------------------------------------------------ commands


@pytest.fixture
def studio(session: Session) -> Any:
    made = Studio(session, script_and_styles=BUNDLE)
    yield made
    made.close()


def test_stop_all_of_a_project_leaves_the_others(studio: Studio, manager: HandManager):
    studio.command("train", node=None)
    first = studio.project.id
    studio.command("project_new", template=None)
    studio.command("stop", project_id=studio.project.id)
    assert manager.stopped == []
    studio.command("stop", project_id=first)
    assert manager.stopped == [studio._session.manager.views()[0].id]
    studio.command("stop")
    assert manager.stopped[-1] is None


def test_stop_all_cancels_what_waits_before_what_trains(studio: Studio, manager: HandManager):
    (running,) = studio.command("train", node="f1")["runs"]
    (waiting,) = studio.command("train", node="f1")["runs"]
    manager.write(running, "stage", stage="training", message="Training")
    studio.command("stop", project_id=studio.project.id)
    assert manager.stopped == [waiting, running]


def test_older_runs_of_a_node_come_when_asked(studio: Studio, manager: HandManager):
    runs = [studio.command("train", node="f1")["runs"][0] for _ in range(23)]
    for run in runs:
        manager.write(run, "run_stopped", reason="user", summary={})
    page = studio.command("node_runs", node="f1")
    assert [card["id"] for card in page["runs"]] == runs[:-21:-1]
    assert page["more"]
    rest = studio.command("node_runs", node="f1", before=page["runs"][-1]["id"])
    assert [card["id"] for card in rest["runs"]] == runs[2::-1]
    assert not rest["more"]
    assert studio.command("node_runs", node="f9")["runs"] == []


def test_an_old_run_tells_what_it_was_drawn_with(studio: Studio):
    (run,) = studio.command("train", node="f1")["runs"]
    details = studio.command("run_details", run=run)
    assert details["request"]["node"]["id"] == "f1"
    assert details["plan"] is None


def test_moving_goes_to_the_queue_and_its_refusal_comes_back(
    studio: Studio, manager: HandManager, monkeypatch: pytest.MonkeyPatch
):
    moves: list[tuple[str, int]] = []
    monkeypatch.setattr(
        manager, "move", lambda run, place: moves.append((run, place)), raising=False
    )
    studio.command("queue_move", run="r1", place=2)
    assert moves == [("r1", 2)]
    with pytest.raises(StudioError):
        studio.command("queue_move", run="r1", place=-1)
