"""The prompt box: base and tuned answer a text as they answered the run's own samples."""

import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import PATIENCE, Ear, small, stage

from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.run import Run
from easymodel_nb.runlog.tried import Answer, Tried
from easymodel_nb.runlog.view import RunView
from easymodel_nb.train import try_box, trying
from easymodel_nb.train.api import train
from easymodel_nb.train.callbacks.answering import Answering
from easymodel_nb.train.manager import RunManager
from easymodel_nb.train.roles import Roles
from easymodel_nb.train.trying_inputs import prompt_of, words_of
from easymodel_nb.widgets.tries import Tries

SHORT = {"epochs": 1, "subset_size": 16, "eval_size": 6, "learning_rate": 1e-2}
CHAT = [
    [{"role": "user", "content": f"What is {n}?"}, {"role": "assistant", "content": f"It is {n}."}]
    for n in range(20)
]
TEMPLATE = "Ask: {prompt}\nAnswer:"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def run_of(home: Path, one_thread: None) -> Callable[[str], Run]:  # noqa: ARG001
    """Trains a run of each kind, once."""
    made: dict[str, Run] = {}
    chats = home / "chats.jsonl"
    chats.write_text("".join(json.dumps({"messages": c}) + "\n" for c in CHAT), encoding="utf-8")
    settings: dict[str, dict[str, Any]] = {
        "template": {"template": TEMPLATE, "target_field": "target"},
        "chat": {"source": str(chats), "accept": ["chat.template"]},
        "seq2seq": {"task": "seq2seq", "model": "builtin:tiny-t5"},
        "classification": {"task": "classification", "source": "builtin:intents"},
        "token_classification": {"task": "token_classification", "source": "builtin:slots"},
    }

    def make(kind: str) -> Run:
        if kind not in made:
            (made[kind],) = train(small(**{**SHORT, **settings[kind]}), home=home)
        return made[kind]

    return make


def both(run: Run) -> tuple[trying.Side, trying.Side]:
    tuned = trying.load_tuned(run, "cpu")
    return trying.load_base(run, "cpu", tuned), tuned


def ask(side: trying.Side, text: str) -> Answer:
    return side.answer(text, "", lambda _: None, lambda: False)


# ---------------------------------------------------------------- the same as in the run


def _typed_template(prompt: str) -> str:
    return prompt.removeprefix("Ask: ").removesuffix("\nAnswer:")


def _typed_chat(prompt: str) -> str:
    return prompt[prompt.index("What") : prompt.index("?") + 1]


@pytest.mark.parametrize(
    ("kind", "typed"),
    [("template", _typed_template), ("chat", _typed_chat), ("seq2seq", str)],
)
def test_both_write_what_they_wrote_in_the_run(
    run_of: Callable[[str], Run], kind: str, typed: Callable[[str], str]
):
    run = run_of(kind)
    base, tuned = both(run)
    rows = run.sample_rows()[:3]
    assert rows
    for row in rows:
        text = typed(row["prompt"])
        for side, model in (("base", base), ("tuned", tuned)):
            answer = ask(model, text)
            assert answer.text == row[side]
            assert (answer.tokens, answer.ended) == (
                row[f"{side}_more"]["tokens"],
                row[f"{side}_more"]["ended"],
            )
            assert answer.done


def test_a_classifier_names_the_label_and_the_probability_of_the_run(
    run_of: Callable[[str], Run],
):
    run = run_of("classification")
    tuned = trying.load_tuned(run, "cpu")
    for row in run.sample_rows()[:3]:
        answer = ask(tuned, row["prompt"])
        assert answer.text == row["tuned"] == answer.labels[0][0]
        assert answer.labels[0][1] == pytest.approx(row["tuned_more"]["confidence"], abs=1e-3)
        assert sum(chance for _, chance in answer.labels) == pytest.approx(1, abs=1e-3)
    with pytest.raises(StudioError, match="knew none of these labels"):
        trying.load_base(run, "cpu", tuned)


def test_a_tagger_gives_each_word_a_tag(run_of: Callable[[str], Run]):
    run = run_of("token_classification")
    tuned = trying.load_tuned(run, "cpu")
    answer = ask(tuned, "Play Blue Train by John Coltrane, now!")
    words = ["Play", "Blue", "Train", "by", "John", "Coltrane", ",", "now", "!"]
    assert [word for word, _ in answer.words] == words
    assert {tag for _, tag in answer.words} <= set(tuned.model.config.id2label.values())
    with pytest.raises(StudioError, match="no word"):
        ask(tuned, "   ")


# ---------------------------------------------------------------- stop, progress, inputs


def test_a_stop_ends_an_answer_and_keeps_what_there_is(run_of: Callable[[str], Run]):
    tuned = trying.load_tuned(run_of("template"), "cpu")
    answer = tuned.answer("Hello", "", lambda _: None, lambda: True)
    assert answer.done
    assert (answer.ended, answer.tokens) == ("stopped", 1)


def test_progress_is_told_while_it_is_written(
    run_of: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(trying, "_TELL_SECONDS", 0.0)
    told: list[Answer] = []
    final = trying.load_tuned(run_of("template"), "cpu").answer(
        "Hello", "", told.append, lambda: False
    )
    assert [part.tokens for part in told] == list(range(1, len(told) + 1))
    assert not any(part.done for part in told)
    assert final.text.startswith(told[0].text)


@pytest.mark.parametrize(
    ("roles", "prompt"),
    [
        (Roles(template="Q: {q}\nA:", target="a"), "Q: hi\nA:"),
        (Roles(template="{q}\n\n### Input:\n{more?}\n\nA:", target="a"), "hi\n\nA:"),
        (Roles(template="{q} {r}", target="a"), "hi"),  # two values cannot be told from one text
        (Roles(template="Q: {q} A: {a}"), "hi"),
        (Roles(prompt="q", target="a"), "hi"),
        (Roles(text="t"), "hi"),
    ],
)
def test_a_text_is_put_into_the_template_where_that_asks_for_one(roles: Roles, prompt: str):
    assert prompt_of("hi", roles) == prompt


def test_words_and_signs_are_apart():
    assert words_of("O'Neill's 3.5-inch floppy (new).") == [
        "O'Neill's",
        "3.5-inch",
        "floppy",
        "(",
        "new",
        ")",
        ".",
    ]


# ---------------------------------------------------------------- on the worker


class Heard:
    """Waits for a state of the tried text."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.tries: Tries

    def __call__(self) -> None:
        with self.changed:
            self.changed.notify_all()

    def wait(self, run: str, due: Callable[[Tried | None], bool]) -> Tried:
        with self.changed:
            assert self.changed.wait_for(lambda: due(self.tries.state(run)), PATIENCE)
        found = self.tries.state(run)
        assert found is not None
        return found

    def end(self, run: str) -> Tried:
        return self.wait(run, lambda tried: tried is not None and not tried.active)


@pytest.fixture
def heard(home: Path) -> Iterator[Heard]:
    ear = Heard()
    ear.tries = Tries(home, ear)
    yield ear
    ear.tries.close()


def test_a_text_is_answered_by_both_and_the_models_are_kept_until_a_run_begins(
    run_of: Callable[[str], Run], heard: Heard
):
    run, tries = run_of("template"), heard.tries
    row = run.sample_rows()[0]
    text = _typed_template(row["prompt"])
    tries.ask(run.id, text)
    assert tries.active
    first = heard.end(run.id)
    assert (first.state, first.base.text, first.tuned.text) == ("done", row["base"], row["tuned"])
    kept = tries._loaded
    assert kept is not None
    tries.ask(run.id, f"{text} again")
    assert heard.end(run.id).text.endswith("again")
    assert tries._loaded is kept
    tries.look([RunView(id="new", status="running")])
    released = threading.Event()
    tries._worker.submit(released.set)
    assert released.wait(PATIENCE)
    assert tries._loaded is None


def test_a_run_that_begins_while_models_are_loaded_gets_the_memory(
    run_of: Callable[[str], Run], heard: Heard, monkeypatch: pytest.MonkeyPatch
):
    run, tries = run_of("template"), heard.tries
    load = trying.load_tuned

    def begun(*given: Any) -> trying.Side:
        tries.look([RunView(id="new", status="queued")])
        return load(*given)

    monkeypatch.setattr(trying, "load_tuned", begun)
    tries.ask(run.id, "Hello")
    found = heard.end(run.id)
    assert found.state == "stopped"
    assert "A run began" in found.message
    released = threading.Event()
    tries._worker.submit(released.set)
    assert released.wait(PATIENCE)
    assert tries._loaded is None


def test_a_model_without_a_base_answers_alone_and_says_why(
    run_of: Callable[[str], Run], heard: Heard
):
    run = run_of("classification")
    heard.tries.ask(run.id, "play some jazz")
    found = heard.end(run.id)
    assert found.state == "done"
    assert found.tuned.labels
    assert "knew none" in (found.base.reason or "")


@pytest.mark.parametrize(("run", "text"), [("gone", "hi"), ("../x", "hi"), ("", "hi"), ("r", "  ")])
def test_what_cannot_be_asked_is_refused(heard: Heard, run: str, text: str):
    with pytest.raises(StudioError):
        heard.tries.ask(run, text)


def test_too_little_memory_is_a_sentence(
    run_of: Callable[[str], Run], heard: Heard, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(trying, "bytes_free", lambda _: 1)
    heard.tries.ask(run_of("template").id, "hi")
    found = heard.end(run_of("template").id)
    assert found.state == "failed"
    assert "GB of memory" in found.message


# ---------------------------------------------------------------- while a run trains


def test_a_run_that_trains_answers_between_two_steps_and_learns_the_same(
    manager: RunManager, monkeypatch: pytest.MonkeyPatch
):
    answers: list[Answer] = []
    reply = try_box.reply

    def kept(folder: Path, question: try_box.Question, answer: Answer) -> None:
        answers.append(answer)
        reply(folder, question, answer)

    monkeypatch.setattr(try_box, "reply", kept)
    weights = []
    for asks in (False, True):
        ear = Ear()
        settings = {**SHORT, "epochs": 2, "batch_size": 2, "max_new_tokens": 3}
        (run,) = manager.submit(small(**settings), None, on_event=ear)
        if asks:
            ear.when(stage("training"), partial(try_box.ask, run.folder, "Hello", ""))
        manager.wait(run.id, PATIENCE)
        assert run.status == "finished"
        assert bool(answers) == asks
        assert not list(run.folder.glob("try*"))
        weights.append(run.load()[0].state_dict())
    assert answers[-1].done
    assert answers[-1].reason is None
    assert answers[-1].tokens
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_the_box_asks_a_run_that_trains_and_loads_its_base_beside_it(
    manager: RunManager, tmp_path: Path
):
    ear, heard = Ear(), Heard()
    heard.tries = Tries(tmp_path / "home", heard)
    (run,) = manager.submit(small(**{**SHORT, "epochs": 500}), None, on_event=ear)
    ear.wait(stage("training"))
    heard.tries.ask(run.id, "Hello")
    found = heard.end(run.id)
    assert run.status == "running"
    manager.stop(run.id)
    heard.tries.close()
    assert found.state == "done"
    assert "while it trained, at about step " in found.message
    for answer in (found.tuned, found.base):
        assert answer.reason is None
        assert answer.tokens
    assert heard.tries._loaded is None, "the memory belongs to the run"


def test_a_question_that_fails_never_costs_the_run(tmp_path: Path):
    class Broken:
        context = None

    question = try_box.ask(tmp_path, "hi", "")
    Answering(Broken(), None, object(), tmp_path, None).on_step_end(None, None, None)  # type: ignore[arg-type]
    answer = try_box.answer_to(tmp_path, question)
    assert answer is not None
    assert "could not answer" in (answer.reason or "")
    assert try_box.take(tmp_path) is None


def test_a_question_can_be_withdrawn_and_an_answer_belongs_to_its_question(tmp_path: Path):
    first = try_box.ask(tmp_path, "one", "")
    taken = try_box.take(tmp_path)
    assert taken is not None
    try_box.reply(tmp_path, taken, Answer(text="1", done=True))
    assert try_box.answer_to(tmp_path, first) == Answer(text="1", done=True)
    second = try_box.ask(tmp_path, "two", "")
    assert try_box.answer_to(tmp_path, second) is None
    try_box.withdraw(tmp_path)
    assert try_box.take(tmp_path) is None
    assert try_box.is_withdrawn(tmp_path)
