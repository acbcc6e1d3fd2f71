"""Words, sentences, repetition, copying and the look of code, in many scripts."""

import ast
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb import builtin
from easymodel_nb.metrics import text as module
from easymodel_nb.metrics.text import (
    Text,
    common_tail,
    copied_share,
    english_share,
    last_line,
    passages,
    repetition,
    sentences,
    words,
)

SENTENCES = [
    ("Dr. Smith lives in the U.S. Navy. He is 3.5, e.g. now. What?", 3),
    ("He came at 5 a.m. The sun rose.", 2),
    ("J. Smith and Mr. J. B. Priestley left.", 1),
    ("See No. 5 on p. 7. It is there.", 2),
    ("No. I will not.", 2),
    ("i like it . do you ? yes , mr . smith does .", 3),
    ("i am. you are", 2),
    ('"Stop!" he said. (Really.) Then he left.', 3),
    ("Wait... what? Oh... No!", 3),
    ("今日は。いい天気！本当？はい", 4),  # noqa: RUF001
    ("यह अच्छा है। वह नहीं।", 2),
    ("هل هذا صحيح؟ نعم.", 2),
    ("1. Buy milk\n2. Eat eggs. Then rest.\n- one\n- two", 5),
    ("A heading\n\nA line without an end\nAnother", 3),
    ("The site example.com and version 3.12.1 are fine.", 1),
    ("Really?! Yes!!", 2),
    ("He said 'go.' She went.", 2),
    ("...", 1),
    ("", 0),
    (" \n\t ", 0),
]


@pytest.mark.parametrize(("text", "count"), SENTENCES)
def test_sentences(text: str, count: int):
    assert len(sentences(text)) == count, sentences(text)


def test_sentences_come_without_space_around_them():
    assert sentences(" One.  Two!\n Three ") == ["One.", "Two!", "Three"]


def test_what_has_no_word_joins_a_sentence():
    assert sentences('He left . "') == ['He left . "']
    assert sentences("One.\n***\nTwo.") == ["One. ***", "Two."]


@given(st.text(max_size=200))
def test_nothing_but_space_is_lost(text: str):
    def visible(parts: list[str]) -> str:
        return "".join("".join(parts).split())

    assert visible(sentences(text)) == visible([text])
    assert visible(passages(text, limit=5)) == visible([text])


@given(st.text(max_size=200))
def test_passages_are_short_enough(text: str):
    assert all(len(words(part)) <= 5 for part in passages(text, limit=5))


def test_words():
    assert words("Don't stop, 3.5!") == ["don't", "stop", ",", "3", ".", "5", "!"]
    assert words("今日はnow") == ["今", "日", "は", "now"]
    assert words("สวัสดี") == ["ส", "วั", "ส", "ดี"]
    assert words("naïve café") == ["naïve", "café"]
    assert words("\u200b \ufeff") == []


def test_repetition_counts_pairs_that_were_there_before():
    assert repetition(list("abcd")) == 0
    assert repetition(list("abab")) == pytest.approx(1 / 3)
    assert repetition(list("aaaaa")) == pytest.approx(3 / 4)
    assert repetition(["a"]) == 0
    assert repetition([]) == 0


def test_copied_share_is_the_longest_run():
    assert copied_share(list("xbcy"), list("abcd")) == pytest.approx(2 / 4)
    assert copied_share(list("ab"), list("abc")) == 1
    assert copied_share([], ["a"]) == copied_share(["a"], []) == 0


SMALL = st.lists(st.sampled_from("abc"), max_size=10)


@given(SMALL, SMALL)
def test_copied_share_by_its_definition(text: list[str], origin: list[str]):
    runs = [
        j - i
        for i in range(len(text))
        for j in range(i + 1, len(text) + 1)
        if any(origin[k : k + j - i] == text[i:j] for k in range(len(origin)))
    ]
    expected = max(runs, default=0) / len(text) if text else 0.0
    assert copied_share(text, origin) == pytest.approx(expected)


def test_most_functions_of_this_package_look_like_code_and_no_english_does():
    folder = Path(module.__file__).parent
    functions = [
        ast.unparse(node)
        for file in sorted(folder.glob("*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef)
    ]
    assert sum(Text(code).code for code in functions) > 0.6 * len(functions)
    play = (builtin.path("shakespeare") / "validation.txt").read_text().split("\n\n")
    assert not any(Text(speech).code for speech in play)
    assert not Text("She makes 9 * 2 = $<<9*2=18>>18 every day. 16 - 3 - 4 = 9.").code


def test_english_is_known_by_its_function_words():
    lines = (builtin.path("requests") / "validation.jsonl").read_text().splitlines()
    share = english_share([json.loads(line)["target"] for line in lines])
    assert share is not None
    assert share > 2 * module.ENGLISH
    german = "Der Hund lief über die Straße, weil er die Katze sah, und sie lief davon. " * 10
    found = english_share([german])
    assert found is not None
    assert found < module.ENGLISH
    assert english_share(["Too few words to tell."]) is None
    assert Text(german).foreign
    assert not Text("Der Hund.").foreign


def test_the_last_line_that_is_not_the_template_s():
    prompts = ["Hello.\nHow are you?\n\nAnswer:\n", "Hi.\nWho is it?\nAnswer:"]
    assert common_tail(prompts) == 1
    assert [last_line(prompt, 1) for prompt in prompts] == ["How are you?", "Who is it?"]
    assert common_tail(["a", "b"]) == common_tail(["a"]) == common_tail(["a", "a"]) == 0
    assert last_line("Answer:", 1) == "Answer:"


def test_script():
    assert Text("Пример").not_latin == 1
    assert Text("an Пример").not_latin == pytest.approx(6 / 8)
    assert Text("123 !?").not_latin == 0
    assert Text("\u200b\n").empty
    assert Text("Yes.").short


def test_what_utf_8_cannot_write_is_read():
    assert Text.of("a\ud800b").raw == "a?b"
