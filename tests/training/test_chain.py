"""Nodes that continue other nodes' models, and the queue that runs them one after the other."""

import pytest
from small_runs import Ear, chained, ended, several, small, stage, until

from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.events import Event
from easymodel_nb.train.manager import RunManager

TINY = {"epochs": 1, "subset_size": 16, "eval_size": 8}


def test_the_second_starts_from_the_first(manager: RunManager):
    first, second = manager.submit(chained(TINY, {**TINY, "seed": 7}))
    assert manager.wait(second.id, timeout=240).status == "finished"
    assert first.status == "finished"
    assert second.view.request["model"] == {"run_of": "f1", "run": first.id}
    assert second.plan["model"]["run_of"] == "f1"
    assert second.plan["model"]["path"] == str(first.model_path)
    # What the first ended with is the second's base: the same texts give the same number.
    ends = first.metrics()["perplexity.validation"].iloc[-1]
    assert (first.plan["dataset"]["eval_rows"], second.plan["dataset"]["eval_rows"]) == (8, 8)
    again = manager.submit(chained(TINY, TINY), "f2")[0]
    begins = manager.wait(again.id, timeout=240).metrics()["perplexity.validation"].iloc[0]
    assert begins == pytest.approx(ends, rel=1e-5)
    assert again.view.request["model"]["run"] == first.id  # the newest finished run of f1


def test_a_chain_needs_a_trained_start_when_only_its_end_is_asked_for(manager: RunManager):
    with pytest.raises(StudioError) as caught:
        manager.submit(chained(TINY, TINY), "f2")
    (problem,) = caught.value.problems
    assert (problem.code, problem.node, problem.field) == ("run.no_model", "f2", "model")
    assert manager.views() == []


def test_dependents_of_a_failed_run_are_skipped(manager: RunManager):
    ear = Ear()
    broken = {**TINY, "text_field": "no such column"}
    runs = manager.submit(chained(broken, TINY, TINY), on_event=ear)
    manager.wait(runs[-1].id, timeout=120)
    assert [run.status for run in runs] == ["failed", "stopped", "stopped"]
    assert [run.view.reason for run in runs] == [None, "cancelled", "cancelled"]
    for run in runs[1:]:
        (warning,) = run.view.warnings
        assert (warning.code, warning.node) == ("run.skipped", run.view.node_id)
        assert "did not finish" in warning.message
        assert not any(e.type == "run_started" for e in ear.heard if e.run_id == run.id)


def test_dependents_of_a_stopped_run_are_skipped(manager: RunManager):
    ear = Ear()
    first, second = manager.submit(chained({"epochs": 500}, TINY), on_event=ear)
    ear.when(stage("training"), lambda: manager.stop(first.id))
    manager.wait(second.id, timeout=60)
    assert (first.status, first.view.reason) == ("stopped", "user")
    assert (second.status, second.view.reason) == ("stopped", "cancelled")


def test_one_runs_after_the_other_in_the_order_of_the_queue(manager: RunManager):
    ear = Ear()
    runs = manager.submit(several(3, **TINY), on_event=ear)
    assert [run.status for run in runs[1:]] == ["queued", "queued"]
    assert manager.queue()[-2:] == [runs[1].id, runs[2].id]
    assert sorted(run.id for run in runs) == [run.id for run in runs]
    manager.wait(timeout=240)
    until(lambda: not manager.active())
    begun = [e.run_id for e in ear.heard if stage("loading")(e)]
    assert list(dict.fromkeys(begun)) == [run.id for run in runs]
    ends = [ear.heard.index(e) for e in ear.heard if ended(e)]
    starts = [next(i for i, e in enumerate(ear.heard) if e.run_id == run.id and
                   e.type == "run_started") for run in runs]  # fmt: skip
    assert all(end < start for end, start in zip(ends, starts[1:], strict=False))


def test_what_goes_wrong_in_a_listener_costs_nothing(
    manager: RunManager, caplog: pytest.LogCaptureFixture
):
    def fail(event: Event) -> None:
        raise RuntimeError(event.type)

    (run,) = manager.submit(small(**TINY), on_event=fail)
    assert manager.wait(run.id, timeout=120).status == "finished"
    assert "on_event failed" in caplog.text + "".join(manager.log_lines(run.id))


def test_subscribers_hear_of_starts_stages_and_ends(manager: RunManager):
    seen: list[str] = []
    forget = manager.subscribe(lambda: seen.append(manager.views()[0].status))
    (run,) = manager.submit(small(**TINY))
    manager.wait(run.id, timeout=120)
    until(lambda: not manager.active())
    assert {"queued", "running", "finished"} <= set(seen)
    forget()
    heard = len(seen)
    manager._tell()
    assert len(seen) == heard


def test_waiting_for_nothing_and_for_too_long(manager: RunManager):
    with pytest.raises(StudioError, match="No run was started"):
        manager.wait()
    (run,) = manager.submit(small(epochs=500))
    with pytest.raises(TimeoutError):
        manager.wait(run.id, timeout=0.2)
    with pytest.raises(StudioError, match="There is no run"):
        manager.view("../other")
