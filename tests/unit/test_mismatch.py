"""A model that cannot do the task is told on the task field, before anything is trained."""

import pytest

from easymodel_nb.store.first import first_workflow
from easymodel_nb.widgets import mismatch
from easymodel_nb.widgets.mismatch import unfit_tasks
from easymodel_nb.widgets.state import SourceFacts
from easymodel_nb.workflow.document import Edge, Node, Workflow

READS = ["classification", "token_classification"]


def facts(*tasks: str) -> dict[str, SourceFacts]:
    return {"m1": SourceFacts(source="acme/bert", state="ok", tasks=list(tasks))}


def chained() -> Workflow:
    workflow = first_workflow()
    workflow.nodes.append(Node(id="f2", type="finetune", data={"task": "seq2seq"}))
    workflow.edges.append(
        Edge(id="e9", source="f1", sourceHandle="model", target="f2", targetHandle="model")
    )
    return workflow


def test_the_tasks_it_can_do_are_named_and_one_is_offered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mismatch, "AVAILABLE_TASKS", ("generation", "classification"))
    (problem,) = unfit_tasks(first_workflow(), facts("token_classification", "classification"))
    assert (problem.node, problem.field, problem.code) == ("f1", "task", "model.task")
    assert "bert can be trained for token classification or classification" in problem.message
    assert problem.fix is not None
    assert problem.fix.label == "Set task to classification"
    assert [c.value for c in problem.fix.set or []] == ["classification"]


def test_without_a_task_in_common_no_fix_is_offered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mismatch, "AVAILABLE_TASKS", ("generation",))
    (problem,) = unfit_tasks(first_workflow(), facts(*READS))
    assert problem.fix is None


def test_what_fits_or_is_not_known_is_no_problem():
    assert list(unfit_tasks(first_workflow(), facts("generation"))) == []
    assert list(unfit_tasks(first_workflow(), facts())) == []
    assert list(unfit_tasks(first_workflow(), {})) == []


def test_a_chain_is_judged_by_the_model_it_starts_from():
    problems = list(unfit_tasks(chained(), facts("generation")))
    assert [p.node for p in problems] == ["f2"]


def test_a_circle_has_no_model():
    workflow = chained()
    workflow.edges = [e for e in workflow.edges if e.target == "f2"]
    workflow.edges.append(
        Edge(id="e8", source="f2", sourceHandle="model", target="f1", targetHandle="model")
    )
    assert list(unfit_tasks(workflow, facts("seq2seq"))) == []
