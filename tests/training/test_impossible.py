"""Settings that do not fit model or rows, from the audit to the end of a run."""

from pathlib import Path
from typing import Any

import pytest
from small_runs import small

from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.run import Run
from easymodel_nb.train.api import train
from easymodel_nb.train.auditing.asking import audit_request
from easymodel_nb.train.auditing.audit import audit
from easymodel_nb.train.control import Control
from easymodel_nb.workflow.document import Workflow

SHORT = {"subset_size": 16, "eval_size": 8, "epochs": 1}
POSITIONS = 512  # of tiny-gpt2


def audited(workflow: Workflow, home: Path) -> dict[str, Any]:
    home.mkdir(exist_ok=True)
    found = audit(audit_request(workflow, "f1"), home, lambda: None, Control(home))
    return {problem.code: problem for problem in found.problems}


def run_of(**finetune: Any) -> Run:
    (run,) = train(small(**SHORT | finetune))
    assert run.status == "finished", run.view.detail
    return run


def test_a_length_beyond_the_positions_is_asked_about_and_given_up(home: Path):
    workflow = small(**SHORT | {"max_length": 4096})
    problem = audited(workflow, home)["max_length.positions"]
    assert (problem.severity, problem.node, problem.field) == ("ask", "f1", "max_length")
    assert problem.fix is not None
    assert [(c.node, c.value) for c in problem.fix.set or []] == [("f1", POSITIONS)]
    run = run_of(max_length=4096)
    assert run.plan is not None
    assert run.plan["finetune"]["max_length"] == POSITIONS
    assert any(c["field"] == "max_length" for c in run.plan["choices"])
    assert "max_length.positions" in {w.code for w in run.view.warnings}


def test_what_was_accepted_is_not_said_again():
    run = run_of(max_length=4096, accept=["max_length.positions"])
    assert "max_length.positions" not in {w.code for w in run.view.warnings}


def test_more_accumulation_than_rows(home: Path):
    workflow = small(**SHORT | {"gradient_accumulation": 17})
    with pytest.raises(StudioError) as refused:
        train(workflow)
    assert [p.field for p in refused.value.problems] == ["gradient_accumulation"]
    assert list(home.glob("runs/*")) == []
    workflow.nodes[2].data["subset_size"] = None  # only the data says how many there are
    workflow.nodes[2].data["gradient_accumulation"] = 4096
    problem = audited(workflow, home)["accumulation.rows"]
    assert (problem.severity, problem.node, problem.field) == (
        "error", "f1", "gradient_accumulation",
    )  # fmt: skip


def test_a_run_of_one_step_learns():
    """A warm-up of one step would leave it at a learning rate of 0."""
    run = run_of(batch_size=16)
    assert run.view.max_steps == 1
    assert run.view.curve[-1].learning_rate == pytest.approx(run.plan["finetune"]["learning_rate"])
    first, last = run.view.points[0], run.view.points[-1]
    assert first.analytics.task["loss"].value != last.analytics.task["loss"].value
