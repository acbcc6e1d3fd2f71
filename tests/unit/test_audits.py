"""The studio's audits: asked by themselves, left by the next edit, kept for the next session."""

import threading
from pathlib import Path
from typing import Any

import pytest

from easymodel_nb.errors import Problem
from easymodel_nb.store.first import first_workflow
from easymodel_nb.train.auditing.audited import Audit
from easymodel_nb.train.control import Control
from easymodel_nb.widgets import audits as module
from easymodel_nb.widgets.audits import Audits
from easymodel_nb.workflow.document import Workflow

WAIT = 30.0


class Fake:
    """Makes audits when it is let; remembers what it was asked."""

    def __init__(self, *problems: Problem) -> None:
        self.problems, self.asked = list(problems), list[dict[str, Any]]()
        self.begun, self.go = threading.Event(), threading.Event()
        self.go.set()

    def __call__(
        self,
        request: dict[str, Any],
        home: Path,  # noqa: ARG002
        token: Any,  # noqa: ARG002
        control: Control,
        *,
        on_stage: Any,
    ) -> Audit:
        self.asked.append(request["node"]["data"])
        on_stage("Reading")
        self.begun.set()
        while not self.go.wait(0.01):
            control.check()
        return Audit(state="done", problems=self.problems, rows=1, learned_tokens=1)


class Watched:
    """Audits on a home, and a way to wait for what they say."""

    def __init__(self, home: Path, make: Fake) -> None:
        self._news = threading.Condition()
        self.audits = Audits(home, self._tell, make=make)
        self.audits.start()

    def _tell(self) -> None:
        with self._news:
            self._news.notify_all()

    def until(self, workflow: Workflow, state: str) -> Audit:
        found = Audit()

        def there() -> bool:
            nonlocal found
            found = self.audits.of(workflow)["f1"]
            return found.state == state

        with self._news:
            assert self._news.wait_for(there, WAIT), found
        return found


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_SETTLED_SECONDS", 0.0)


def test_a_complete_node_is_audited_once_and_kept(home: Path):
    make = Fake()
    watched = Watched(home, make)
    workflow = first_workflow()
    assert watched.until(workflow, "done").verdict == "green"
    assert watched.audits.of(workflow)["f1"].state == "done"
    watched.audits.close()
    again = Audits(home, lambda: None, make=make)  # another session: nothing is asked
    assert again.of(workflow)["f1"].verdict == "green"
    assert len(make.asked) == 1


def test_an_edit_ends_what_is_under_way(home: Path):
    make = Fake()
    make.go.clear()
    watched = Watched(home, make)
    workflow = first_workflow()
    assert watched.until(workflow, "checking")
    assert make.begun.wait(WAIT)
    f1 = workflow.node("f1")
    assert f1 is not None
    make.begun.clear()
    f1.data["max_length"] = 33
    assert watched.audits.of(workflow)["f1"].state == "waiting"
    assert make.begun.wait(WAIT)  # the first was left, though it never came to its end
    make.go.set()
    assert watched.until(workflow, "done").state == "done"
    assert [data["max_length"] == 33 for data in make.asked] == [False, True]
    watched.audits.close()


def test_a_tick_makes_a_new_verdict_of_the_same_figures(home: Path):
    make = Fake(Problem(code="rows.cut", severity="ask", message="Many are cut.", node="f1"))
    watched = Watched(home, make)
    workflow = first_workflow()
    assert watched.until(workflow, "done").verdict == "amber"
    f1 = workflow.node("f1")
    assert f1 is not None
    f1.data["accept"] = ["rows.cut"]
    found = watched.audits.of(workflow)["f1"]
    assert (found.verdict, found.accepted) == ("green", ["rows.cut"])
    assert len(make.asked) == 1
    watched.audits.close()


def test_a_known_red_blocks_and_an_incomplete_node_is_not_asked(home: Path):
    make = Fake(Problem(code="rows.empty", message="There is no row.", node="f1"))
    watched = Watched(home, make)
    workflow = first_workflow()
    assert watched.audits.blocking(workflow, None) == []  # not known yet
    assert watched.until(workflow, "done").verdict == "red"
    assert [p.code for p in watched.audits.blocking(workflow, "f1")] == ["rows.empty"]
    workflow.edges.pop()
    assert watched.audits.of(workflow)["f1"].state == "none"
    watched.audits.close()


def test_a_file_that_changed_is_audited_again(home: Path, tmp_path: Path):
    make = Fake()
    watched = Watched(home, make)
    workflow = first_workflow()
    file = tmp_path / "rows.jsonl"
    file.write_text('{"prompt": "a", "target": "b"}\n')
    d1 = next(node for node in workflow.nodes if node.type == "dataset")
    d1.data["source"] = str(file)
    watched.until(workflow, "done")
    file.write_text('{"prompt": "a", "target": "b, and more"}\n')
    watched.audits.refresh()
    assert watched.audits.of(workflow)["f1"].state != "done"
    watched.until(workflow, "done")
    assert len(make.asked) == 2
    watched.audits.close()
