"""The prompt box as HTML: what it offers, and what it shows of an answer at each moment."""

from typing import Any

import pytest

from easymodel_nb.report.try_box import tried_html, try_form
from easymodel_nb.runlog.tried import Answer, Tried
from easymodel_nb.runlog.view import RunView


def view(status: Any = "finished", model: str | None = "model", **finetune: Any) -> RunView:
    plan = {"finetune": {"task": "generation", "max_new_tokens": 12, **finetune}}
    return RunView(id="r1", status=status, plan=plan, model_path=model)


def tried(**more: Any) -> Tried:
    return Tried(**{"run": "r1", "text": "Hello", "state": "done", **more})


@pytest.mark.parametrize("status", ["queued", "failed", "interrupted"])
def test_without_a_model_there_is_no_box(status: str):
    assert try_form(view(status, None)) == ""


def test_the_box_sends_its_text_for_its_run_and_says_what_becomes_of_it():
    html = try_form(view())
    assert 'data-em-form="try"' in html
    assert "&quot;run&quot;: &quot;r1&quot;" in html
    assert 'data-em-command="try_prompt"' in html
    assert html.count("<textarea") == 1
    assert "at most 12 tokens" in html
    assert "Nothing of it is saved" in html
    assert "between two steps" in try_form(view("running", None))


@pytest.mark.parametrize(
    ("finetune", "words"),
    [
        ({"messages_field": "messages"}, "user's turn"),
        ({"task": "seq2seq", "source_prefix": "summarize: "}, "summarize:"),
        ({"template": "Q: {q}", "target_field": "a"}, "template"),
        ({"task": "classification"}, "as the run's texts were"),
        ({"task": "token_classification"}, "a tag"),
    ],
)
def test_it_says_how_a_text_is_read(finetune: dict[str, Any], words: str):
    assert words in try_form(view(**finetune)).replace("&#x27;", "'")


def test_a_task_of_pairs_asks_for_two_texts():
    assert try_form(view(task="classification", text_pair_field="b")).count("<textarea") == 2


def test_words_are_marked_only_when_both_are_whole():
    written = {"base": Answer(text="a red cat", tokens=3, ended="eos", done=True)}
    half = tried(state="answering", tuned=Answer(text="a blue"), **written)
    assert "<del>" not in tried_html(half)
    assert 'data-em-command="try_stop"' in tried_html(half)
    whole = tried(tuned=Answer(text="a blue cat", tokens=3, ended="limit", done=True), **written)
    html = tried_html(whole)
    assert "<del>red</del>" in html
    assert "<ins>blue</ins>" in html
    assert "ended by itself after 3 tokens" in html
    assert "ended at the limit of 3 tokens" in html
    assert "try_stop" not in html


def test_an_answer_that_is_missing_says_why_and_an_empty_one_that_it_is_empty():
    html = tried_html(
        tried(
            base=Answer(done=True, reason="The folder is no longer there."),
            tuned=Answer(text="", tokens=0, ended="eos", done=True),
        )
    )
    assert "The folder is no longer there." in html
    assert ">empty<" in html


def test_labels_stand_side_by_side_with_their_probabilities():
    html = tried_html(
        tried(
            task="classification",
            base=Answer(done=True, reason="Its head was new."),
            tuned=Answer(text="b", labels=(("b", 0.999), ("a", 0.001)), done=True),
        )
    )
    assert html.index(">b<") < html.index(">a<")
    assert "99 %" in html  # nothing becomes a certainty by rounding
    assert "100 %" not in html
    assert "Its head was new." in html


def test_words_carry_their_tags_and_nothing_is_html():
    evil = "<img src=x>"
    answer = Answer(words=((evil, "B-x"), ("the", "O")), done=True)
    html = tried_html(tried(text=evil, tuned=answer, base=Answer(done=True, reason=evil)))
    assert "<img" not in html
    assert " B-x</small>" in html
    assert "the O" not in html
    assert "no entities" not in html


def test_words_without_any_entity_say_so():
    none = Answer(words=(("the", "O"), ("cat", "O")), done=True)
    assert "no entities" in tried_html(tried(tuned=none, base=none))


def test_a_failure_is_told_as_an_alert():
    html = tried_html(tried(state="failed", message="There is too little memory."))
    assert 'role="alert"' in html
    assert "too little memory" in html
    assert tried_html(None) == ""
