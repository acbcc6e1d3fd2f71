"""Facts of sources: looked at off the handlers' threads, and never of what a node held before."""

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from easymodel_nb.errors import FieldChange, Fix, problem_error
from easymodel_nb.store.first import first_workflow
from easymodel_nb.widgets import facts as module
from easymodel_nb.widgets.facts import Facts
from easymodel_nb.widgets.worker import Worker
from easymodel_nb.workflow.document import FinetuneData, ModelData, Workflow

WAIT = 10.0


class Found:
    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        self.columns = ["prompt", "target"]
        self.rows = [["a", "b"]]
        self.total_rows = 1
        self.roles = {"prompt_field": "prompt"}


class Bench:
    """Facts whose describing waits for the test."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, FinetuneData | None]] = []
        self.answer: Callable[[Any], Any] = lambda data: Found(f"facts of {data.source}", "b", "c")
        self.news = threading.Semaphore(0)
        self.worker = Worker("test-facts")
        self.facts = Facts(self.worker, self.news.release, self.describe)

    def describe(self, data: Any, finetune: FinetuneData | None) -> Any:
        self.asked.append((data, finetune))
        return self.answer(data)

    def settle(self, workflow: Workflow) -> Any:
        """Look until everything is known."""
        self.worker.start()
        while any(f.state == "checking" for f in self.facts.of(workflow).values()):
            assert self.news.acquire(timeout=WAIT)
        return self.facts.of(workflow)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.worker.close()


def test_first_it_is_being_checked_then_it_is_known(bench: Bench):
    before = bench.facts.of(first_workflow())
    assert {name: f.state for name, f in before.items()} == {"m1": "checking", "d1": "checking"}
    known = bench.settle(first_workflow())
    assert known["m1"].lines == ["facts of builtin:tiny-gpt2", "b"]
    assert (known["d1"].total_rows, known["d1"].roles) == (1, {"prompt_field": "prompt"})


def test_the_roles_follow_the_finetune_node_the_dataset_feeds(bench: Bench):
    workflow = first_workflow()
    workflow.of_type("finetune")[0].data["text_field"] = "utterance"
    bench.settle(workflow)
    fed = {type(data).__name__: finetune for data, finetune in bench.asked}
    assert fed["ModelData"] is None
    assert fed["DatasetData"] is not None
    assert fed["DatasetData"].text_field == "utterance"


def test_the_same_question_is_asked_once(bench: Bench):
    for _ in range(3):
        bench.facts.of(first_workflow())
    bench.settle(first_workflow())
    bench.settle(first_workflow())
    assert len(bench.asked) == 2


def test_what_the_node_no_longer_holds_is_not_looked_at_and_never_shown(bench: Bench):
    old, new = first_workflow(), first_workflow()
    new.nodes[0].data["source"] = "builtin:other"
    bench.facts.of(old)
    shown = bench.facts.of(new)
    assert shown["m1"].source == "builtin:other"
    known = bench.settle(new)
    assert known["m1"].lines[0] == "facts of builtin:other"
    sources = [data.source for data, _ in bench.asked if isinstance(data, ModelData)]
    assert sources == ["builtin:other"]


def test_whatever_the_trainer_says_is_told(bench: Bench):
    found = Found("facts")
    found.tasks = ["classification"]
    found.candidates = {"text_field": [f"c{i}" for i in range(1000)]}
    found.guesses = [SimpleNamespace(field="delimiter", value=";", reason="it is in every line")]
    found.splits = [{"name": "train", "rows": 7}]
    found.notes = ["2 blank rows were left out."]
    bench.answer = lambda _data: found
    told = bench.settle(first_workflow())["d1"]
    assert told.tasks == ["classification"]
    assert told.candidates["text_field"][0] == "c0"
    assert len(told.candidates["text_field"]) < 100
    assert (told.guesses[0].field, told.guesses[0].value) == ("delimiter", ";")
    assert (told.splits[0].rows, told.notes) == (7, ["2 blank rows were left out."])


def test_what_may_have_changed_is_asked_again_and_shown_meanwhile(bench: Bench):
    workflow = first_workflow()
    workflow.nodes[1].data["source"] = "variable:df"
    bench.answer = lambda _data: Found("old")
    bench.settle(workflow)
    bench.answer = lambda _data: Found("new")
    assert not bench.facts.refresh(lambda source: source == "variable:other")
    assert bench.facts.refresh(lambda source: source == "variable:df")
    assert bench.facts.of(workflow)["d1"].lines == ["old"]
    assert bench.news.acquire(timeout=WAIT)
    while bench.facts.of(workflow)["d1"].lines != ["new"]:
        assert bench.news.acquire(timeout=WAIT)
    assert len(bench.asked) == 3


def test_a_refusal_is_a_problem_on_the_node_and_looked_at_again_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    def refuse(_data: Any) -> Any:
        raise problem_error("file.missing", "There is no file at x.csv.", field="source")

    bench.answer = refuse
    found = bench.settle(first_workflow())["d1"]
    assert (found.state, found.problem.code, found.problem.field) == (
        "problem",
        "file.missing",
        "source",
    )
    assert len(bench.asked) == 2
    bench.answer = lambda _data: Found("there now")
    monkeypatch.setattr(module, "_LOOK_AGAIN_SECONDS", 0.0)
    bench.facts.of(first_workflow())
    assert bench.news.acquire(timeout=WAIT)
    assert bench.news.acquire(timeout=WAIT)
    assert bench.facts.of(first_workflow())["d1"].lines == ["there now"]


def test_any_other_error_is_a_sentence_without_a_secret(bench: Bench):
    token = "hf_" + "abcdefghijklmnop"

    def crash(_data: Any) -> Any:
        raise RuntimeError(f"bad header near {token}")

    bench.answer = crash
    problem = bench.settle(first_workflow())["m1"].problem
    assert "bad header" in problem.message
    assert token not in problem.message


def test_what_is_not_on_this_machine_is_left_for_later(bench: Bench):
    bench.answer = lambda _data: None
    found = bench.settle(first_workflow())["m1"]
    assert (found.state, found.lines) == ("unknown", ["Checked when training starts."])


def test_nodes_without_a_readable_source_are_not_asked_about(bench: Bench):
    workflow = first_workflow()
    workflow.nodes[0].data["source"] = " "
    workflow.nodes[1].data["eval_fraction"] = "much"
    assert bench.facts.of(workflow) == {}
    workflow = first_workflow()
    workflow.nodes[0].data["source"] = workflow.nodes[1].data["source"] = "choose:reviews.csv"
    assert bench.facts.of(workflow) == {}  # no file of that name is missing: none was chosen


def test_a_job_that_fails_does_not_end_the_worker(caplog: pytest.LogCaptureFixture):
    worker, done = Worker("test"), threading.Event()

    def fail() -> None:
        raise ValueError("no good")

    worker.submit(fail)
    worker.submit(done.set)
    worker.start()
    assert done.wait(WAIT)
    assert "no good" in caplog.text
    worker.close()


class Remote:
    """A Hub that answers when the test says so."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.go = threading.Event()
        self.began = threading.Semaphore(0)

    def __call__(self, data: Any, _finetune: Any) -> Any:
        self.asked.append(data.source)
        self.began.release()
        assert self.go.wait(WAIT)
        return Found(f"the Hub on {data.source}")


def test_a_slow_hub_holds_up_nothing_that_is_here(bench: Bench):
    remote, workflow = Remote(), first_workflow()
    workflow.nodes[0].data["source"] = "acme/slow"
    bench.answer = lambda data: None if data.source == "acme/slow" else Found("here")
    bench.facts = Facts(bench.worker, bench.news.release, bench.describe, remote=remote)
    bench.worker.start()
    bench.facts.of(workflow)
    assert remote.began.acquire(timeout=WAIT)
    while bench.facts.of(workflow)["d1"].state != "ok":
        assert bench.news.acquire(timeout=WAIT)
    assert bench.facts.of(workflow)["m1"].state == "checking"
    remote.go.set()
    assert bench.settle(workflow)["m1"].lines == ["the Hub on acme/slow"]
    bench.facts.close()


def test_what_is_left_on_the_way_is_not_asked_of_the_hub(bench: Bench):
    remote = Remote()
    bench.answer = lambda data: None if data.source.startswith("acme") else Found("here")
    bench.facts = Facts(bench.worker, bench.news.release, bench.describe, remote=remote)
    bench.worker.start()
    names = ["acme/a", "acme/b", "acme/c", "acme/d", "acme/end"]
    for name in names:
        workflow = first_workflow()
        workflow.nodes[0].data["source"] = name
        bench.facts.of(workflow)
        if name in names[:3]:  # as many as are asked at once
            assert remote.began.acquire(timeout=WAIT)
    remote.go.set()
    assert bench.settle(workflow)["m1"].lines == ["the Hub on acme/end"]
    assert set(remote.asked) >= {"acme/a", "acme/b", "acme/c", "acme/end"}
    bench.facts.close()


def test_a_problem_of_the_hub_stands_on_each_node_and_goes_with_another_look(bench: Bench):
    def refuse(_data: Any, _finetune: Any) -> Any:
        change = FieldChange(node="", field="source", value="acme/gpt2")
        fix = Fix(label="Use acme/gpt2", set=[change])
        raise problem_error("hub.not_found", "There is none.", field="source", fix=fix)

    answers: list[Any] = [refuse, lambda _data, _finetune: Found("there now")]

    def remote(data: Any, finetune: Any) -> Any:
        return answers[0](data, finetune)

    workflow = first_workflow()
    bench.answer = lambda data: None if data.source == "acme/gpt3" else Found("here")
    workflow.nodes[0].data["source"] = "acme/gpt3"
    bench.facts = Facts(bench.worker, bench.news.release, bench.describe, remote=remote)
    problem = bench.settle(workflow)["m1"].problem
    assert problem.node == "m1"
    assert problem.fix.set[0].node == "m1"
    del answers[0]
    bench.facts.look_again()
    assert bench.settle(workflow)["m1"].lines == ["there now"]
    bench.facts.close()
