"""The gate before a sweep: which of its runs are looked at, and what the node says of them."""

import threading
from pathlib import Path
from typing import Any

import pytest

from easymodel_nb.errors import FieldChange, Fix, Problem
from easymodel_nb.store.first import first_workflow
from easymodel_nb.train.auditing import gate
from easymodel_nb.train.auditing.asking import audit_request, audit_requests
from easymodel_nb.train.auditing.audited import Audit
from easymodel_nb.widgets import audits as module
from easymodel_nb.widgets.audits import Audits
from easymodel_nb.workflow.document import Workflow

WAIT = 30.0


def swept(**sweep: list[Any]) -> Workflow:
    workflow = first_workflow()
    workflow.nodes[2].data["sweep"] = sweep
    return workflow


def looked_at(**sweep: list[Any]) -> list[str]:
    return [name for name, _ in audit_requests(swept(**sweep), "f1")]


def test_runs_whose_figures_are_the_same_are_looked_at_once():
    assert looked_at() == [""]
    assert looked_at(learning_rate=[1e-5, 5e-5], seed=[1, 2]) == [""]
    assert looked_at(learning_rate=[1e-5, 5e-5], max_length=[32, 64]) == [
        "learning_rate 1e-05, max_length 64",
        "learning_rate 1e-05, max_length 32",
    ]


def test_the_one_that_takes_the_most_memory_comes_first_and_is_measured():
    assert looked_at(batch_size=[4, 16, 8])[0] == "batch_size 16"
    assert looked_at(method=["lora", "full"])[0] == "method full"
    assert looked_at(gradient_checkpointing=[True, False])[0] == "gradient_checkpointing off"
    assert looked_at(subset_size=[100, None])[0] == "subset_size auto"
    request = audit_request(swept(batch_size=[4, 16]), "f1")
    assert (request["node"]["data"]["batch_size"], request["node"]["data"]["sweep"]) == (16, {})


def test_of_many_runs_the_first_and_the_last_of_that_order_are_looked_at():
    found = looked_at(batch_size=list(range(1, 33)))
    assert found[:2] == ["batch_size 32", "batch_size 31"]
    assert found[-1] == "batch_size 1"
    assert len(found) == 8


def short_is_cut(request: dict[str, Any], *_: Any, **more: Any) -> Audit:
    """An audit that asks about runs with a length of 32."""
    if "on_stage" in more:
        more["on_stage"]("Reading")
    fix = Fix(label="Set 64", set=[FieldChange(node="f1", field="max_length", value=64)])
    cut = Problem(code="rows.cut", severity="ask", message="Many are cut.", node="f1", fix=fix)
    problems = [cut] if request["node"]["data"]["max_length"] == 32 else []
    return Audit(state="done", problems=problems, rows=1, learned_tokens=1)


def test_the_node_shows_the_run_with_the_worst_verdict_and_names_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "_SETTLED_SECONDS", 0.0)
    news = threading.Condition()

    def tell() -> None:
        with news:
            news.notify_all()

    audits = Audits(home, tell, make=short_is_cut)
    audits.start()
    workflow = swept(max_length=[32, 64], seed=[1, 2])
    with news:
        assert news.wait_for(lambda: audits.of(workflow)["f1"].state == "done", WAIT)
    found = audits.of(workflow)["f1"]
    assert (found.verdict, found.runs, found.variant) == ("amber", 4, "max_length 32, seed 1")
    (problem,) = found.problems
    assert problem.message == "With max_length 32, seed 1: Many are cut."
    assert problem.fix is None  # the sweep decides the length, not the field
    workflow.nodes[2].data["accept"] = ["rows.cut"]
    assert audits.of(workflow)["f1"].verdict == "green"
    audits.close()


def test_the_command_line_asks_about_each_of_them(home: Path, monkeypatch: pytest.MonkeyPatch):
    asked: list[int] = []

    def audited(request: dict[str, Any], *_: Any) -> Audit:
        asked.append(request["node"]["data"]["max_length"])
        return short_is_cut(request)

    monkeypatch.setattr(gate, "_audited", audited)
    questions = gate.look(swept(max_length=[32, 64]), None, home, lambda: None)
    assert asked == [64, 32]
    assert [p.message for p in questions] == ["With max_length 32: Many are cut."]
