"""Suggestions: at once what is here, then what the Hub finds, and only for what stands there."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from easymodel_nb.errors import problem_error
from easymodel_nb.train.hub import cache
from easymodel_nb.train.hub.answers import Answers
from easymodel_nb.train.hub.search import Hit
from easymodel_nb.train.local_sources import paths
from easymodel_nb.widgets.methods import SuggestParams, SuggestResult
from easymodel_nb.widgets.session import Session
from easymodel_nb.widgets.state import SourceOption
from easymodel_nb.widgets.suggest import Found, Suggestions, on_the_hub

WAIT = 10.0


def named(name: str, origin: str = "hub") -> SourceOption:
    return SourceOption.model_validate({"source": name, "title": name, "origin": origin})


class Bench:
    """Suggestions whose Hub answers when the test says so."""

    def __init__(self) -> None:
        self.here: list[str] = []
        self.there: list[str] = []
        self.go = threading.Event()
        self.go.set()
        self.asked = threading.Semaphore(0)
        self.offline: str | None = None
        self.suggestions = Suggestions(self.local, self.hub)

    def local(self, params: SuggestParams) -> Found:
        self.here.append(params.text)
        return Found([named(f"cached/{params.text}", "cache")])

    def hub(self, params: SuggestParams) -> Found:
        self.there.append(params.text)
        self.asked.release()
        assert self.go.wait(WAIT)
        if self.offline:
            return Found([], self.offline)
        return Found([named(f"hub/{params.text}"), named(f"cached/{params.text}")])

    def ask(self, text: str) -> SuggestResult:
        return self.suggestions.ask(SuggestParams(kind="model", text=text))

    def settled(self, text: str) -> SuggestResult:
        news = threading.Event()
        for _ in range(1000):
            found = self.ask(text)
            if not found.checking:
                return found
            news.wait(0.01)
        raise AssertionError(f"{text} is still being looked for")


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.go.set()
    bench.suggestions.close()


def sources(found: SuggestResult) -> list[str]:
    return [item.source for item in found.items]


def test_what_is_here_comes_first_and_nothing_twice(bench: Bench):
    bench.go.clear()
    assert bench.ask("gpt").checking
    assert bench.asked.acquire(timeout=WAIT)
    waiting = bench.ask("gpt")
    assert (sources(waiting), waiting.checking) == (["cached/gpt"], True)
    bench.go.set()
    assert sources(bench.settled("gpt")) == ["cached/gpt", "hub/gpt"]
    assert sources(bench.settled("gpt")) == ["cached/gpt", "hub/gpt"]
    assert (bench.here, bench.there) == (["gpt"], ["gpt"])


def test_what_was_typed_on_the_way_is_not_searched_for(bench: Bench):
    bench.go.clear()
    for text in ("ab", "bc"):  # as many as look at once
        bench.ask(text)
        assert bench.asked.acquire(timeout=WAIT)
    for end in range(3, 9):
        bench.ask("bert-base"[:end])
    bench.go.set()
    assert sources(bench.settled("bert-bas")) == ["cached/bert-bas", "hub/bert-bas"]
    assert sorted(bench.there) == ["ab", "bc", "bert-bas"]


@pytest.mark.parametrize("text", ["", "g", "./data", "/tmp/x", "~/m", "builtin:ti", "variable:d"])
def test_what_can_be_no_name_is_not_sent(bench: Bench, text: str):
    assert not bench.settled(text).checking
    assert bench.there == []


def test_without_the_hub_it_is_not_asked_for_each_letter(bench: Bench):
    bench.offline = "The Hub cannot be reached."
    for text in ("gp", "gpt", "gpt2"):
        found = bench.settled(text)
        assert (sources(found), found.offline) == ([f"cached/{text}"], bench.offline)
    assert bench.there == ["gp"]
    bench.offline = None
    bench.suggestions.forget()
    assert "hub/gpt2" in sources(bench.settled("gpt2"))


def test_a_search_that_fails_is_an_empty_list_without_a_secret(bench: Bench):
    token = "hf_" + "abcdefghijklmnop"

    def crash(_params: SuggestParams) -> Found:
        raise RuntimeError(f"broken near {token}")

    bench.suggestions = Suggestions(bench.local, crash)
    found = bench.settled("gpt")
    assert sources(found) == ["cached/gpt"]
    assert found.offline is not None
    assert token not in found.offline


def test_the_command_answers_at_once(session: Session):
    from easymodel_nb.widgets.commands.sources import SourceCommands

    held = threading.Event()
    asked = threading.Event()

    def slow(_params: SuggestParams) -> Found:
        asked.set()
        held.wait(WAIT)
        return Found([])

    session.suggestions = Suggestions(slow, slow)
    commands = SourceCommands(session, None)  # type: ignore[arg-type]
    answer = commands.suggest(SuggestParams(kind="model", text="gpt"))
    assert asked.wait(WAIT)
    assert (answer.items, answer.checking) == ([], True)
    held.set()
    session.suggestions.close()


def test_the_hub_is_asked_with_the_token_and_never_tells_it(monkeypatch: pytest.MonkeyPatch):
    seen: list[str | None] = []

    def search(kind: str, text: str, task: str | None, token: str | None) -> list[Hit]:
        seen.append(token)
        assert (kind, text, task) == ("dataset", "squad", "generation")
        return [Hit("rajpurkar/squad", "10 downloads", ("generation",))]

    monkeypatch.setattr("easymodel_nb.train.hub.search.search", search)
    params = SuggestParams(kind="dataset", text=" squad ", task="generation")
    found = on_the_hub(lambda: "the-token")(params)
    assert seen == ["the-token"]
    assert [(i.source, i.origin, i.offline) for i in found.items] == [
        ("rajpurkar/squad", "hub", False)
    ]
    assert "the-token" not in repr(found)


# ------------------------------------------------------------ what lies here


def test_a_path_is_completed_and_models_come_before_folders(tmp_path: Path):
    (tmp_path / "aaa").mkdir()
    model = tmp_path / "my-model"
    model.mkdir()
    (model / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    found = [item.source for item in paths("model", f"{tmp_path}/")]
    assert found == [f"{model}", f"{tmp_path}/aaa/"]
    assert [item.source for item in paths("model", f"{tmp_path}/my")] == [f"{model}"]
    assert list(paths("model", f"{tmp_path}/nothing/x")) == []


def test_data_files_are_offered_and_other_files_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("rows.csv", "rows.jsonl.gz", "notes.doc", ".hidden.csv"):
        (tmp_path / name).write_text("a,b\n1,2\n")
    monkeypatch.chdir(tmp_path)
    assert [i.source for i in paths("dataset", "row")] == ["./rows.csv", "./rows.jsonl.gz"]


@pytest.mark.parametrize(
    ("files", "whole"),
    [
        (["config.json", "model.safetensors"], True),
        (["config.json"], False),
        (["model.safetensors"], False),
        (["config.json", "model.safetensors.index.json", "a.safetensors"], False),
        (["config.json", "model.safetensors.index.json", "a.safetensors", "b.safetensors"], True),
    ],
)
def test_only_a_whole_model_trains_offline(tmp_path: Path, files: list[str], *, whole: bool):
    parts = {"weight_map": {"x": "a.safetensors", "y": "b.safetensors"}}
    for name in files:
        (tmp_path / name).write_text(json.dumps(parts) if "index" in name else "{}")
    assert cache.model_whole(tmp_path) is whole


# ------------------------------------------------------------ asked once


def test_two_who_ask_the_same_ask_it_once():
    answers, go, count = Answers(), threading.Event(), []

    def ask() -> str:
        count.append(1)
        go.wait(WAIT)
        return "known"

    told: list[str] = []
    threads = [
        threading.Thread(target=lambda: told.append(answers.once("x", ask))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    go.set()
    for thread in threads:
        thread.join(WAIT)
    assert (told, len(count)) == (["known"] * 3, 1)


def test_a_refusal_is_kept_until_it_is_forgotten():
    answers, count = Answers(), []

    def refuse() -> str:
        count.append(1)
        raise problem_error("hub.not_found", "There is no such model.")

    for _ in range(2):
        with pytest.raises(Exception, match="no such model"):
            answers.once("x", refuse)
    assert len(count) == 1
    answers.once("y", lambda: "stays")
    answers.forget()
    assert answers.once("x", lambda: "there now") == "there now"
    assert answers.once("y", lambda: "asked again") == "stays"


def test_few_answers_are_kept():
    answers = Answers(kept=2)
    for name in "abc":
        answers.once(name, lambda name=name: name)
    assert answers.once("c", lambda: "new") == "c"
    assert answers.once("a", lambda: "new") == "new"
