"""The reducer: one pure fold, the same however often and in whatever pieces it is asked."""

import json
import math
from functools import reduce
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.runlog.events import EVENT_TYPES, finite, parse
from easymodel_nb.runlog.log import RunReader
from easymodel_nb.runlog.view import RunView, fold, step

PROBLEM = {"code": "x", "message": "It broke."}
steps = st.integers(0, 40)
numbers = st.floats(0, 1e6, allow_nan=False) | st.none()


def line(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"type": st.just(kind), **fields})


lines = st.one_of(
    line(
        "stage",
        stage=st.sampled_from(["queued", "loading", "training", "evaluating"]),
        message=st.text(max_size=10),
    ),
    line(
        "run_started",
        attempt=st.integers(1, 3),
        plan=st.just({"epochs": 2, "max_steps": 40}),
        environment=st.just({}),
    ),
    line(
        "progress",
        step=steps,
        max_steps=st.just(40),
        epoch=st.floats(0, 2),
        epochs=st.just(2.0),
        loss=numbers,
    ),
    line("epoch", step=steps, epoch=st.integers(0, 2), analytics=st.just({})),
    line("samples", step=steps, epoch=st.integers(0, 2), rows=st.integers(0, 3)),
    line("checkpoint", step=steps, path=st.just("checkpoints/1"), bytes=st.integers(0, 9)),
    line("warning", problem=st.just(PROBLEM)),
    line("run_resumed", attempt=st.integers(2, 4), step=steps),
    line("run_finished", summary=st.just({}), model_path=st.just("model")),
    line("run_stopped", reason=st.sampled_from(["user", "signal"])),
    line("run_failed", problem=st.just(PROBLEM)),
    line("from_a_later_version", anything=st.text(max_size=5)),
)


def numbered(drawn: list[dict[str, Any]]) -> list[dict[str, Any]]:
    created = {"type": "run_created", "node_id": "f1", "request": {}}
    base = {"time": "2026-11-22T14:08:00.000Z", "run_id": "r"}
    return [{"seq": seq, **base, **raw} for seq, raw in enumerate([created, *drawn])]


logs = st.lists(lines, max_size=25).map(numbered)


def events(raws: list[dict[str, Any]]) -> list[Any]:
    return [event for raw in raws if (event := parse(raw)) is not None]


@given(logs)
def test_the_fold_is_the_same_in_one_go_stepwise_and_again(raws: list[dict[str, Any]]):
    whole = fold(events(raws))
    assert whole == fold(events(raws))
    assert whole == reduce(step, events(raws), RunView())


@given(logs, st.integers(0, 26))
def test_a_reader_that_came_late_sees_what_an_early_one_saw(raws: list[dict[str, Any]], cut: int):
    known = events(raws)
    assert fold(known[cut:], fold(known[:cut])) == fold(known)


@given(logs, steps)
def test_a_resume_drops_every_line_of_a_greater_step(raws: list[dict[str, Any]], at: int):
    resumed = {**raws[0], "seq": len(raws), "type": "run_resumed", "attempt": 2, "step": at}
    before, after = fold(events(raws)), fold(events([*raws, resumed]))
    assert after.step == at
    assert after.curve == [p for p in before.curve if p.step <= at]
    assert after.points == [p for p in before.points if p.step <= at]
    assert after.samples == [s for s in before.samples if s["step"] <= at]
    assert after.checkpoints == [c for c in before.checkpoints if c["step"] <= at]


@given(logs, st.data())
def test_a_log_cut_at_any_byte_is_its_whole_lines(
    tmp_path_factory: Any, raws: list[dict[str, Any]], data: st.DataObject
):
    text = "".join(json.dumps(raw, ensure_ascii=False) + "\n" for raw in raws).encode()
    cut = data.draw(st.integers(0, len(text)))
    folder = tmp_path_factory.mktemp("run")
    (folder / "events.jsonl").write_bytes(text[:cut])
    whole_lines = raws[: text[:cut].count(b"\n")]
    reader = RunReader(folder)
    reader.view()
    assert _logged(reader) == fold(events(whole_lines), RunView(id=folder.name))
    (folder / "events.jsonl").write_bytes(text)  # the writer goes on; the reader catches up
    reader.view()
    assert _logged(reader) == fold(events(raws), RunView(id=folder.name))


def _logged(reader: RunReader) -> RunView:
    return reader._folded  # the view before live.json has its say


def test_an_end_counts_only_for_its_attempt():
    ended = numbered([{"type": "run_failed", "problem": PROBLEM}])
    again = {**ended[0], "seq": 2, "type": "stage", "stage": "loading", "message": "Again"}
    view = fold(events([*ended, again]))
    assert (view.status, view.problem, view.ended, view.attempt) == ("running", None, None, 2)


def test_a_progress_line_is_the_latest_state_and_a_point_of_the_curve():
    view = fold(
        events(
            numbered(
                [
                    {
                        "type": "progress",
                        "step": 3,
                        "max_steps": 9,
                        "epoch": 0.5,
                        "epochs": 2,
                        "loss": 1.5,
                        "tokens_per_second": 900.0,
                    }
                ]
            )
        )
    )
    assert (view.step, view.max_steps, view.loss, view.tokens_per_second) == (3, 9, 1.5, 900.0)
    assert [(p.step, p.loss) for p in view.curve] == [(3, 1.5)]


def test_the_fold_does_not_mind_where_it_is_read(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    path.write_text("not json\n[1]\n" + json.dumps(numbered([])[0]) + "\n", encoding="utf-8")
    assert RunReader(tmp_path).view().node_id == "f1"


def test_every_type_of_the_contract_is_known():
    assert {
        *("run_created", "stage", "run_started", "progress", "epoch", "samples", "checkpoint"),
        *("warning", "run_resumed", "run_finished", "run_stopped", "run_failed"),
        "measured",  # ours: what was measured of a point later
    } == EVENT_TYPES


@given(st.recursive(st.floats() | st.text(), lambda inner: st.lists(inner) | st.tuples(inner)))
def test_what_json_does_not_have_becomes_null(value: Any):
    back = json.loads(json.dumps(finite(value), allow_nan=False))
    assert back == without_what_json_lacks(value)


def without_what_json_lacks(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [without_what_json_lacks(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def test_a_stopped_run_is_where_it_stopped_though_not_each_step_was_told():
    told = [
        {"type": "progress", "step": 224, "max_steps": 1000, "epoch": 9.0, "epochs": 40.0},
        {"type": "run_stopped", "reason": "user", "summary": {"steps": 226, "of_steps": 1000}},
    ]
    view = reduce(step, map(parse, numbered(told)), RunView())
    assert (view.status, view.step, view.max_steps) == ("stopped", 226, 1000)


def test_a_long_log_is_folded_without_copying_what_is_there():
    """Counted, not timed: the curve is copied once a fold, whatever the number of events."""
    raws = [
        {"seq": n, "time": "t", "run_id": "r", "type": "progress", "step": n, "max_steps": 9,
         "epoch": 0.5, "epochs": 1, "loss": 1.0}
        for n in range(3000)
    ]  # fmt: skip
    known = events(raws)
    first = fold(known[:1000])
    seen: list[int] = []

    class Counted(list[Any]):
        def __iter__(self) -> Any:
            seen.append(len(self))
            return super().__iter__()

    first.__dict__["curve"] = Counted(first.curve)
    whole = fold(known[1000:], first)
    assert seen == [1000]
    assert len(first.curve) == 1000, "the view before stays as it was"
    assert whole == fold(known)
