"""What a run looks like in the workbench, from its view alone."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.errors import Problem
from easymodel_nb.measured import Measured
from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.runlog.view import CurvePoint, EpochPoint, RunView
from easymodel_nb.store.projects import ProjectInfo
from easymodel_nb.widgets import cards


def view(number: int, **fields: Any) -> RunView:
    known = {"project_id": "p", "node_id": "f1", "created": f"2026-11-22T14:0{number}:00Z"}
    return RunView(id=f"r{number}", **{**known, **fields})


def test_newest_first_and_only_of_the_open_project():
    views = [view(1), view(3), view(2, project_id="other"), view(4, project_id=None)]
    state = cards.runs_state(views, "p", [], None)
    assert [card.id for card in state.items] == ["r3", "r1"]


def test_places_in_the_queue_count_every_project():
    views = [view(1, status="running"), view(2), view(3)]
    state = cards.runs_state(views, "p", ["elsewhere", "r2", "r3"], "r1")
    assert {card.id: card.queue_position for card in state.items} == {"r1": None, "r2": 1, "r3": 2}
    assert (state.queue, state.shown) == (3, "r1")


@pytest.mark.parametrize(
    ("fields", "share"),
    [
        ({"status": "queued"}, None),
        ({"status": "running", "step": 5, "max_steps": 20}, 0.25),
        ({"status": "stopped", "step": 5, "max_steps": 20}, 0.25),
        ({"status": "finished"}, 1.0),
        ({"status": "running", "step": 30, "max_steps": 20}, 1.0),
    ],
)
def test_the_share_of_steps_done(fields: dict[str, Any], share: float | None):
    assert cards.fraction(view(1, **fields)) == share


@given(st.lists(st.floats(0.001, 100) | st.none(), max_size=400))
def test_a_sparkline_is_short_and_keeps_both_ends(losses: list[float | None]):
    curve = [CurvePoint(step=i, epoch=0, loss=loss) for i, loss in enumerate(losses)]
    spark = cards.sparkline(view(1, curve=curve))
    known = [loss for loss in losses if loss is not None]
    assert len(spark) == min(len(known), cards.SPARK_POINTS)
    if known:
        assert spark[0] == pytest.approx(known[0], rel=1e-3)
        assert spark[-1] == pytest.approx(known[-1], rel=1e-3)


def test_the_card_of_an_ended_run_is_kept_until_its_view_changes():
    done, kept = view(1, status="finished"), cards.Ended()
    (first,) = cards.runs_state([done], "p", [], None, kept).items
    (again,) = cards.runs_state([done], "p", [], None, kept).items
    assert again is first
    resumed = done.model_copy(update={"status": "running", "step": 7})
    (live,) = cards.runs_state([resumed], "p", [], None, kept).items
    assert (live.status, live.step) == ("running", 7)
    stopped = resumed.model_copy(update={"status": "stopped"})
    (last,) = cards.runs_state([stopped], "p", [], None, kept).items
    assert last.status == "stopped"


def test_only_what_a_node_shows_carries_a_sparkline():
    curve = [CurvePoint(step=1, epoch=0, loss=2.0)]
    views = [view(1, curve=curve), view(2, curve=curve), view(3, curve=curve, node_id="f2")]
    sparks = {c.id: c.spark for c in cards.runs_state(views, "p", [], None).items}
    assert sparks == {"r3": [2.0], "r2": [2.0], "r1": []}


def test_a_node_shows_the_run_under_way_before_a_newer_one_that_waits():
    assert cards.latest_of_nodes([view(2), view(1, status="running")]) == {"r1"}


def test_however_many_runs_there_were_what_travels_is_bounded():
    views = [view(0, node_id="first")]
    views += [view(0).model_copy(update={"id": f"s{n:03}"}) for n in range(200)]
    ids = [card.id for card in cards.runs_state(views, "p", [], None).items]
    assert len(ids) == 51
    assert ids[0] == "s199"
    assert ids[-1] == "r0", "a node's latest is there however old it is"


def test_the_dashboard_shows_the_chosen_run_else_the_liveliest():
    ended = view(1, status="finished")
    waiting, running = view(3), view(2, status="running")
    assert cards.shown_run([waiting, running, ended], "r1") == "r1"
    assert cards.shown_run([waiting, running, ended], "gone") == "r2"
    assert cards.shown_run([waiting, ended], None) == "r1"
    assert cards.shown_run([waiting], None) == "r3"
    assert cards.shown_run([], None) is None


def test_the_summary_is_what_was_drawn_until_the_plan_knows_better():
    drawn = {"node": {"data": {"epochs": 1, "batch_size": 4, "subset_size": None}}}
    assert cards.summary(view(1, request=drawn)) == "Generation, 1 epoch, batch 4, all rows, full"
    plan = {"finetune": {"epochs": 3, "batch_size": 8}, "dataset": {"train_rows": 12_345}}
    planned = view(1, request=drawn, plan=plan)
    assert cards.summary(planned) == "Generation, 3 epochs, batch 8, 12,345 rows, full"
    assert cards.summary(view(1, request={"node": {"data": {"epochs": "many"}}})) == ""


def test_a_headline_comes_with_the_end_and_claims_what_was_measured():
    points = [
        EpochPoint(
            step=epoch * 10,
            epoch=epoch,
            analytics=Analytics(
                perplexity={"validation": Measured(value=v, low=v - 1, high=v + 1, n=90)}
            ),
        )
        for epoch, v in ((0, 212.0), (1, 13.2))
    ]
    assert cards.headline(view(1, status="running", points=points)) is None
    assert cards.headline(view(1, status="finished", points=points[:1])) is None
    said = cards.headline(view(1, status="finished", points=points))
    assert said is not None
    assert said.startswith("Validation perplexity fell from 212 to 13.2")


def test_projects_show_their_last_run_and_what_trains():
    projects = [ProjectInfo("p", "A"), ProjectInfo("q", "B")]
    views = [view(1, status="finished"), view(2, status="running", step=1, max_steps=4)]
    state = cards.projects_state(projects, "q", views)
    assert state.active == "q"
    assert [(i.name, i.last_run, i.training) for i in state.items] == [
        ("A", "2026-11-22T14:02:00Z", 0.25),
        ("B", None, None),
    ]


def test_why_a_run_was_stopped_is_a_sentence():
    assert cards.card(view(1, status="stopped", reason="user"), []).reason == "You stopped it."
    assert cards.card(view(1), []).reason is None


def test_a_sentinel_s_reason_is_what_it_saw_and_names_the_epoch_that_was_kept():
    warnings = [
        Problem(code="a", severity="note", message="The gradients grow."),
        Problem(code="b", message="The loss is not a number any more, at step 7."),
    ]
    ended = view(1, status="stopped", reason="sentinel", warnings=warnings)
    assert cards.card(ended, []).reason == warnings[1].message
    kept = ended.model_copy(update={"summary": {"kept_epoch": 2}})
    said = cards.card(kept, []).reason
    assert said == f"{warnings[1].message} The model of epoch 2 is kept."


def test_the_epoch_that_early_stopping_kept_stands_in_the_headline(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cards, "finding", lambda _: "It fell")
    analytics = Analytics(perplexity={"validation": Measured(value=13.2, low=12, high=14, n=90)})
    points = [EpochPoint(step=10, epoch=1, analytics=analytics)]
    done = view(1, status="finished", points=points)
    assert cards.headline(done) == "It fell"
    summary = {"kept_epoch": 2, "stopped_early": True}
    early = done.model_copy(update={"summary": summary})
    assert cards.headline(early) == "It fell; stopped early, epoch 2 is kept"
    late = done.model_copy(update={"summary": summary | {"stopped_early": False}})
    assert cards.headline(late) == "It fell; epoch 2 is kept"


def test_a_card_says_how_it_was_trained_and_from_where_it_can_go_on():
    drawn = {"node": {"data": {"method": "lora"}}}
    waiting = cards.card(view(1, request=drawn), [])
    assert (waiting.method, waiting.resumable, waiting.resumed_from) == ("lora", None, None)
    plan = {"finetune": {"method": "qlora"}}
    cut_off = view(1, status="interrupted", plan=plan, checkpoints=[{"step": 20}, {"step": 40}])
    made = cards.card(cut_off, [])
    assert (made.method, made.resumable) == ("qlora", 40)
    again = view(1, status="running", attempt=2, resumed=[{"attempt": 2, "step": 40}])
    assert cards.card(again, []).resumed_from == 40
